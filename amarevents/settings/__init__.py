"""The settings of a deployment, read once from ``AMAREVENTS_…`` environment variables and validated."""

import os
from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from pydantic_settings import PydanticBaseSettingsSource as Source

from amarevents.errors import OperatorError
from amarevents.settings.types import (
    DatabaseUrl,
    Flag,
    Limit,
    LogLevel,
    Network,
    Networks,
    Origins,
    PostgresUrl,
    PublicUrl,
    RedisUrl,
    Sender,
    SmtpUrl,
    TimeZone,
    node_urls,
    number,
)

__all__ = ["PREFIX", "Network", "Settings", "SettingsError", "node_urls", "variable_of"]

PREFIX = "AMAREVENTS_"
_MAX_SESSION_DAYS = 3650


class SettingsError(OperatorError):
    """A setting is missing or malformed; the message names the variable and what it accepts."""


def _default_public_url(settings: dict[str, str]) -> str:
    host = settings["host"]
    return f"http://{f'[{host}]' if ':' in host else host}:{settings['port']}"


class Settings(BaseSettings):
    """The settings of one deployment; the field ``x`` is read from the variable ``AMAREVENTS_X``.

    The docstring of a field is its help text. A field that may hold a password is not in the ``repr``.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )

    database_url: Annotated[DatabaseUrl, Field(repr=False)] = "sqlite:///data/amarevents.db"
    """`sqlite:///relative/file`, `sqlite:////absolute/file` or `postgres://user:password@host:port/database`."""

    database_pool_size: Annotated[int, number(1)] = 5
    """PostgreSQL connections per process. More are slower when many requests want the same places."""

    database_timeout_seconds: Annotated[int, number(1, 3600)] = 10
    """Seconds that a request waits for a database connection. PostgreSQL waits half as long for a lock, and cancels a
    statement after one and a half times as long."""

    database_transaction_pooling: Flag = False
    """The database URL is that of a connection pooler in transaction mode, such as PgBouncer: statements are not
    prepared, and each transaction sets its limits."""

    database_replica_url: Annotated[PostgresUrl | None, Field(repr=False)] = None
    """A streaming replica of the PostgreSQL database, which serves public lists and details to anonymous callers while
    it is less than half a second behind."""

    redis_url: Annotated[RedisUrl | None, Field(repr=False)] = None
    """`redis://host:port/0`, or some nodes of a cluster: `redis+cluster://host:port,host:port`. Shares the rate limits
    between processes; required for several workers."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: Annotated[int, number(0, 65535)] = 8000
    """Port to listen on."""

    workers: Annotated[int, number(1)] = 1
    """Server processes. More than one requires Redis."""

    keep_alive_seconds: Annotated[int, number(1, 3600)] = 75
    """Seconds for which an idle connection is kept open. Proxies must close idle connections earlier."""

    time_zone: TimeZone = ZoneInfo("Asia/Dhaka")
    """Time zone in which days begin and deadlines end."""

    cookie_secure: Flag = True
    """Send the session cookie over HTTPS only. `make run` switches this off for plain HTTP on loopback."""

    session_days: Annotated[int, number(1, _MAX_SESSION_DAYS)] = 14
    """Days until a login expires."""

    allowed_origins: Origins = frozenset()
    """Other origins whose pages may send the session cookie and read the responses, such as `https://app.example`;
    comma-separated."""

    trusted_proxies: Networks = ()
    """Addresses or networks of proxies whose `X-Forwarded-For` is trusted; comma-separated."""

    max_body_bytes: Annotated[int, number(1024)] = 524288
    """Maximum size of a REST request body in bytes. The default fits an event with four texts of 20,000 characters."""

    graphql_max_bytes: Annotated[int, number(1024)] = 65536
    """Maximum size in bytes of a GraphQL request body and of a WebSocket message."""

    graphql_timeout_seconds: Annotated[int, number(1, 3600)] = 10
    """Seconds after which a GraphQL operation that is still running is cancelled."""

    graphql_introspection: Flag = True
    """Allow GraphQL introspection, and suggest field names for misspelled ones."""

    graphql_explorer: Flag = True
    """Show browsers the GraphQL explorer at `/graphql`."""

    smtp_url: Annotated[SmtpUrl | None, Field(repr=False)] = None
    """Mail server: `smtp://host:port` (encrypted if the server offers it), `smtp+starttls://user:password@host:587` or
    `smtps://user:password@host:465`. Without one, emails are held in the outbox."""

    mail_from: Sender | None = None
    """Sender of the emails, such as `Amar Events <tickets@example.org>`. Required with a mail server."""

    public_url: PublicUrl = Field(default_factory=_default_public_url)
    """Base URL of the links in emails, such as `https://amarevents.example`. Defaults to `http://HOST:PORT`."""

    confirm_email: Flag | None = None
    """Count tickets as an account's by its email address only after that address has been confirmed, by the link in
    the registration email or with `amarevents confirm-email`. Defaults to `true`, except for a database with the demo
    data."""

    rate_limit_user: Limit = 60
    """Requests per minute for each user key. 0 switches off any of the limits."""

    rate_limit_organizer: Limit = 120
    """Requests per minute for each organizer key."""

    rate_limit_admin: Limit = 300
    """Requests per minute for each admin key."""

    rate_limit_session: Limit = 600
    """Requests per minute for all sessions of an account together."""

    rate_limit_account: Limit = 3_000
    """Requests per minute for all keys of an account together."""

    rate_limit_anonymous: Limit = 600
    """Requests per minute without credentials, for each client address."""

    rate_limit_registrations: Limit = 120
    """Registrations per minute without credentials, for each client address."""

    rate_limit_failed_logins: Limit = 30
    """Failed logins per minute, and counted separately, requests for a link to reset a password, for each client
    address. Successful logins do not count."""

    rate_limit_donations: Limit = 60
    """Donations per minute without credentials, for each client address."""

    failed_logins: Limit = 10
    """Failed logins per email address in 15 minutes, from all addresses. Successful ones do not count."""

    mails_per_recipient: Limit = 10
    """Emails per hour to one address about registrations made by others, and to reset the password of one account. Any
    more of the former are held in the outbox; any more of the latter are not sent."""

    hold_minutes: Limit = 1440
    """Minutes for which an unpaid ticket without a transaction ID holds its place, unless the event says otherwise.
    0 holds it until the organizer decides."""

    places_per_account: Limit = 20
    """Places that one account can hold of an event, unless the event says otherwise. Its owner and admins are not
    limited. 0 switches the limit off."""

    registration_concurrency: Limit = 4
    """Registrations that a process works on at once, because all of them want the same places; others wait for their
    turn. 0 switches the limit off."""

    registration_queue: Limit = 500
    """Registrations that wait in a process. Any more are answered with status 503 at once. 0 lets any number wait."""

    totals_seconds: Annotated[int, number(0, 3600)] = 5
    """Seconds for which the total of a list is cached, unless a write changes it. 0 switches the cache off."""

    public_cache_seconds: Annotated[int, number(0, 60)] = 1
    """Seconds for which public answers to requests without credentials are kept, unless a write changes them. 0
    switches the cache off."""

    principal_seconds: Annotated[int, number(0, 3600)] = 10
    """Seconds for which a process remembers who an API key or a session belongs to. Revocations and other changes apply
    at once nevertheless; only if the process that makes them cannot reach Redis may others take this long. 0 reads it
    from the database at each request."""

    argon2_time_cost: Annotated[int, number(1)] = 2
    """Number of Argon2id passes for a password hash. Existing hashes are renewed at the next login."""

    argon2_memory_kib: Annotated[int, number(8)] = 19456
    """Memory for a password hash in KiB. Existing hashes are renewed at the next login."""

    log_level: LogLevel = "info"
    """`critical`, `error`, `warning`, `info` or `debug`."""

    @model_validator(mode="after")
    def _require_sender(self) -> "Settings":
        if self.smtp_url is not None and self.mail_from is None:
            raise ValueError(f"{PREFIX}MAIL_FROM is required with {PREFIX}SMTP_URL")
        return self

    @model_validator(mode="after")
    def _require_primary(self) -> "Settings":
        if self.database_replica_url is not None and not self.on_postgres:
            raise ValueError(f"{PREFIX}DATABASE_REPLICA_URL requires a PostgreSQL database in {PREFIX}DATABASE_URL")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: Source,
        env_settings: Source,  # noqa: ARG003
        dotenv_settings: Source,  # noqa: ARG003
        file_secret_settings: Source,  # noqa: ARG003
    ) -> tuple[Source, ...]:
        """Read the environment in ``from_environment`` only: ``Settings()`` has the defaults anywhere."""
        return (init_settings,)

    @property
    def on_postgres(self) -> bool:
        return not self.database_url.startswith("sqlite")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; empty variables count as unset.

        Raises SettingsError with the name of the variable that is malformed or unknown: a misspelled name
        must not pass unnoticed.
        """
        variables = os.environ if environment is None else environment
        given = {name: value.strip() for name, value in variables.items() if name.startswith(PREFIX)}
        if unknown := sorted(given.keys() - {variable_of(field) for field in cls.model_fields}):
            raise SettingsError(f"{', '.join(unknown)}: no such setting")
        source = EnvSettingsSource(cls)
        source.env_vars = {name.lower(): value for name, value in given.items() if value}
        try:
            return cls.model_validate(source())
        except ValidationError as error:
            raise SettingsError(_message(error)) from error


def variable_of(field: str) -> str:
    """Return the name of the environment variable of a field."""
    return f"{PREFIX}{field.upper()}"


def _message(error: ValidationError) -> str:
    """Return the message of the first error, which begins with the name of its variable."""
    first = error.errors(include_url=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    return f"{variable_of(str(first['loc'][0]))} {message}" if first["loc"] else message
