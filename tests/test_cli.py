"""The command line (decisions 3.6, 8.7), run as processes of their own."""

import re
import shutil
from pathlib import Path

import pytest

from amarevents import __version__
from amarevents.cli import main
from amarevents.settings import Settings
from tests.programs import Program
from tests.servers import private_postgres
from tests.support.selection import Backend

ADMIN = ["--username", "Root", "--email", "Root@example.com", "--number", "01700000000", "--password-stdin"]
PASSWORD = "correct horse"
COMMANDS = [
    *("serve", "migrate", "seed", "settings", "create-admin", "create-key", "confirm-email", "outbox"),
    *("plans", "create-plan", "update-plan", "delete-plan"),
]


@pytest.fixture
def program(backend: Backend, request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    """The command line over an empty database of its own."""
    if backend == "sqlite":
        return Program(folder=tmp_path)
    url = request.getfixturevalue("postgres_server").create_database()
    return Program(folder=tmp_path, settings={"DATABASE_URL": url})


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated SQLite database that holds an admin; to be copied, not to be changed."""
    program = Program(folder=tmp_path_factory.mktemp("installed"))
    program.printed("migrate")
    program.printed("create-admin", *ADMIN, typed=f"{PASSWORD}\n")
    return program.folder


@pytest.fixture
def ready(installed: Path, tmp_path: Path) -> Program:
    """The command line over a copy of that database."""
    return Program(folder=Path(shutil.copytree(installed, tmp_path / "copy")))


# An empty database ----------------------------------------------------------------------------------------------


def test_an_empty_database_is_migrated_once_and_seeded_once(program: Program) -> None:
    refused = program.refusal("seed")
    assert "run 'amarevents migrate'" in refused
    assert program.refusal("serve") == refused
    assert program.printed("migrate").startswith("Applied 0001_initial")
    assert program.printed("migrate") == "The database is up to date\n"
    seeded = program.printed("seed")
    assert re.search(r"demo data: \d+ \w+", seeded)
    assert re.search(r"admin key +ae_a_\w+", seeded)
    assert "empty" in program.refusal("seed")


def test_the_first_admin_can_log_in_and_use_its_key(program: Program) -> None:
    program.printed("migrate")
    assert (
        program.printed("create-admin", *ADMIN, typed=f"{PASSWORD}\n") == "Created the admin Root <root@example.com>\n"
    )
    raw = program.printed("create-key", "--email", "ROOT@example.com", "--type", "admin")
    assert re.fullmatch(r"ae_a_\w+\n", raw)
    with program.serving() as server:
        login = {"email": "root@example.com", "password": PASSWORD}
        account = server.client.post("/api/auth/login", json=login).json()["data"]
        assert (account["username"], account["admin"]) == ("Root", True)
        server.client.cookies.clear()
        me = server.client.get("/api/auth/me", headers={"Authorization": f"Bearer {raw.strip()}"}).json()["data"]
        assert (me["auth"]["key_type"], me["auth"]["permissions"]) == ("admin", ["*"])
        assert PASSWORD not in server.printed()
        assert server.client.head("/api/events").content == b""


# The commands ---------------------------------------------------------------------------------------------------


@pytest.mark.backend("sqlite")
def test_create_admin_refuses_what_registration_would(ready: Program) -> None:
    assert ready.refusal("create-admin", *ADMIN, typed="short\n").startswith("amarevents: Invalid input: password: ")
    taken = ["--username", "Other", *ADMIN[2:]]
    refusal = ready.refusal("create-admin", *taken, typed=f"{PASSWORD}\n")
    assert refusal == "amarevents: An account with this email exists already"


@pytest.mark.backend("sqlite")
def test_create_key_gives_the_permissions_asked_for(ready: Program) -> None:
    options = ["--email", "root@example.com", "--type", "user", "--permission", "tickets:read", "--permission"]
    raw = ready.printed("create-key", *options, "events:read").strip()
    with ready.serving() as server:
        me = server.client.get("/api/auth/me", headers={"Authorization": f"Bearer {raw}"}).json()["data"]
    assert (me["auth"]["key_type"], sorted(me["auth"]["permissions"])) == ("user", ["events:read", "tickets:read"])
    assert "user keys cannot hold" in ready.refusal("create-key", *options, "events:write")


@pytest.mark.backend("sqlite")
def test_confirm_email_confirms_accounts_that_exist(ready: Program) -> None:
    assert ready.printed("confirm-email", "--email", "root@example.com") == "Confirmed root@example.com\n"
    refusal = ready.refusal("confirm-email", "--email", "nobody@example.com")
    assert refusal == "amarevents: There is no account with the email nobody@example.com"


@pytest.mark.backend("sqlite")
def test_the_outbox_shows_mails_and_releases_those_that_stopped(ready: Program) -> None:
    confirming = Program(folder=ready.folder, settings={"CONFIRM_EMAIL": "true"})
    account = {"username": "Mina", "email": "mina@example.com", "password": PASSWORD, "number": "01700000000"}
    with confirming.serving() as server:
        assert server.client.post("/api/auth/register", json=account).status_code == 201
    assert re.fullmatch(r" +1  held .* confirm_email .* mina@example\.com .*\n", ready.printed("outbox"))
    assert ready.printed("outbox", "--status", "sent") == ""
    shown = ready.printed("outbox", "--id", "1")
    assert ("attempts:     0" in shown, "secret link" in shown, "token=" in shown) == (True, True, False)
    assert ready.refusal("outbox", "--id", "2") == "amarevents: There is no such mail: 2"
    assert "AMAREVENTS_SMTP_URL" in ready.refusal("outbox", "--id", "1", "--release")
    mailing = Program(folder=ready.folder, settings={"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "a@example.org"})
    assert "--status held" in mailing.refusal("outbox", "--release")
    assert mailing.printed("outbox", "--status", "held", "--release").startswith("Released 1 ")
    assert " pending " in ready.printed("outbox")


def test_plans_are_made_changed_and_deleted(program: Program) -> None:
    program.printed("migrate")
    [free] = program.printed("plans").splitlines()
    assert re.fullmatch(r" +\d+  Free  0\.00 BDT  events: unlimited  \{\}", free)
    options = ["--price", "1999.9", "--currency", "usd", "--event-limit", "25", "--features", '{"support": "প্রতিদিন"}']
    made = program.printed("create-plan", "--name", "Gold", *options)
    plan_id, _, rest = made.strip().partition("  ")
    assert rest == 'Gold  1999.90 USD  events: 25 at once  {"support": "প্রতিদিন"}'
    changed = program.printed("update-plan", "--id", plan_id, "--event-limit", "unlimited", "--name", "Silver")
    assert changed == made.replace("Gold", "Silver").replace("25 at once", "unlimited")
    assert program.printed("plans") == f"{free}\n{changed}"
    assert program.printed("delete-plan", "--id", plan_id) == f"Deleted plan {plan_id}\n"
    assert program.printed("plans") == f"{free}\n"


PLANS_REFUSED = {
    ("create-plan", "--name", "FREE"): "There is a plan with this name already",
    ("create-plan", "--name", "Gold", "--price", "-1"): "Invalid input: price: ",
    ("create-plan", "--name", "Gold", "--features", "[]"): "Invalid input: features: must be an object",
    ("update-plan", "--id", "1", "--name", "Basic"): "This is the plan that new organizations get: ",
    ("delete-plan", "--id", "99"): "Plan not found",
}


@pytest.mark.backend("sqlite")
def test_plans_are_refused_what_the_api_refuses(ready: Program) -> None:
    before = ready.printed("plans")
    told = {arguments: ready.refusal(*arguments) for arguments in PLANS_REFUSED}
    assert [one for one in told if not told[one].startswith(f"amarevents: {PLANS_REFUSED[one]}")] == []
    assert ready.printed("plans") == before


@pytest.mark.backend("sqlite")
def test_settings_lists_every_setting_and_shows_no_secret(tmp_path: Path) -> None:
    url = "postgres://amar:hunter2@db/amar"
    listed = Program(folder=tmp_path, settings={"DATABASE_URL": url, "RATE_LIMIT_USER": "7"}).printed("settings")
    assert "hunter2" not in listed
    assert re.search(r"AMAREVENTS_RATE_LIMIT_USER .*\n +now: 7\n", listed)
    assert [name for name in Settings.__slots__ if f"AMAREVENTS_{name.upper()} " not in listed] == []


@pytest.mark.backend("sqlite")
@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("sqlite:////proc/nothing/here.db", "/proc/nothing"),
        ("postgres://amar:hunter2@127.0.0.1:1/amar", "127.0.0.1"),
        ("sqlite:///notes.db", "notes.db"),
    ],
)
def test_a_database_that_cannot_be_opened_is_refused_in_one_line(tmp_path: Path, url: str, refusal: str) -> None:
    (tmp_path / "notes.db").write_text("not a database\n" * 100)
    told = Program(folder=tmp_path, settings={"DATABASE_URL": url}).refusal("migrate")
    assert told.startswith("amarevents: ")
    assert refusal in told
    assert "hunter2" not in told
    assert (tmp_path / "notes.db").read_text() == "not a database\n" * 100


# Before any database is looked at: in this process, which is quicker --------------------------------------------


def _exit(*arguments: str) -> object:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code


WRONG_SETTINGS = [
    (["serve", "--workers", "2"], {}, "2 workers need Redis, .*AMAREVENTS_REDIS_URL"),
    (["serve"], {"WORKERS": "3"}, "3 workers need Redis"),
    (["serve"], {"LOG_LEVEL": "loud"}, "AMAREVENTS_LOG_LEVEL must be critical, "),
    (["serve", "--port", "99999"], {}, "AMAREVENTS_PORT must be"),
    (["serve", "--workers", "0"], {}, "AMAREVENTS_WORKERS must be"),
    (["migrate"], {"DATABASE_URL": "mysql://x"}, "AMAREVENTS_DATABASE_URL must be"),
    (["migrate"], {"RATE_LIMITS": "1"}, "AMAREVENTS_RATE_LIMITS: no such setting"),
]


@pytest.mark.parametrize(("arguments", "settings", "told"), WRONG_SETTINGS)
def test_wrong_settings_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], settings: dict[str, str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(f"AMAREVENTS_{name}", value)
    assert re.fullmatch(f"amarevents: {told}.*", str(_exit(*arguments)))


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["unknown"], ["serve", "--unknown"], ["create-key", "--email", "a@example.com", "--type", "root"]),
        *(["create-admin", *ADMIN[:-1]], ["create-admin", *ADMIN, "--password", PASSWORD]),
        *(["create-plan"], ["update-plan", "--price", "1"], ["delete-plan"], ["delete-plan", "--id", "x"]),
        *(["create-plan", "--name", "Gold", option, "x"] for option in ("--price", "--event-limit", "--features")),
    ],
)
def test_what_is_not_understood_exits_with_2_and_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert _exit(*arguments) == 2
    assert capsys.readouterr().err.startswith("usage: amarevents")


def test_help_names_every_command_and_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit("--help") == 0
    told = capsys.readouterr().out
    assert [name for name in COMMANDS if not re.search(rf"^ +{name}\s+\w+ \w+", told, re.MULTILINE)] == []


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit("--version") == 0
    assert capsys.readouterr().out == f"amarevents {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_is_a_sentence_and_explains_its_options(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert _exit(command, "--help") == 0
    told = capsys.readouterr().out
    assert re.search(r"\n\n[A-Z][^\n]+", told)
    options = re.findall(r"^  (--[a-z-]+)(.*(?:\n {20,}.*)*)", told, re.MULTILINE)
    assert [name for name, rest in options if not re.search(r"[a-z]{2,} [a-z]+", rest)] == []


# serve --demo ---------------------------------------------------------------------------------------------------


def _credentials(printed: str) -> dict[str, str]:
    """What the demo says to log in with, by its label."""
    found = re.findall(r"^  (login|user key|organizer key|admin key) +(.+)$", printed, re.MULTILINE)
    return dict(found)


def test_the_demo_starts_twice_in_a_row_and_keeps_its_data(program: Program) -> None:
    with program.serving("--demo") as server:
        first = _credentials(server.printed())
        total = server.client.get("/api/events").json()["pagination"]["total"]
        key = {"Authorization": f"Bearer {first['admin key']}"}
        plan = server.client.post("/api/keys", json={"name": "kept", "key_type": "admin"}, headers=key)
        assert (total > 5, plan.status_code) == (True, 201)
    with program.serving("--demo") as server:
        second = _credentials(server.printed())
        assert set(first) == set(second) == {"login", "user key", "organizer key", "admin key"}
        assert server.client.get("/api/events").json()["pagination"]["total"] == total
        assert "The database was empty" not in server.printed()
        for kind in ("user", "organizer", "admin"):
            key = {"Authorization": f"Bearer {second[f'{kind} key']}"}
            assert server.client.get("/api/auth/me", headers=key).json()["data"]["auth"]["key_type"] == kind
        names = [one["name"] for one in server.client.get("/api/keys", headers=key).json()["data"]]
        assert "kept" in names
        email, password, whose = second["login"].split()
        assert whose == "(organizer)"
        login = server.client.post("/api/auth/login", json={"email": email, "password": password})
        assert login.status_code == 200


@pytest.mark.backend("sqlite")
def test_the_demo_hands_out_nothing_of_a_database_with_users_of_its_own(ready: Program) -> None:
    with ready.serving("--demo") as server:
        assert _credentials(server.printed()) == {}
        assert "ae_" not in server.printed()
        assert server.client.get("/api/events").json()["pagination"]["total"] == 0
        assert "/graphql (open this in a browser to try it)" in server.printed()


# A database that goes away --------------------------------------------------------------------------------------


@pytest.mark.backend("postgres")
def test_a_server_outlives_its_database(tmp_path: Path) -> None:
    with private_postgres() as postgres:
        program = Program(folder=tmp_path, settings={"DATABASE_URL": postgres.create_database()})
        program.printed("migrate")
        with program.serving() as server:
            postgres.stop()
            assert server.client.get("/healthz").status_code == 503
            answer = server.client.get("/api/events")
            assert (answer.status_code, answer.json()["code"]) == (500, "UNAVAILABLE")
            postgres.start()
            assert {server.client.get("/healthz").status_code for _ in range(3)} == {200}
            assert server.client.get("/api/events").status_code == 200


@pytest.mark.backend("postgres")
def test_several_workers_share_their_limits_through_redis(program: Program, redis_url: str) -> None:
    settings = {**program.settings, "REDIS_URL": redis_url, "RATE_LIMIT_ANONYMOUS": "7"}
    program.printed("migrate")
    with Program(folder=program.folder, settings=settings).serving("--workers", "2") as server:
        statuses = []
        for _ in range(12):
            answer = server.client.get("/api/events", headers={"Connection": "close"})
            statuses.append(answer.status_code)
    assert statuses == [200] * 7 + [429] * 5
