"""Migrating: once, by one process at a time, all or nothing, and without losing a row, an index or a guard."""

import asyncio
import dataclasses
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError
from tortoise.migrations.executor import MigrationExecutor

from amarevents.models import migrating
from amarevents.models.engines.sqlite import GuardedSqliteTransaction
from amarevents.models.migrating import MigrationFailed, migrate, pending_migrations
from amarevents.models.storage import CONNECTION, DatabaseBusy, open_database, tortoise_config
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.models.introspection import Table, read_schema
from tests.models.rows import fill_every_table, read_every_table

pytestmark = pytest.mark.anyio

SECOND = "tests.models.second_migrations"
AT_ONCE = 3
MIGRATE = """
import asyncio, sys
from amarevents.models.migrating import migrate
from amarevents.settings import Settings
print(asyncio.run(migrate(Settings(database_url=sys.argv[1]))))
"""
REEXPORT = """
from importlib import import_module
Migration = import_module("amarevents.models.migrations.0001_initial").Migration
"""
SECOND_STEP = """
from tortoise import migrations
from tortoise.migrations import operations as ops

async def step(apps, editor):
{body}

class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]
    operations = [ops.RemoveField("Event", "template"), ops.RunPython(step)]
"""

Rows = dict[str, list[dict[str, Any]]]  # Any: the values of any columns
MakePackage = Callable[[str], str]


@pytest.fixture
def package_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePackage:
    """Makes a package of migrations whose second one changes the schema and then runs the given line."""

    def make(line: str) -> str:
        name = f"migrations_{tmp_path.name}".replace("-", "_")
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "0001_initial.py").write_text(REEXPORT)
        (folder / "0002_step.py").write_text(SECOND_STEP.format(body=f"    {line}"))
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return make


async def test_migrating_again_does_nothing(empty: Settings) -> None:
    assert await pending_migrations(empty) == ["0001_initial"]
    assert await migrate(empty) == ["0001_initial"]
    assert await pending_migrations(empty) == []
    assert await migrate(empty) == []


async def test_the_open_database_stays_open(empty: Settings) -> None:
    async with open_database(empty, check_schema=False):
        await migrate(empty)
        await fill_every_table()


def test_processes_that_migrate_at_once_do_it_once(empty: Settings) -> None:
    command = [sys.executable, "-W", "error", "-c", MIGRATE, empty.database_url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(AT_ONCE)]
    outputs = [process.communicate()[0].strip() for process in processes]
    assert sorted(outputs) == ["['0001_initial']", *["[]"] * (AT_ONCE - 1)]


async def migrate_at_once(settings: Settings) -> list[list[str] | BaseException]:
    tasks = [asyncio.ensure_future(migrate(settings)) for _ in range(AT_ONCE)]
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_tasks_that_migrate_at_once_do_it_once(empty: Settings) -> None:
    outcomes = await migrate_at_once(empty)
    assert sorted(outcomes, key=str) == [["0001_initial"], *[[]] * (AT_ONCE - 1)]


