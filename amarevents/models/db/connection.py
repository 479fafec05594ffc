"""The database connection: its configuration, opening it, health checks and constraint violations."""

import asyncio
import pkgutil
import re
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext, get_current_context
from tortoise.exceptions import IntegrityError, OperationalError

from amarevents.errors import OperatorError
from amarevents.models.db.engines.errors import DatabaseBusy, DatabaseUnavailable
from amarevents.models.db.engines.postgres import GuardedPostgresClient
from amarevents.settings import Settings, SettingsError, variable_of

__all__ = [
    "CONNECTION",
    "MIGRATIONS",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "SchemaOutdated",
    "applied_migrations",
    "client_of",
    "database_is_ready",
    "open_database",
    "require_file",
    "session_options",
    "tortoise_config",
    "unapplied_migrations",
    "violated_table",
    "violates",
]

CONNECTION = "default"
MIGRATIONS = "amarevents.models.migrations"

# In seconds. What waits for other requests is limited by a setting instead.
CONNECT_SECONDS = 5.0
IDLE_TRANSACTION_SECONDS = 60
PROBE_SECONDS = 2.0
REPLICA_SECONDS = 1.0  # after which the primary is asked instead

POSTGRES_OPTIONS = {"ssl", "sslmode", "host"}

TABLE_EXISTS = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'tortoise_migrations'",
    "postgres": "SELECT 1 WHERE to_regclass('tortoise_migrations') IS NOT NULL",
}


class SchemaOutdated(OperatorError):
    """The database lacks migrations that this version requires; ``unapplied`` are their names."""

    def __init__(self, unapplied: list[str]) -> None:
        self.unapplied = unapplied
        super().__init__(f"The database lacks the migrations {', '.join(unapplied)}: run 'amarevents migrate'")


# Any below: Tortoise's configuration is a nested dict with values of many types.


def tortoise_config(settings: Settings, *, migrations: str = MIGRATIONS) -> dict[str, Any]:
    """Return the configuration of Tortoise, with ``migrations`` as the package of the migrations.

    Raises SettingsError if the URL of the database has an option that is not supported.
    """
    connection = _postgres(settings, "database_url") if settings.on_postgres else _sqlite(settings)
    app = {"models": ["amarevents.models"], "default_connection": CONNECTION, "migrations": migrations}
    return {"connections": {CONNECTION: connection}, "apps": {"models": app}, "use_tz": True, "timezone": "UTC"}


def _sqlite(settings: Settings) -> dict[str, Any]:
    path = settings.database_url.removeprefix("sqlite:///")
    if path in {"", ":memory:", settings.database_url}:
        raise SettingsError("AMAREVENTS_DATABASE_URL must be sqlite:///relative/file or sqlite:////absolute/file")
    pragmas = {
        "busy_timeout": settings.database_timeout_seconds * 1000,
        "journal_mode": "WAL",
        "synchronous": "NORMAL",
        "foreign_keys": "ON",
    }
    return {"engine": "amarevents.models.db.engines.sqlite", "credentials": {"file_path": path, **pragmas}}


def client_of(settings: Settings, field: str, **options: Any) -> GuardedPostgresClient:
    """Return a client of the PostgreSQL server in a setting, for what can be read elsewhere if it takes a second.

    It is none of Tortoise's connections, because transactions begin on the only one.
    """
    limits = dict.fromkeys(("timeout", "acquire_seconds", "command_timeout"), REPLICA_SECONDS)
    return GuardedPostgresClient(connection_name=field, **_postgres(settings, field)["credentials"] | limits | options)


def _postgres(settings: Settings, field: str) -> dict[str, Any]:
    url = urlsplit(getattr(settings, field))
    options = dict(parse_qsl(url.query))
    if unknown := sorted(options.keys() - POSTGRES_OPTIONS):
        raise SettingsError(f"{variable_of(field)} has options that are not supported: {', '.join(unknown)}")
    wait_ms = settings.database_timeout_seconds * 1000
    # The limits of the server are lower than ours, so that its error says which one was exceeded.
    limits = {
        "lock_timeout": f"{wait_ms // 2}ms",
        "statement_timeout": f"{3 * wait_ms // 2}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_SECONDS}s",
    }
    credentials = {
        **_address(url, options),
        "minsize": 1,
        "maxsize": settings.database_pool_size,
        "timeout": CONNECT_SECONDS,
        "acquire_seconds": wait_ms / 1000,
        "command_timeout": 2 * wait_ms / 1000,
        **session_options("amarevents", limits, pooled=settings.database_transaction_pooling),
    }
    return {"engine": "amarevents.models.db.engines.postgres", "credentials": credentials}


