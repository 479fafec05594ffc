"""The database of a deployment: where it is, opening it for a while, and what its errors mean."""

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
from amarevents.models.db.engines.failures import DatabaseBusy, DatabaseUnavailable
from amarevents.settings import Settings, SettingsError

__all__ = [
    "CONNECTION",
    "MIGRATIONS",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "SchemaOutdated",
    "applied_migrations",
    "database_is_ready",
    "open_database",
    "tortoise_config",
    "unapplied_migrations",
    "violates",
]

CONNECTION = "default"
MIGRATIONS = "amarevents.models.migrations"

# All in seconds. The server's limits come first, so that its answer says which one it was.
CONNECT_SECONDS = 5.0
LOCK_SECONDS = 5
STATEMENT_SECONDS = 15
COMMAND_SECONDS = 20.0
IDLE_TRANSACTION_SECONDS = 60
BUSY_SECONDS = 10
PROBE_SECONDS = 2.0

POSTGRES_OPTIONS = {"ssl", "sslmode", "host"}

TABLE_EXISTS = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'tortoise_migrations'",
    "postgres": "SELECT 1 WHERE to_regclass('tortoise_migrations') IS NOT NULL",
}


class SchemaOutdated(OperatorError):
    """The database lacks migrations that this version needs; ``unapplied`` are their names."""

    def __init__(self, unapplied: list[str]) -> None:
        self.unapplied = unapplied
        super().__init__(f"The database lacks {', '.join(unapplied)}: run 'amarevents migrate'")


# Any below: Tortoise's configuration is a nest of dicts with values of many types.


def tortoise_config(settings: Settings, *, migrations: str = MIGRATIONS) -> dict[str, Any]:
    """What Tortoise needs to know; ``migrations`` is the package of the migrations.

    Raises SettingsError when the database's url has a part that cannot be honoured.
    """
    connection = _postgres(settings) if settings.on_postgres else _sqlite(settings)
    app = {"models": ["amarevents.models"], "default_connection": CONNECTION, "migrations": migrations}
    return {"connections": {CONNECTION: connection}, "apps": {"models": app}, "use_tz": True, "timezone": "UTC"}


def _sqlite(settings: Settings) -> dict[str, Any]:
    path = settings.database_url.removeprefix("sqlite:///")
    if path in {"", ":memory:", settings.database_url}:
        raise SettingsError("AMAREVENTS_DATABASE_URL must be sqlite:///relative/file or sqlite:////absolute/file")
    pragmas = {
        "busy_timeout": BUSY_SECONDS * 1000,
        "journal_mode": "WAL",
        "synchronous": "NORMAL",
        "foreign_keys": "ON",
    }
    return {"engine": "amarevents.models.db.engines.sqlite", "credentials": {"file_path": path, **pragmas}}


def _postgres(settings: Settings) -> dict[str, Any]:
    url = urlsplit(settings.database_url)
    options = dict(parse_qsl(url.query))
    if unknown := sorted(options.keys() - POSTGRES_OPTIONS):
        raise SettingsError(f"AMAREVENTS_DATABASE_URL has options that are not supported: {', '.join(unknown)}")
    credentials = {
        **_address(url, options),
        "minsize": 1,
        "maxsize": settings.database_pool_size,
        "timeout": CONNECT_SECONDS,
        "command_timeout": COMMAND_SECONDS,
        "server_settings": {
            "application_name": "amarevents",
            "lock_timeout": f"{LOCK_SECONDS}s",
            "statement_timeout": f"{STATEMENT_SECONDS}s",
            "idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_SECONDS}s",
        },
    }
    return {"engine": "amarevents.models.db.engines.postgres", "credentials": credentials}


def _address(url: SplitResult, options: Mapping[str, str]) -> dict[str, Any]:
    """Where to connect and as whom; what the url leaves out is asyncpg's to find, as libpq does."""
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
    """Connect for the length of the block; the models then work in every task of the process.

    Raises DatabaseUnavailable when connecting fails, SchemaOutdated when migrations have not been applied, unless
    ``check_schema`` is false.
    """
    if check_schema and not settings.on_postgres:
        _require_file(settings)
    context = TortoiseContext()
    try:
        with context:  # for as long as Tortoise sets itself up; afterwards every task finds it as the global one
            await context.init(tortoise_config(settings), _enable_global_fallback=True)
        client = context.db(CONNECTION)
        await client.create_connection(with_db=True)
        if check_schema and (unapplied := await unapplied_migrations(client)):
            raise SchemaOutdated(unapplied)
        yield
    finally:
        await context.close_connections()


def _require_file(settings: Settings) -> None:
    """A file that is missing is a mistyped path more often than a new deployment; migrating makes new ones."""
    path = Path(_sqlite(settings)["credentials"]["file_path"])
    if not path.exists():
        raise DatabaseUnavailable(
            f"There is no database {path}: run 'amarevents migrate' to make it, or check AMAREVENTS_DATABASE_URL"
        )


async def unapplied_migrations(client: BaseDBAsyncClient, package: str = MIGRATIONS) -> list[str]:
    """The names of the migrations in ``package`` that the database lacks, in their order."""
    names = sorted(name for _, name, _ in pkgutil.iter_modules(import_module(package).__path__) if name[0].isdigit())
    applied = await applied_migrations(client)
    return [name for name in names if name not in applied]


async def applied_migrations(client: BaseDBAsyncClient) -> set[str]:
    """The names of the migrations that the database has; none in an empty one."""
    if not await client.execute_query_dict(TABLE_EXISTS[client.capabilities.dialect]):
        return set()
    rows = await client.execute_query_dict("SELECT name FROM tortoise_migrations WHERE app = 'models'")
    return {row["name"] for row in rows}


async def database_is_ready() -> bool:
    """Whether the database is open and answers within ``PROBE_SECONDS``.

    While every connection is in use it is busy rather than away: a rush is no reason to stop sending requests here.
    """
    if get_current_context() is None:
        return False
    probed = False
    try:
        async with asyncio.timeout(PROBE_SECONDS), get_connection(CONNECTION).acquire_connection() as connection:
            probed = True
            await _answer(connection)
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


async def _answer(connection: Any) -> None:  # Any: a connection of either driver
    """Read what is answered as well: SQLite takes a statement for running until it has been read to its end."""
    fetch = getattr(connection, "execute_fetchall", None) or connection.fetch
    await fetch("SELECT 1")


def violates(error: IntegrityError, name: str) -> bool:
    """Whether ``error`` is about uniqueness that involves the column ``name``, or about the CHECK of that name."""
    cause = error.args[0]
    if isinstance(cause, asyncpg.UniqueViolationError):
        # "Key (type, transaction_id)=(bkash, 8N7A) already exists.", in the server's language
        columns = re.search(r"\(([^()]*)\)=\(", cause.detail or "")
        return columns is not None and name in columns[1].replace('"', "").split(", ")
    if isinstance(cause, asyncpg.CheckViolationError):
        return bool(cause.constraint_name == name)
    if isinstance(cause, sqlite3.IntegrityError):
        # such as "UNIQUE constraint failed: donations.type, donations.transaction_id"
        _, _, involved = str(cause).partition(" constraint failed: ")
        return name in [part.rpartition(".")[2] for part in involved.split(", ")]
    return False
