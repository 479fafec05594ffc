"""The parsing of the command line, its errors and its help, called in this process for speed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from amarevents import __version__
from amarevents.cli.main import main
from tests.cli.conftest import ADMIN, PASSWORD

COMMANDS = [
    *("serve", "migrate", "seed", "settings", "create-admin", "create-key", "confirm-email", "outbox"),
    *("plans", "create-plan", "update-plan", "delete-plan", "completion"),
]


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def _exit(*arguments: str) -> object:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code


INVALID_SETTINGS = [
    (["serve", "--workers", "2"], {}, "2 workers need Redis, .*AMAREVENTS_REDIS_URL"),
    (["serve"], {"WORKERS": "3"}, "3 workers need Redis"),
    (["serve"], {"LOG_LEVEL": "loud"}, "AMAREVENTS_LOG_LEVEL must be critical, "),
    (["serve", "--port", "99999"], {}, "AMAREVENTS_PORT must be"),
    (["serve", "--workers", "0"], {}, "AMAREVENTS_WORKERS must be"),
    (["migrate"], {"DATABASE_URL": "mysql://x"}, "AMAREVENTS_DATABASE_URL must be"),
    (["migrate"], {"RATE_LIMITS": "1"}, "AMAREVENTS_RATE_LIMITS: no such setting"),
]


@pytest.mark.parametrize(("arguments", "settings", "refusal"), INVALID_SETTINGS)
def test_error_for_invalid_settings_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], settings: dict[str, str], refusal: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(f"AMAREVENTS_{name}", value)
    assert re.fullmatch(f"amarevents: {refusal}.*", str(_exit(*arguments)))


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            [],
            ["unknown"],
            ["serve", "--unknown"],
            ["confirm-email", "--email", "a\udcff@example.com"],
            ["create-key", "--email", "a@example.com", "--type", "root"],
        ),
        *(["create-admin", *ADMIN[:-1]], ["create-admin", *ADMIN, "--password", PASSWORD]),
        *(["create-plan"], ["update-plan", "--price", "1"], ["delete-plan"], ["delete-plan", "--id", "x"]),
        *(["create-plan", "--name", "Gold", option, "x"] for option in ("--price", "--event-limit", "--features")),
    ],
)
def test_invalid_arguments_exit_with_2_and_print_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert _exit(*arguments) == 2
    usage, message, hint = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"Usage: amarevents( [a-z-]+ \[OPTIONS\]| COMMAND)", usage)
    assert re.fullmatch(r"amarevents: [A-Z].+\W", message)
    assert re.fullmatch(r"See 'amarevents( [a-z-]+)? --help'\.", hint)


def test_help_describes_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit("--help") == 0
    page = capsys.readouterr().out
    assert [name for name in COMMANDS if not re.search(rf"^│ {name}\s+\w+ \w+", page, re.MULTILINE)] == []


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit("--version") == 0
    assert capsys.readouterr().out == f"amarevents {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_describes_it_and_its_options(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert _exit(command, "--help") == 0
    page = capsys.readouterr().out
    assert re.search(r"\n\n[A-Z][^\n]+\.\n", page)
    options = re.findall(r"^│ [* ]*(--[a-z-]+)(.*)$", page, re.MULTILINE)
    assert [name for name, rest in options if not re.search(r"[a-z]{2,} [a-z]+", rest)] == []


@pytest.mark.parametrize("page", [(), *((command,) for command in COMMANDS)], ids=str)
def test_help_fits_80_columns(capsys: pytest.CaptureFixture[str], page: tuple[str, ...]) -> None:
    assert _exit(*page, "--help") == 0
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 80


# In a separate process ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("from amarevents.cli.main import main; main(['--help'])", {"pydantic", "tortoise", "uvicorn", "strawberry"}),
        ("import amarevents.cli.serve", {"tortoise", "uvicorn", "strawberry", "amarevents.app", "amarevents.demo"}),
        ("import amarevents.app", {"amarevents.demo", "amarevents.rest.openapi.document"}),
        ("import amarevents.app", {"amarevents.schema.breaking_changes", "tortoise.migrations", "dns", "rich"}),
        ("import amarevents.cli.database", {"uvicorn", "strawberry", "starlette"}),
        ("import amarevents.cli.settings", {"tortoise", "uvicorn", "strawberry", "starlette"}),
    ],
)
def test_command_imports_only_what_it_needs(program: str, unwanted: set[str]) -> None:
    script = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {program}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert unwanted & set(done.stderr.split()) == set()


def test_package_can_be_run_as_the_command_line() -> None:
    command = [sys.executable, "-W", "error", "-m", "amarevents", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == f"amarevents {__version__}\n"
