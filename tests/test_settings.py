"""The settings, read from environment variables and validated, and their page in the documentation."""

from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from amarevents.models.db.connection import tortoise_config
from amarevents.settings import PREFIX, Settings, SettingsError, node_urls, variable_of
from tests.support.tables import check_rows

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
FLAGS = ("COOKIE_SECURE", "CONFIRM_EMAIL", "GRAPHQL_INTROSPECTION", "GRAPHQL_EXPLORER")
MALFORMED = [
    *[("DATABASE_URL", url) for url in ("mysql://localhost/x", "data.db", "postgres://[::1", "postgres://h:port/db")],
    *[("REDIS_URL", url) for url in ("http://localhost", "localhost:6379", "redis://h:port/0", "redis://[::1")],
    *[("REDIS_URL", f"redis+cluster://{nodes}") for nodes in ("", "a:1,", "a:1/0,b:2", "a:1,b:2/1", "a:1,b:x")],
    *[
        ("SMTP_URL", url)
        for url in ("http://h", "smtp://", "smtps://h:port", "smtp://h/x", "smtps://user@h", "smtp://[::1")
    ],
    *[
        ("SMTP_URL", url)
        for url in ("smtp://u:p@mail.example", "smtp://u:p@10.0.0.1", "smtp://h?x=1", "mail.example:25")
    ],
    *[("MAIL_FROM", text) for text in ("Amar Events", "a@b@c", "a b@example.org", "ä@example.org", "x <>")],
    *[("MAIL_FROM", text) for text in ("a@example.org\nBcc: b@example.org", "a\r@example.org")],
    *[("PUBLIC_URL", url) for url in ("amarevents.example", "ftp://a.example", "https://", "https://a.example/?x=1")],
    *[("PORT", port) for port in ("65536", "-1", "http", "80.5", "٨٠", "9" * 5000)],
    *[("WORKERS", number) for number in ("0", "two", "1e3", "+1", str(2**31))],
    *[("DATABASE_POOL_SIZE", "0"), ("SESSION_DAYS", "0"), ("SESSION_DAYS", "1000000"), ("MAX_BODY_BYTES", "1023")],
    *[("TIME_ZONE", zone) for zone in ("Dhaka", "Asia/Atlantis", "../etc/passwd", "/etc/passwd")],
    *[(flag, value) for flag in FLAGS for value in ("maybe", "2", "tru")],
    *[("ALLOWED_ORIGINS", origin) for origin in ("a.example", "ftp://a.example", "https://a.example/page", "https://")],
    *[("ALLOWED_ORIGINS", origin) for origin in ("https://a.example?x", "https://me@a.example", "https://[::1", "*")],
    *[("TRUSTED_PROXIES", network) for network in ("proxy.local", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1;10.0.0.2")],
    *[("GRAPHQL_TIMEOUT_SECONDS", number) for number in ("0", "0.5", "3601")],
    *[(f"RATE_LIMIT_{kind}", "-1") for kind in ("USER", "ORGANIZER", "ADMIN", "ANONYMOUS", "SESSION", "ACCOUNT")],
    *[(f"RATE_LIMIT_{kind}", "-1") for kind in ("REGISTRATIONS", "FAILED_LOGINS", "DONATIONS")],
    ("KEEP_ALIVE_SECONDS", "0"),
    *[("FAILED_LOGINS", "many"), ("ARGON2_TIME_COST", "0"), ("ARGON2_MEMORY_KIB", "7"), ("LOG_LEVEL", "loud")],
]


def _read(**variables: str) -> Settings:
    return Settings.from_environment({PREFIX + name: value for name, value in variables.items()})


@pytest.mark.parametrize(("name", "value"), MALFORMED, ids=lambda text: text[:30])
def test_error_for_a_malformed_value_names_the_variable_and_accepted_values(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^AMAREVENTS_{name} must be "):
        _read(**{name: value})


def test_error_does_not_repeat_a_value_that_can_be_secret() -> None:
    with pytest.raises(SettingsError) as refusal:
        _read(DATABASE_URL="postgress://amar:hunter2@db/amar")
    assert "hunter2" not in str(refusal.value)


def test_unknown_settings_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"^AMAREVENTS_RATELIMIT_USER, AMAREVENTS_WORKER: no such setting$"):
        _read(WORKER="2", RATELIMIT_USER="5", PORT="80")


def test_variables_without_the_prefix_are_ignored() -> None:
    assert Settings.from_environment({"PATH": "/bin", "PORT": "x"}) == Settings()


@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_variables_count_as_unset(empty: str) -> None:
    assert _read(REDIS_URL=empty, WORKERS=empty, TIME_ZONE=empty) == Settings()


def test_well_formed_values_are_read() -> None:
    settings = _read(
        DATABASE_URL="postgresql://u:p@h:5433/db",
        REDIS_URL="rediss://h/1",
        TIME_ZONE="Europe/Berlin",
        COOKIE_SECURE="False",
        ALLOWED_ORIGINS=" https://App.example/ , http://localhost:3000, https://b.example:443,",
        TRUSTED_PROXIES="10.0.0.0/8, ::1",
        RATE_LIMIT_USER="0",
        LOG_LEVEL="DEBUG",
        PORT=" 0 ",
    )
    assert settings.on_postgres
    assert settings.redis_url == "rediss://h/1"
    assert settings.time_zone == ZoneInfo("Europe/Berlin")
    assert settings.cookie_secure is False
    assert settings.allowed_origins == {"https://app.example", "http://localhost:3000", "https://b.example"}
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert (settings.rate_limit_user, settings.log_level, settings.port) == (0, "debug", 0)


@pytest.mark.parametrize(
    ("url", "nodes"),
    [
        ("redis://h/1", ["redis://h/1"]),
        ("redis+cluster://a:7000", ["redis://a:7000"]),
        ("rediss+cluster://u:p@a:7000,[::1]:7001", ["rediss://u:p@a:7000", "rediss://u:p@[::1]:7001"]),
    ],
)
def test_url_of_a_cluster_names_some_of_its_nodes(url: str, nodes: list[str]) -> None:
    settings = _read(REDIS_URL=url)
    assert settings.redis_url is not None
    assert node_urls(settings.redis_url) == nodes


def test_replica_requires_a_postgres_primary() -> None:
    with pytest.raises(SettingsError, match="DATABASE_REPLICA_URL requires a PostgreSQL database"):
        _read(DATABASE_REPLICA_URL="postgres://h/db")
    with pytest.raises(SettingsError, match=r"^AMAREVENTS_DATABASE_REPLICA_URL must be "):
        _read(DATABASE_REPLICA_URL="sqlite:///x.db", DATABASE_URL="postgres://h/db")


@pytest.mark.parametrize("text", ["true", "1", "YES", "on"])
def test_flag_is_true_in_the_usual_spellings(text: str) -> None:
    assert _read(CONFIRM_EMAIL=text).confirm_email is True


@pytest.mark.parametrize("text", ["false", "0", "No", "off"])
def test_flag_is_false_in_the_usual_spellings(text: str) -> None:
    assert _read(COOKIE_SECURE=text).cookie_secure is False


def test_defaults_are_safe_for_production() -> None:
    settings = Settings()
    assert (settings.workers, settings.redis_url, settings.on_postgres) == (1, None, False)
    assert (settings.cookie_secure, settings.host, settings.trusted_proxies) == (True, "127.0.0.1", ())
    assert settings.time_zone == ZoneInfo("Asia/Dhaka")


def test_repr_contains_no_secret() -> None:
    settings = _read(
        DATABASE_URL="postgres://amar:hunter2@db/amar",
        REDIS_URL="redis://:hunter3@cache/0",
        SMTP_URL="smtps://amar:hunter4@mail.example",
        MAIL_FROM="tickets@example.org",
    )
    assert "hunter" not in repr(settings)
    assert "time_zone" in repr(settings)


def test_settings_have_descriptions_and_urls_with_passwords_are_secret() -> None:
    settings = Settings.model_fields
    assert [name for name, field in settings.items() if not field.description] == []
    secret = {"database_url", "database_replica_url", "redis_url", "smtp_url"}
    assert {name for name, field in settings.items() if not field.repr} == secret


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc] # what the test is about


def test_only_from_environment_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}PORT", "8080")
    assert (Settings().port, Settings.from_environment().port) == (8000, 8080)


