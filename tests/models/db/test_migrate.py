"""Migrations: applied once, by one process at a time, all or nothing, without losing rows, indexes or checks."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError

from amarevents.models.db import migrate as runner
from amarevents.models.db.connection import DatabaseBusy, open_database
from amarevents.models.db.engines.sqlite import GuardedSqliteTransaction
from amarevents.models.db.migrate import MigrationFailed, migrate, pending_migrations
from amarevents.settings import Settings
from tests.models.conftest import connected, migrate_and_fill
from tests.support.introspection import read_schema
from tests.support.migrations import MIGRATION_NAMES
from tests.support.rows import fill_every_table, read_every_table

pytestmark = pytest.mark.anyio

SECOND_MIGRATIONS = "tests.models.db.second_migrations"
PROCESSES = 3
MIGRATE = """
import asyncio, sys
from amarevents.models.db.migrate import migrate
from amarevents.settings import Settings
print(asyncio.run(migrate(Settings(database_url=sys.argv[1]))))
"""
EXTENDED_PACKAGE = """
from amarevents.models import migrations
__path__ = [*migrations.__path__, *__path__]
"""
LAST_MIGRATION = """
from tortoise import migrations
from tortoise.migrations import operations as ops

async def step(apps, editor):
{body}

class Migration(migrations.Migration):
    dependencies = [("models", "{last}")]
    operations = [ops.RemoveField("Event", "template"), ops.RunPython(step)]
"""

WritePackage = Callable[[str], str]


@pytest.fixture
def write_package_with(write_package: Callable[..., str]) -> WritePackage:
    """Return a function that writes a package whose last migration changes the schema and runs a line of code."""
    return lambda line: write_package(
        __init__=EXTENDED_PACKAGE, **{"9999_step": LAST_MIGRATION.format(last=MIGRATION_NAMES[-1], body=f"    {line}")}
    )


async def test_migrating_again_changes_nothing(empty: Settings) -> None:
    assert await pending_migrations(empty) == MIGRATION_NAMES
    assert await migrate(empty) == MIGRATION_NAMES
    assert await pending_migrations(empty) == []
    assert await migrate(empty) == []


async def test_migrating_keeps_an_open_database_open(empty: Settings) -> None:
    async with open_database(empty, check_schema=False):
        await migrate(empty)
        await fill_every_table()


def test_simultaneous_processes_migrate_once(empty: Settings) -> None:
    command = [sys.executable, "-W", "error", "-c", MIGRATE, empty.database_url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    outputs = [process.communicate()[0].strip() for process in processes]
    assert sorted(outputs) == sorted([str(MIGRATION_NAMES), *["[]"] * (PROCESSES - 1)])


async def migrate_simultaneously(settings: Settings) -> list[list[str] | BaseException]:
    tasks = [asyncio.ensure_future(migrate(settings)) for _ in range(PROCESSES)]
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_simultaneous_tasks_migrate_once(empty: Settings) -> None:
    outcomes = await migrate_simultaneously(empty)
    assert sorted(outcomes, key=str) == sorted([MIGRATION_NAMES, *[[]] * (PROCESSES - 1)], key=str)


async def test_without_the_lock_simultaneous_migrations_fail(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""

    async def no_lock(client: BaseDBAsyncClient) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(runner, "_lock", no_lock)
    monkeypatch.setattr(GuardedSqliteTransaction, "BEGIN", "BEGIN")
    outcomes = await migrate_simultaneously(empty)
    assert any(isinstance(outcome, IntegrityError | DatabaseBusy) for outcome in outcomes)


async def test_failed_migration_changes_nothing(
    empty: Settings, write_package_with: WritePackage, tmp_path: Path
) -> None:
    schema, rows = await migrate_and_fill(empty)
    package = write_package_with("raise RuntimeError('a mistake')")
    with pytest.raises(RuntimeError, match="a mistake"):
        await migrate(empty, migrations=package)
    async with connected(empty) as client:
        assert await read_schema(client) == schema
        assert await read_every_table(client) == rows
    assert await pending_migrations(empty, migrations=package) == ["9999_step"]
    assert backups(tmp_path) == []


@pytest.mark.backend("sqlite")
async def test_migration_that_violates_foreign_keys_changes_nothing(
    empty: Settings, write_package_with: WritePackage
) -> None:
    _, rows = await migrate_and_fill(empty)
    package = write_package_with("await editor.client.execute_query('DELETE FROM users')")
    tables = "api_keys, check_ins, email_confirmations, organizations, password_resets, sessions, tickets"
    with pytest.raises(MigrationFailed, match=tables):
        await migrate(empty, migrations=package)
    async with connected(empty) as client:
        assert await read_every_table(client) == rows


def backups(folder: Path) -> list[tuple[Path, int]]:
    """Return the backups of databases with their permissions."""
    return [(path, path.stat().st_mode & 0o777) for path in folder.glob("*.backup")]


def change_mode(settings: Settings, mode: int) -> None:
    Path(settings.database_url.removeprefix("sqlite:///")).chmod(mode)


@pytest.mark.backend("sqlite")
async def test_sqlite_file_is_backed_up_before_it_is_changed(empty: Settings, tmp_path: Path) -> None:
    await migrate(empty)
    assert backups(tmp_path) == []
    async with connected(empty):
        await fill_every_table()
    change_mode(empty, 0o640)
    await migrate(empty, migrations=SECOND_MIGRATIONS)
    await migrate(empty, migrations=SECOND_MIGRATIONS)
    ((copy, mode),) = backups(tmp_path)
    assert mode == 0o640
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT template FROM events").fetchall() == [(None,)]
        assert connection.execute("SELECT name FROM tortoise_migrations").fetchall() == [
            (name,) for name in MIGRATION_NAMES
        ]


@pytest.mark.backend("postgres")
async def test_database_without_pg_trgm_is_migrated(empty: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """The account may not create the extension, or it is not installed."""
    async with connected(empty) as client:
        await client.execute_script("CREATE ROLE plain LOGIN; GRANT CREATE ON SCHEMA public TO plain")
    unprivileged = Settings(database_url=empty.database_url.replace("postgres@", "plain@"))
    assert await migrate(unprivileged) == MIGRATION_NAMES
    assert "search works without an index" in caplog.text
    async with connected(unprivileged) as client:
        rows = await client.execute_query_dict("SELECT 1 FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'")
    assert rows == []
