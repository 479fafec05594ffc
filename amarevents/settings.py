"""The settings of a deployment, read once from ``AMAREVENTS_…`` environment variables and validated."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "AMAREVENTS_"

Network = IPv4Network | IPv6Network


class SettingsError(ValueError):
    """A setting is missing or malformed; the message names the variable and what it accepts."""


_MAX_NUMBER = 2**31 - 1
_MAX_SESSION_DAYS = 3650
_ADDRESS = re.compile(r"[!#-'*+/-9=?A-Z^-~-]+(?:\.[!#-'*+/-9=?A-Z^-~-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_LOG_LEVELS = ("critical", "error", "warning", "info", "debug")


def _text(value: str) -> str:
    return value


def _log_level(value: str) -> str:
    if value.lower() not in _LOG_LEVELS:
        raise SettingsError(f"must be {', '.join(_LOG_LEVELS[:-1])} or {_LOG_LEVELS[-1]}")
    return value.lower()


def _flag(value: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if value.lower() not in known:
        raise SettingsError("must be true or false")
    return known[value.lower()]


def _number(minimum: int, maximum: int = _MAX_NUMBER) -> Callable[[str], int]:
    def parse(value: str) -> int:
        is_short = value.isascii() and value.isdecimal() and len(value) <= len(str(maximum))
        if not is_short or not minimum <= int(value) <= maximum:
            raise SettingsError(f"must be a whole number from {minimum} to {maximum}")
        return int(value)

    return parse


def _scheme(url: str) -> str | None:
    """None where the url cannot be taken apart."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed only when asked for
    except ValueError:
        return None
    return parts.scheme


def _database_url(value: str) -> str:
    if _scheme(value) not in {"sqlite", "postgres", "postgresql"}:
        raise SettingsError("must be sqlite:///path/to/file or postgres://user:password@host:port/database")
    return value


def _redis_url(value: str) -> str:
    if _scheme(value) not in {"redis", "rediss", "unix"}:
        raise SettingsError("must be redis://host:port/database, rediss://… or unix://path")
    return value


def _smtp_url(value: str) -> str:
    """Credentials in the clear are for this very machine alone."""
    if _scheme(value) not in {"smtp", "smtp+starttls", "smtps"} or not urlsplit(value).hostname:
        raise SettingsError("must be smtp://host:port, smtp+starttls://user:password@host:587 or smtps://…@host:465")
    url = urlsplit(value)
    if url.path.strip("/") or url.query or url.fragment or (url.username is None) != (url.password is None):
        raise SettingsError("must be a URL without a path, with user and password or neither, percent-encoded")
    if url.scheme == "smtp" and url.username is not None and not _is_loopback(url.hostname or ""):
        raise SettingsError("must be smtp+starttls://… or smtps://…, or the password would be sent in the clear")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _sender(value: str) -> str:
    _, address = parseaddr(value)
    if not _ADDRESS.fullmatch(address) or not value.isprintable():
        raise SettingsError("must be an address, with or without a name: Amar Events <tickets@example.org>")
    return value


def _public_url(value: str) -> str:
    url = urlsplit(value) if _scheme(value) in {"http", "https"} else None
    if url is None or not url.hostname or url.query or url.fragment or "@" in url.netloc:
        raise SettingsError("must be the http or https address of the platform, such as https://amarevents.example")
    return value.rstrip("/")


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError("must be a time zone name such as Asia/Dhaka") from error


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise SettingsError("must be IP addresses or networks, separated by commas") from error


def _origins(value: str) -> frozenset[str]:
    origins = frozenset(part.strip().rstrip("/").lower() for part in value.split(",") if part.strip())
    for origin in origins:
        scheme = _scheme(origin)
        if scheme not in {"http", "https"} or not urlsplit(origin).hostname or origin != _origin_of(origin):
            raise SettingsError("must be origins such as https://amarevents.example, separated by commas")
    return origins