def session_options(name: str, limits: Mapping[str, str], *, pooled: bool) -> dict[str, Any]:
    """Return the options for a session with these limits.

    A pooler gives each transaction another session of the server: the limits then belong to the transactions, and
    nothing can be prepared for later statements.
    """
    if pooled:
        return {"server_settings": {"application_name": name}, "transaction_limits": limits, "statement_cache_size": 0}
    return {"server_settings": {"application_name": name, **limits}, "transaction_limits": {}}


def _address(url: SplitResult, options: Mapping[str, str]) -> dict[str, Any]:
    """Return the address and credentials in the URL. asyncpg looks up missing parts like libpq."""
    address = {
        "host": options.get("host") or url.hostname,
        "port": url.port or 5432,
        "user": unquote(url.username) if url.username else None,
        "password": unquote(url.password) if url.password else None,
        "database": unquote(url.path.removeprefix("/")) or None,
    }
    ssl = options.get("sslmode") or options.get("ssl")
    return {**address, "ssl": ssl} if ssl else address


@asynccontextmanager
async def open_database(settings: Settings, *, check_schema: bool = True) -> AsyncIterator[None]:
    """Connect for the duration of the block, within which every task of the process can use the models.

    Raises DatabaseUnavailable if connecting fails and, if ``check_schema`` is true, SchemaOutdated if migrations are
    missing.
    """
    if check_schema:
        require_file(settings)
    context = TortoiseContext()
    try:
        with context:  # only during init(), which makes it the global context of all tasks
            await context.init(tortoise_config(settings), _enable_global_fallback=True)
        client = context.db(CONNECTION)
        await client.create_connection(with_db=True)
        if check_schema and (unapplied := await unapplied_migrations(client)):
            raise SchemaOutdated(unapplied)
        yield
    finally:
        await context.close_connections()


def require_file(settings: Settings) -> None:
    """Raise DatabaseUnavailable if a SQLite file is missing: an empty one would be created for a mistyped path."""
    if settings.on_postgres:
        return
    path = Path(_sqlite(settings)["credentials"]["file_path"])
    if not path.exists():
        raise DatabaseUnavailable(
            f"Database {path} does not exist: run 'amarevents migrate' to create it, or check AMAREVENTS_DATABASE_URL"
        )


async def unapplied_migrations(client: BaseDBAsyncClient, package: str = MIGRATIONS) -> list[str]:
    """Return the names of the migrations in ``package`` that the database lacks, in order."""
    names = sorted(name for _, name, _ in pkgutil.iter_modules(import_module(package).__path__) if name[0].isdigit())
    applied = await applied_migrations(client)
    return [name for name in names if name not in applied]


async def applied_migrations(client: BaseDBAsyncClient) -> set[str]:
    """Return the names of the migrations that have been applied to the database."""
    if not await client.execute_query_dict(TABLE_EXISTS[client.capabilities.dialect]):
        return set()
    rows = await client.execute_query_dict("SELECT name FROM tortoise_migrations WHERE app = 'models'")
    return {row["name"] for row in rows}


async def database_is_ready() -> bool:
    """Return whether the database is open and responds within ``PROBE_SECONDS``.

    It also counts as ready while all connections are in use: a busy process should still receive requests.
    """
    if get_current_context() is None:
        return False
    probed = False
    try:
        async with asyncio.timeout(PROBE_SECONDS), get_connection(CONNECTION).acquire_connection() as connection:
            probed = True
            await _probe(connection)
    except (DatabaseBusy, TimeoutError):
        return not probed
    except (
        DatabaseUnavailable,
        OperationalError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        OSError,
        sqlite3.Error,
    ):
        return False
    return True


async def _probe(connection: Any) -> None:  # Any: a connection of either driver
    """Execute a statement and read its result: SQLite considers a statement running until it has been read."""
    fetch = getattr(connection, "execute_fetchall", None) or connection.fetch
    await fetch("SELECT 1")


def violates(error: IntegrityError, name: str) -> bool:
    """Return whether ``error`` violates a unique index that includes the column ``name``, or the CHECK of that name."""
    cause = error.args[0]
    if isinstance(cause, asyncpg.UniqueViolationError):
        # "Key (type, transaction_id)=(bkash, 8N7A) already exists.", in the language of the server
        columns = re.search(r"\(([^()]*)\)=\(", cause.detail or "")
        return columns is not None and name in columns[1].replace('"', "").split(", ")
    if isinstance(cause, asyncpg.CheckViolationError):
        return bool(cause.constraint_name == name)
    if isinstance(cause, sqlite3.IntegrityError):
        # such as "UNIQUE constraint failed: donations.type, donations.transaction_id"
        _, _, involved = str(cause).partition(" constraint failed: ")
        return name in [part.rpartition(".")[2] for part in involved.split(", ")]
    return False


def violated_table(error: IntegrityError) -> str | None:
    """Return the table whose row would violate a constraint; None on SQLite, which does not say."""
    cause = error.args[0]
    return cause.table_name if isinstance(cause, asyncpg.IntegrityConstraintViolationError) else None
