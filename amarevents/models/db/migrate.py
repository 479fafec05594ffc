"""Migration of a database to the schema of this version, in one transaction and by one process at a time."""

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.transactions import in_transaction

from amarevents.errors import OperatorError
from amarevents.models.db.conflicts import Conflict, find_conflicts
from amarevents.models.db.connection import (
    CONNECTION,
    MIGRATIONS,
    require_file,
    session_options,
    tortoise_config,
    unapplied_migrations,
)
from amarevents.models.db.engines.sqlite_schema import LosslessSqliteSchemaEditor
from amarevents.settings import Settings

logger = logging.getLogger(__name__)

LOCK_KEY = 0x616D6172  # "amar"; the key of the advisory lock that all migrating processes use
WAIT_SECONDS = 60  # for another migrating process
DDL_LOCK_SECONDS = 30  # for a table in use; later statements queue behind a waiting one

SQLITE_LIMITS: dict[str, object] = {"busy_timeout": WAIT_SECONDS * 1000, "foreign_keys": "OFF"}
POSTGRES_LIMITS: dict[str, object] = {"maxsize": 1, "command_timeout": None}

TORTOISE_CONFIG = tortoise_config(Settings())
"""The configuration for Tortoise's command line, which writes new migrations by comparing them with the models."""


class MigrationFailed(OperatorError):
    """Rows prevent the migrations; nothing has been changed."""


async def migrate(settings: Settings, *, migrations: str = MIGRATIONS) -> list[str]:
    """Apply the missing migrations of the package ``migrations``, all or none, and return their names.

    Concurrent callers wait for each other. A SQLite file with tables is first backed up in its folder.
    Raises DatabaseUnavailable, DatabaseBusy, MigrationFailed.
    """
    async with _connected(settings, migrations), in_transaction(CONNECTION) as client:
        await _lock(client)
        missing = await unapplied_migrations(client, migrations)
        if missing:
            _require_none(await find_conflicts(client, missing))
            await _apply(client, migrations)
            logger.info("Applied %s", ", ".join(missing))
    return missing


async def pending_migrations(settings: Settings, *, migrations: str = MIGRATIONS) -> list[str]:
    """Return the names of the migrations to apply, in order. Raises DatabaseUnavailable, DatabaseBusy."""
    async with _connected(settings, migrations) as context:
        return await unapplied_migrations(context.db(CONNECTION), migrations)


async def conflicts_before_migrating(settings: Settings) -> list[Conflict]:
    """Return what would make ``migrate`` fail. Raises DatabaseUnavailable, DatabaseBusy."""
    require_file(settings)
    async with _connected(settings, MIGRATIONS) as context:
        client = context.db(CONNECTION)
        return await find_conflicts(client, await unapplied_migrations(client))


def _require_none(conflicts: Sequence[Conflict]) -> None:
    """Raise MigrationFailed with a list of the conflicts, if there are any."""
    if conflicts:
        raise MigrationFailed(
            "Nothing has been migrated: these would be equal, so change or delete all but one of each line\n"
            + "\n".join(f"  {conflict}" for conflict in conflicts)
        )


@asynccontextmanager
async def _connected(settings: Settings, migrations: str) -> AsyncIterator[TortoiseContext]:
    """Open separate connections for the duration of the block, with limits suitable for migrations.

    SQLite must not check foreign keys, because the DROP TABLE that replaces a table would cascade to the rows that
    refer to it. ``PRAGMA foreign_keys`` has to be set here, since it has no effect in a transaction.
    """
    config = tortoise_config(settings, migrations=migrations)
    config["connections"][CONNECTION]["credentials"].update(_limits(settings))
    with TortoiseContext() as context:
        try:
            await context.init(config)
            await context.db(CONNECTION).create_connection(with_db=True)
            yield context
        finally:
            await context.close_connections()


def _limits(settings: Settings) -> dict[str, object]:
    if not settings.on_postgres:
        return SQLITE_LIMITS
    limits = {"lock_timeout": f"{DDL_LOCK_SECONDS}s"}
    return POSTGRES_LIMITS | session_options("amarevents migrate", limits, pooled=settings.database_transaction_pooling)


async def _lock(client: BaseDBAsyncClient) -> None:
    """Take the migration lock until the end of the transaction. On SQLite, the transaction has locked the file."""
    if client.capabilities.dialect == "postgres":
        await client.execute_script(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        await client.execute_script(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        await client.execute_script(f"SET LOCAL lock_timeout = '{DDL_LOCK_SECONDS}s'")


async def _apply(client: BaseDBAsyncClient, migrations: str) -> None:
    backup = await _back_up_file(client)
    EXECUTOR_CACHE.clear()  # Tortoise keeps the INSERT of a table, although the schema of a migration has other columns
    try:
        executor = _Executor(client, {"models": {"default_connection": CONNECTION, "migrations": migrations}})
        await executor.create_migration_table()
        await executor.migrate([MigrationTarget("models", "__latest__")], direction="forward")
        await _check_references(client)
    except BaseException:
        if backup is not None:
            backup.unlink()  # the transaction is rolled back, so the file is unchanged
        raise
    finally:
        EXECUTOR_CACHE.clear()


class _Executor(MigrationExecutor):
    """Tortoise's executor with our schema editor for SQLite."""

    async def create_migration_table(self) -> None:
        """Create the table of applied migrations unless it exists.

        Tortoise reads it before creating it, and the resulting error would abort a PostgreSQL transaction.
        """
        await self.recorder.ensure_schema(self._schema_editor(atomic=False))

    def _schema_editor(self, atomic: bool = True, collect_sql: bool = False) -> BaseSchemaEditor:
        if self.connection.capabilities.dialect == "sqlite":
            return LosslessSqliteSchemaEditor(self.connection, atomic=atomic, collect_sql=collect_sql)
        return super()._schema_editor(atomic, collect_sql)


async def _check_references(client: BaseDBAsyncClient) -> None:
    """Check the foreign keys that SQLite has not checked during the migration. Raises MigrationFailed."""
    if client.capabilities.dialect != "sqlite":
        return
    if broken := await client.execute_query_dict("PRAGMA foreign_key_check"):
        tables = sorted({row["table"] for row in broken})
        raise MigrationFailed(f"{len(broken)} rows of {', '.join(tables)} would refer to missing rows; rolled back")


async def _back_up_file(client: BaseDBAsyncClient) -> Path | None:
    """Back up a SQLite file that has tables, and return the copy. Our transaction keeps others from writing."""
    if client.capabilities.dialect != "sqlite":
        return None
    if not await client.execute_query_dict("SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1"):
        return None
    file = Path(client.filename)  # type: ignore[attr-defined] # only the SQLite client has it
    backup = file.with_name(f"{file.name}.{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.backup")
    await asyncio.to_thread(_copy, file, backup)
    logger.info("Copied %s to %s", file, backup)
    return backup


def _copy(file: Path, copy: Path) -> None:
    """Copy with SQLite's backup API, which includes data that is still in the write-ahead log."""
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    shutil.copymode(file, copy)