def _origin_of(url: str) -> str:
    """Scheme, host and port alone: what a browser calls the origin of a page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _setting(parse: Callable[[str], Any], default: Any, help_text: str, *, secret: bool = False) -> Any:
    # Any: dataclasses.field() is typed by its default, which differs for every setting.
    return field(default=default, metadata={"parse": parse, "help": help_text, "secret": secret}, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One deployment's settings: field ``x`` is read from ``AMAREVENTS_X``. Rates are per minute, 0 is off."""

    database_url: str = _setting(
        _database_url, "sqlite:///data/amarevents.db", "sqlite:///FILE or postgres://…", secret=True
    )
    database_pool_size: int = _setting(_number(1), 5, "PostgreSQL connections per process")
    redis_url: str | None = _setting(
        _redis_url, None, "redis://…; shares the rate limits, needed for several workers", secret=True
    )
    host: str = _setting(_text, "127.0.0.1", "address to listen on")
    port: int = _setting(_number(0, 65535), 8000, "port to listen on")
    workers: int = _setting(_number(1), 1, "server processes; more than one needs Redis")
    time_zone: ZoneInfo = _setting(_zone, ZoneInfo("Asia/Dhaka"), "in which days begin and deadlines end")
    cookie_secure: bool = _setting(_flag, True, "session cookie over https only")
    session_days: int = _setting(_number(1, _MAX_SESSION_DAYS), 14, "days that a login lasts")
    allowed_origins: frozenset[str] = _setting(
        _origins, frozenset(), "further origins from which a session may change something, comma-separated"
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        _networks, (), "proxies whose X-Forwarded-For is believed: addresses or networks, comma-separated"
    )
    max_body_bytes: int = _setting(_number(1024), 65536, "largest request body")
    graphql_timeout_seconds: int = _setting(
        _number(1, 3600), 10, "seconds after which what a GraphQL operation still waits for is given up"
    )
    graphql_introspection: bool = _setting(
        _flag, True, "GraphQL tells its schema, and what may have been meant by a misspelt name"
    )
    graphql_explorer: bool = _setting(_flag, True, "browsers get a page at /graphql to try queries on")
    smtp_url: str | None = _setting(
        _smtp_url, None, "smtp://…, smtp+starttls://… or smtps://…: the server that mails are sent by", secret=True
    )
    mail_from: str | None = _setting(_sender, None, "sender of the mails; required with an SMTP server")
    public_url: str = _setting(_public_url, None, "where the links in mails lead (http://HOST:PORT)")
    confirm_email: bool = _setting(
        _flag,
        None,
        "tickets count as an account's by their email only once that email is confirmed (true with an SMTP server)",
    )
    rate_limit_user: int = _setting(_number(0), 60, "requests per user key, and per session of a user")
    rate_limit_organizer: int = _setting(_number(0), 120, "requests per organizer key, and per session of an organizer")
    rate_limit_admin: int = _setting(_number(0), 300, "requests per admin key, and per session of an admin")
    rate_limit_anonymous: int = _setting(_number(0), 600, "requests without credentials per client address")
    rate_limit_credentials: int = _setting(_number(0), 10, "logins and registrations per client address")
    rate_limit_donations: int = _setting(_number(0), 20, "donations per client address")
    failed_logins: int = _setting(_number(0), 10, "failed logins per email in 15 minutes")
    mails_per_recipient: int = _setting(
        _number(0), 10, "mails in an hour to one address about registrations that others have made; 0 = unlimited"
    )
    totals_seconds: int = _setting(
        _number(0, 3600), 5, "seconds that the total of a list is remembered, unless a write changes it; 0 = never"
    )
    argon2_time_cost: int = _setting(_number(1), 2, "Argon2id passes over the memory")
    argon2_memory_kib: int = _setting(_number(8), 19456, "Argon2id memory per hash in KiB")
    log_level: str = _setting(_log_level, "info", "critical, error, warning, info or debug")

    def __post_init__(self) -> None:
        """Fill in the defaults that depend on other settings. Raises SettingsError for mails without a sender."""
        if self.smtp_url is not None and self.mail_from is None:
            raise SettingsError(f"{PREFIX}MAIL_FROM is required with {PREFIX}SMTP_URL")
        host = f"[{self.host}]" if ":" in self.host else self.host
        derived = {"public_url": f"http://{host}:{self.port}", "confirm_email": self.smtp_url is not None}
        for name, value in derived.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)  # the instance is frozen, but not made yet

    @property
    def on_postgres(self) -> bool:
        return not self.database_url.startswith("sqlite")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; empty variables count as unset.

        Raises SettingsError naming the variable that is malformed or, so that a typing error never passes
        silently, unknown.
        """
        source = {k: v for k, v in (os.environ if environment is None else environment).items() if k.startswith(PREFIX)}
        known = {PREFIX + spec.name.upper(): spec for spec in fields(cls)}
        if unknown := sorted(source.keys() - known.keys()):
            raise SettingsError(f"{', '.join(unknown)}: no such setting")
        values = {}
        for variable, spec in known.items():
            if not source.get(variable, "").strip():
                continue
            try:
                values[spec.name] = spec.metadata["parse"](source[variable].strip())
            except SettingsError as error:
                raise SettingsError(f"{variable} {error}") from error
        return cls(**values)