async def test_without_the_lock_they_get_in_each_others_way(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""

    async def no_lock(client: BaseDBAsyncClient) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(migrating, "_lock", no_lock)
    monkeypatch.setattr(GuardedSqliteTransaction, "BEGIN", "BEGIN")
    outcomes = await migrate_at_once(empty)
    assert any(isinstance(outcome, IntegrityError | DatabaseBusy) for outcome in outcomes)


async def test_filled_database_loses_nothing_by_rebuilding(empty: Settings) -> None:
    schema, rows = await filled(empty)
    assert await migrate(empty, migrations=SECOND) == ["0002_rebuild"]
    async with connected(empty) as client:
        assert await read_schema(client) == rebuilt_schema(schema, on_postgres=empty.on_postgres)
        assert await read_every_table(client) == rebuilt_rows(rows)
        with pytest.raises(IntegrityError):
            await client.execute_query("UPDATE ticket_types SET sold = capacity + 1")
        with pytest.raises(IntegrityError):
            await client.execute_query("UPDATE donations SET amount = 0")


@pytest.mark.backend("sqlite")
async def test_stock_runner_loses_rows_and_indexes_by_rebuilding(empty: Settings) -> None:
    """Negative control: and it says that all is well."""
    schema, rows = await filled(empty)
    config = tortoise_config(empty, migrations=SECOND)
    config["connections"][CONNECTION]["engine"] = "tortoise.backends.sqlite"
    with TortoiseContext() as context:
        await context.init(config)
        client = context.db(CONNECTION)
        try:
            await MigrationExecutor(client, config["apps"]).migrate()
            left = await read_every_table(client)
            assert len(rows["tickets"]) == 1
            assert left["tickets"] == left["api_keys"] == left["custom_values"] == []
            assert (await read_schema(client))["tickets"].indexes < schema["tickets"].indexes
        finally:
            await context.close_connections()


async def filled(settings: Settings) -> tuple[dict[str, Table], Rows]:
    await migrate(settings)
    async with connected(settings) as client:
        await fill_every_table()
        rows = await read_every_table(client)
        assert all(rows.values())
        return await read_schema(client), rows


def rebuilt_schema(schema: dict[str, Table], *, on_postgres: bool) -> dict[str, Table]:
    """The schema as the second migration should leave it."""
    donations, sessions = schema["donations"], schema["sessions"]
    organizations, plans = schema["organizations"], schema["plans"]
    changed = {
        "events": without_column(schema["events"], "template"),
        "gallery_images": without_column(schema["gallery_images"], "position"),
        "organizations": dataclasses.replace(organizations, columns={**organizations.columns, "search_text": True}),
        "plans": dataclasses.replace(plans, columns={**plans.columns, "description": True}),
        "sessions": dataclasses.replace(sessions, indexes=sessions.indexes - {(("digest",), True, False)}),
    }
    if on_postgres:  # SQLite has this CHECK inside the table
        changed["donations"] = dataclasses.replace(donations, guards=donations.guards | {"ck_donations_amount"})
    return {**schema, **changed}


def without_column(table: Table, column: str) -> Table:
    columns = {name: nullable for name, nullable in table.columns.items() if name != column}
    indexes = frozenset(index for index in table.indexes if column not in index[0])
    return dataclasses.replace(table, columns=columns, indexes=indexes)


def rebuilt_rows(rows: Rows) -> Rows:
    without = {"events": "template", "gallery_images": "position"}
    kept = {
        table: [{column: value for column, value in row.items() if column != without[table]} for row in rows[table]]
        for table in without
    }
    return {**rows, **kept, "plans": [{**row, "description": None} for row in rows["plans"]]}


async def test_migration_that_fails_changes_nothing(empty: Settings, package_with: MakePackage, tmp_path: Path) -> None:
    schema, rows = await filled(empty)
    package = package_with("raise RuntimeError('a mistake')")
    with pytest.raises(RuntimeError, match="a mistake"):
        await migrate(empty, migrations=package)
    async with connected(empty) as client:
        assert await read_schema(client) == schema
        assert await read_every_table(client) == rows
    assert await pending_migrations(empty, migrations=package) == ["0002_step"]
    assert backups(tmp_path) == []


@pytest.mark.backend("sqlite")
async def test_migration_that_leaves_orphans_changes_nothing(empty: Settings, package_with: MakePackage) -> None:
    _, rows = await filled(empty)
    package = package_with("await editor.client.execute_query('DELETE FROM users')")
    with pytest.raises(MigrationFailed, match="api_keys, organizations, sessions, tickets"):
        await migrate(empty, migrations=package)
    async with connected(empty) as client:
        assert await read_every_table(client) == rows


def backups(folder: Path) -> list[tuple[Path, int]]:
    """The copies of databases, with their permissions."""
    return [(path, path.stat().st_mode & 0o777) for path in folder.glob("*.backup")]


def change_mode(settings: Settings, mode: int) -> None:
    Path(settings.database_url.removeprefix("sqlite:///")).chmod(mode)


@pytest.mark.backend("sqlite")
async def test_sqlite_file_is_copied_before_it_is_changed(empty: Settings, tmp_path: Path) -> None:
    await migrate(empty)
    assert backups(tmp_path) == []
    async with connected(empty):
        await fill_every_table()
    change_mode(empty, 0o640)
    await migrate(empty, migrations=SECOND)
    await migrate(empty, migrations=SECOND)
    ((copy, mode),) = backups(tmp_path)
    assert mode == 0o640
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT template FROM events").fetchall() == [(None,)]
        assert connection.execute("SELECT name FROM tortoise_migrations").fetchall() == [("0001_initial",)]


@pytest.mark.backend("postgres")
async def test_database_without_pg_trgm_is_migrated_all_the_same(
    empty: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """As where the account may not create the extension, or it is not installed."""
    async with connected(empty) as client:
        await client.execute_script("CREATE ROLE plain LOGIN; GRANT CREATE ON SCHEMA public TO plain")
    plain = Settings(database_url=empty.database_url.replace("postgres@", "plain@"))
    assert await migrate(plain) == ["0001_initial"]
    assert "search works without an index" in caplog.text
    async with connected(plain) as client:
        rows = await client.execute_query_dict("SELECT 1 FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'")
    assert rows == []
