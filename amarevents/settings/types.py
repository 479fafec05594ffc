"""The types of settings: what each accepts from a variable, and what it says of anything else."""

import re
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_settings import NoDecode

Network = IPv4Network | IPv6Network

_MAX_NUMBER = 2**31 - 1
_ADDRESS = re.compile(r"[!#-'*+/-9=?A-Z^-~-]+(?:\.[!#-'*+/-9=?A-Z^-~-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


def _accepts(values: str) -> WrapValidator:
    """Say what a setting accepts, in place of Pydantic's message."""

    def validate(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValueError(f"must be {values}") from error

    return WrapValidator(validate)


def number(minimum: int, maximum: int = _MAX_NUMBER) -> BeforeValidator:
    """Accept an integer of the range, or its ASCII digits without a sign."""

    def validate(value: object) -> int:
        text = str(value)
        is_short = text.isascii() and text.isdecimal() and len(text) <= len(str(maximum))
        if not is_short or not minimum <= int(text) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}")
        return int(text)

    return BeforeValidator(validate)


def _split(value: object) -> object:
    """Return the parts of comma-separated text, without surrounding space and without the empty ones."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _scheme(url: str) -> str | None:
    """Return the scheme of a URL, or None if the URL cannot be parsed."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed only when asked for
    except ValueError:
        return None
    return parts.scheme


def _url(*schemes: str, example: str) -> AfterValidator:
    def validate(value: str) -> str:
        if _scheme(value) not in schemes:
            raise ValueError(f"must be {example}")
        return value

    return AfterValidator(validate)


_CLUSTER = "+cluster"


def node_urls(url: str) -> list[str]:
    """Return the URL of a Redis server, or those of the nodes in the URL of a cluster."""
    scheme, _, address = url.partition("://")
    if not scheme.endswith(_CLUSTER):
        return [url]
    credentials, at, hosts = address.rpartition("@")
    return [f"{scheme.removesuffix(_CLUSTER)}://{credentials}{at}{host}" for host in hosts.split(",")]


def _redis_url(value: str) -> str:
    nodes = node_urls(value)
    if any(_scheme(url) not in {"redis", "rediss", "unix"} for url in nodes):
        raise ValueError("must be redis://host:port/database, rediss://…, unix://path or redis+cluster://host:port,…")
    if nodes != [value] and any(urlsplit(url).path or not urlsplit(url).hostname for url in nodes):
        raise ValueError("must be redis+cluster://host:port,host:port: a cluster has no numbered databases")
    return value


def _smtp_url(value: str) -> str:
    """Accept unencrypted credentials for this machine only."""
    if _scheme(value) not in {"smtp", "smtp+starttls", "smtps"} or not urlsplit(value).hostname:
        raise ValueError("must be smtp://host:port, smtp+starttls://user:password@host:587 or smtps://…@host:465")
    url = urlsplit(value)
    if url.path.strip("/") or url.query or url.fragment or (url.username is None) != (url.password is None):
        raise ValueError("must be a URL without a path, with user and password or neither, percent-encoded")
    if url.scheme == "smtp" and url.username is not None and not _is_loopback(url.hostname or ""):
        raise ValueError("must be smtp+starttls://… or smtps://…, or the password would be sent unencrypted")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _sender(value: str) -> str:
    """Accept any address that a mail server may use.

    email-validator does not fit: it refuses ``tickets@localhost``, ``….local`` and names in Bangla.
    """
    _, address = parseaddr(value)
    if not _ADDRESS.fullmatch(address) or not value.isprintable():
        raise ValueError("must be an email address, with or without a name: Amar <tickets@example.org>")
    return value


def _public_url(value: str) -> str:
    url = urlsplit(value) if _scheme(value) in {"http", "https"} else None
    if url is None or not url.hostname or url.query or url.fragment or "@" in url.netloc:
        raise ValueError("must be the http or https address of the platform, such as https://amarevents.example")
    return value.rstrip("/")


def normalize_origin(origin: str) -> str:
    """Return an origin in lower case and without the default port of its scheme, as browsers write it."""
    origin = origin.lower()
    return origin.removesuffix(":443" if origin.startswith("https:") else ":80")


def _origin(value: str) -> str:
    origin = normalize_origin(value.rstrip("/"))
    parts = urlsplit(origin) if _scheme(origin) in {"http", "https"} else None
    if parts is None or not parts.hostname or "@" in parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("not an origin")
    return origin


Flag = Annotated[bool, _accepts("true or false")]
Limit = Annotated[int, number(0)]
LogLevel = Annotated[
    Literal["critical", "error", "warning", "info", "debug"],
    BeforeValidator(_lower),
    _accepts("critical, error, warning, info or debug"),
]
DatabaseUrl = Annotated[
    str,
    _url(
        *("sqlite", "postgres", "postgresql"),
        example="sqlite:///path/to/file or postgres://user:password@host:port/database",
    ),
]
PostgresUrl = Annotated[str, _url("postgres", "postgresql", example="postgres://user:password@host:port/database")]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
SmtpUrl = Annotated[str, AfterValidator(_smtp_url)]
Origins = Annotated[
    frozenset[Annotated[str, AfterValidator(_origin)]],
    NoDecode,
    BeforeValidator(_split),
    _accepts("origins such as https://amarevents.example, separated by commas"),
]
Networks = Annotated[
    tuple[Network, ...],
    NoDecode,
    BeforeValidator(_split),
    _accepts("IP addresses or networks, separated by commas"),
]
TimeZone = Annotated[ZoneInfo, _accepts("a time zone name such as Asia/Dhaka")]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
Sender = Annotated[str, AfterValidator(_sender)]