def test_dotenv_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(f"{PREFIX}PORT=8080\n")
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}).port == 8000


def test_settings_given_by_name_are_validated() -> None:
    assert Settings(redis_url=None, workers=2).workers == 2
    with pytest.raises(ValidationError, match="must be a whole number from 1 to"):
        Settings(workers=0)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "postgres://h/db?sslrootcert=x"])
def test_unsupported_database_url_is_refused_with_the_variable(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^AMAREVENTS_DATABASE_URL "):
        tortoise_config(_read(DATABASE_URL=url))


# Email ----------------------------------------------------------------------------------------------------------

SENDER = "Amar Events <tickets@example.org>"


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.example:25",
        "smtp+starttls://u:p%40@mail.example:587",
        "smtps://u:p@mail.example",
        "smtp://u:p@[::1]",
    ],
)
def test_smtp_settings_are_read(url: str) -> None:
    settings = _read(SMTP_URL=url, MAIL_FROM=SENDER)
    assert (settings.smtp_url, settings.mail_from) == (url, SENDER)


def test_smtp_server_requires_a_sender() -> None:
    with pytest.raises(SettingsError, match=r"^AMAREVENTS_MAIL_FROM is required with AMAREVENTS_SMTP_URL$"):
        _read(SMTP_URL="smtp://mail.example")


def test_the_database_decides_by_default_whether_emails_are_confirmed() -> None:
    # decisions 6.7
    assert _read().confirm_email is None
    assert _read(CONFIRM_EMAIL="false").confirm_email is False


def test_public_url_is_the_address_of_the_server_by_default() -> None:
    assert _read(PORT="8080").public_url == "http://127.0.0.1:8080"
    assert _read(HOST="::1").public_url == "http://[::1]:8000"
    assert _read(PUBLIC_URL="https://amarevents.example/").public_url == "https://amarevents.example"


@pytest.mark.parametrize("sender", ["tickets@localhost", "আমার ইভেন্ট <tickets@example.org>", "Amar <a@mail.local>"])
def test_sender_can_have_a_name_in_any_script_and_a_local_domain(sender: str) -> None:
    assert _read(MAIL_FROM=sender).mail_from == sender


# Documentation --------------------------------------------------------------------------------------------------


def _row(name: str) -> str:
    """Return the row of a setting in the table of the documentation: its variable, default and description."""
    field = Settings.model_fields[name]
    value = field.get_default()
    shown = ("true" if value else "false") if isinstance(value, bool) else value
    default = "derived" if field.default_factory else f"`{shown}`" if shown not in (None, (), frozenset()) else "none"
    return f"| `{variable_of(name)}` | {default} | {' '.join((field.description or '').split())} |"


def test_documentation_lists_every_setting_with_its_default() -> None:
    table = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{PREFIX}")]
    rows = [_row(name) for name in Settings.model_fields]
    check_rows("docs/settings.md", table, rows)
    assert table == rows, "docs/settings.md must list the settings in the order of amarevents/settings.py"
