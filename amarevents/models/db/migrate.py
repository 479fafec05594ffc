"""Brings a database to the schema of this version: all that is missing in one transaction, by one process at a time."""

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.transactions import in_transaction

from amarevents.errors import OperatorError
from amarevents.models.db.connection import CONNECTION, MIGRATIONS, tortoise_config, unapplied_migrations
from amarevents.models.db.engines.sqlite_schema import LosslessSqliteSchemaEditor
from amarevents.settings import Settings

logger = logging.getLogger(__name__)

LOCK_KEY = 0x616D6172  # "amar": one number for all who migrate, used for no other advisory lock
WAIT_SECONDS = 60  # for another process that migrates
DDL_LOCK_SECONDS = 30  # for a table in use; whoever comes after this waiting statement waits behind it

SQLITE_LIMITS: dict[str, Any] = {"busy_timeout": WAIT_SECONDS * 1000, "foreign_keys": "OFF"}
POSTGRES_LIMITS: dict[str, Any] = {
    "maxsize": 1,
    "command_timeout": None,
    "server_settings": {"application_name": "amarevents migrate", "lock_timeout": f"{DDL_LOCK_SECONDS}s"},
}

TORTOISE_CONFIG = tortoise_config(Settings())
"""For Tortoise's own tool, which compares the models with the migrations to write the next one; it opens nothing."""


class MigrationFailed(OperatorError):
    """The migrations would leave rows that refer to nothing; everything has been rolled back."""


async def migrate(settings: Settings, *, migrations: str = MIGRATIONS) -> list[str]:
    """Apply what is missing of the package ``migrations``, all or nothing; return the names of what was applied.

    Concurrent callers wait for each other, and the later ones find nothing to do. A SQLite file that holds tables is
    copied beside itself first. Raises DatabaseUnavailable, DatabaseBusy, MigrationFailed.
    """
    async with _connected(settings, migrations), in_transaction(CONNECTION) as client:
        await _lock(client)
        missing = await unapplied_migrations(client, migrations)
        if missing:
            await _apply(client, migrations)
            logger.info("Applied %s", ", ".join(missing))
    return missing


async def pending_migrations(settings: Settings, *, migrations: str = MIGRATIONS) -> list[str]:
    """The names of what ``migrate`` would apply, in order. Raises DatabaseUnavailable, DatabaseBusy."""
    async with _connected(settings, migrations) as context:
        return await unapplied_migrations(context.db(CONNECTION), migrations)


@asynccontextmanager
async def _connected(settings: Settings, migrations: str) -> AsyncIterator[TortoiseContext]:
    """Connections of our own, beside those that the process may have, with limits that fit migrations.

    SQLite must not check foreign keys meanwhile: the DROP TABLE in the rebuilding of a table would delete, by cascade,
    the rows that refer to it. ``PRAGMA foreign_keys`` only works outside of a transaction, that is here.
    """
    config = tortoise_config(settings, migrations=migrations)
    limits = POSTGRES_LIMITS if settings.on_postgres else SQLITE_LIMITS
    config["connections"][CONNECTION]["credentials"].update(limits)
    with TortoiseContext() as context:
        try:
            await context.init(config)
            await context.db(CONNECTION).create_connection(with_db=True)
            yield context
        finally:
            await context.close_connections()


async def _lock(client: BaseDBAsyncClient) -> None:
    """Wait until nobody else migrates; the end of the transaction unlocks. SQLite's has locked the file already."""
    if client.capabilities.dialect == "postgres":
        await client.execute_script(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        await client.execute_script(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        await client.execute_script(f"SET LOCAL lock_timeout = '{DDL_LOCK_SECONDS}s'")


async def _apply(client: BaseDBAsyncClient, migrations: str) -> None:
    copy = await _copy_file(client)
    try:
        executor = _Executor(client, {"models": {"default_connection": CONNECTION, "migrations": migrations}})
        await executor.create_record()
        await executor.migrate([MigrationTarget("models", "__latest__")], direction="forward")
        await _check_references(client)
    except BaseException:
        if copy is not None:
            copy.unlink()  # the file itself is as it was
        raise


class _Executor(MigrationExecutor):
    """Tortoise's executor, with a schema editor for SQLite that loses nothing."""

    async def create_record(self) -> None:
        """Create the table of the applied migrations unless it exists.

        Tortoise reads it before it creates it, and the failure to do so would end PostgreSQL's transaction.
        """
        await self.recorder.ensure_schema(self._schema_editor(atomic=False))

    def _schema_editor(self, atomic: bool = True, collect_sql: bool = False) -> BaseSchemaEditor:
        if self.connection.capabilities.dialect == "sqlite":
            return LosslessSqliteSchemaEditor(self.connection, atomic=atomic, collect_sql=collect_sql)
        return super()._schema_editor(atomic, collect_sql)


async def _check_references(client: BaseDBAsyncClient) -> None:
    """Make up for the checks that SQLite was told to leave out. Raises MigrationFailed."""
    if client.capabilities.dialect != "sqlite":
        return
    if broken := await client.execute_query_dict("PRAGMA foreign_key_check"):
        tables = sorted({row["table"] for row in broken})
        raise MigrationFailed(f"{len(broken)} rows of {', '.join(tables)} would refer to rows that do not exist")


async def _copy_file(client: BaseDBAsyncClient) -> Path | None:
    """Copy a SQLite file that holds tables, and return where to. Nobody can write to it meanwhile: we have its lock."""
    if client.capabilities.dialect != "sqlite":
        return None
    if not await client.execute_query_dict("SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1"):
        return None
    file = Path(client.filename)  # type: ignore[attr-defined] # of the SQLite client alone
    copy = file.with_name(f"{file.name}.{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.backup")
    await asyncio.to_thread(_back_up, file, copy)
    logger.info("Copied %s to %s", file, copy)
    return copy


def _back_up(file: Path, copy: Path) -> None:
    """Copy with SQLite's own means, because part of the data may still be in the write-ahead log."""
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    shutil.copymode(file, copy)
