"""Migrations: applied once, by one process at a time, all or nothing, without losing rows, indexes or checks."""

import asyncio
import dataclasses
import re
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

from amarevents.models import User
from amarevents.models.db import migrate as runner
from amarevents.models.db.connection import CONNECTION, DatabaseBusy, open_database, tortoise_config
from amarevents.models.db.engines.sqlite import GuardedSqliteTransaction
from amarevents.models.db.migrate import MigrationFailed, migrate, pending_migrations
from amarevents.resolvers.core.search import fold, search_text
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.support.introspection import Table, read_schema
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
FIRST_MIGRATION = """
from importlib import import_module
Migration = import_module("amarevents.models.migrations.0001_initial").Migration
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
FIRST_ROWS = """
INSERT INTO users (id, username, username_key, email, number, password_hash, type, admin, created_at, updated_at)
VALUES (1, 'Shopna স্বপ্না', 'shopna', 's@example.org', '01711', '-', 'user', FALSE, {at}, {at}),
       (2, 'Rana', 'rana', 'r@example.org', '01822', '-', 'organizer', TRUE, {at}, {at});
INSERT INTO organizations (id, user_id, plan_id, name, events_used, search_text, created_at, updated_at)
VALUES (1, 2, (SELECT id FROM plans), 'Club', 1, 'club', {at}, {at});
INSERT INTO events (id, organization_id, name, sort_date, privacy, socials, wallets, search_text, created_at,
                    updated_at)
VALUES (1, 1, 'Concert', '2027-01-01', 'public', '[]', '{{}}', 'concert', {at}, {at});
INSERT INTO ticket_types (id, event_id, name, price, capacity, sold, created_at)
VALUES (1, 1, 'Standing', '250.50', 10, 1, {at});
INSERT INTO tickets (id, code, event_id, user_id, ticket_type_id, name, email, amount, status, created_at, updated_at)
VALUES (1, 'AEFIRST', 1, 1, 1, 'A Guest', 'g@example.org', '250.50', 'Success', {at}, {at});
INSERT INTO idempotency_records (id, digest, fingerprint, created_at) VALUES (1, 'i', 'f', {at});
INSERT INTO donations (id, organization_id, email, number, amount, transaction_id, type, status, created_at, updated_at)
VALUES (1, 1, 'd@example.org', '-', 5, 'D1', 'bkash', 'pending', {at}, {at});
INSERT INTO api_keys (id, user_id, name, digest, key_prefix, key_type, permissions, is_active, created_at)
VALUES (1, 2, 'Key', 'k', 'ae_u_', 'user', '[]', TRUE, {at});
"""
FIRST_TABLES = re.findall(r"INSERT INTO (\w+)", FIRST_ROWS)

Rows = dict[str, list[dict[str, Any]]]  # Any: the values of any columns
WritePackage = Callable[[str], str]


@pytest.fixture
def write_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that writes a package of migrations from the sources of its modules and returns its name."""

    def make(**modules: str) -> str:
        name = f"migrations_{tmp_path.name}".replace("-", "_")
        folder = tmp_path / name
        folder.mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (folder / f"{module}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return make


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


async def test_rebuilding_tables_keeps_all_rows_and_indexes(empty: Settings) -> None:
    schema, rows = await migrate_and_fill(empty)
    assert await migrate(empty, migrations=SECOND_MIGRATIONS) == ["9999_rebuild"]
    async with connected(empty) as client:
        assert await read_schema(client) == rebuilt_schema(schema, on_postgres=empty.on_postgres)
        assert await read_every_table(client) == rebuilt_rows(rows)
        with pytest.raises(IntegrityError):
            await client.execute_query("UPDATE ticket_types SET sold = capacity + 1")
        with pytest.raises(IntegrityError):
            await client.execute_query("UPDATE donations SET amount = 0")


@pytest.mark.backend("sqlite")
async def test_unguarded_rebuilding_loses_rows_and_indexes(empty: Settings) -> None:
    """The negative control: the runner of Tortoise, which reports no error."""
    schema, rows = await migrate_and_fill(empty)
    config = tortoise_config(empty, migrations=SECOND_MIGRATIONS)
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


async def migrate_and_fill(settings: Settings) -> tuple[dict[str, Table], Rows]:
    await migrate(settings)
    async with connected(settings) as client:
        await fill_every_table()
        rows = await read_every_table(client)
        assert all(rows.values())
        return await read_schema(client), rows


def rebuilt_schema(schema: dict[str, Table], *, on_postgres: bool) -> dict[str, Table]:
    """Return the schema that the second migration must produce."""
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


async def test_upgrading_from_the_first_version_keeps_all_rows(
    empty: Settings, write_package: Callable[..., str]
) -> None:
    await migrate(empty, migrations=write_package(**{MIGRATION_NAMES[0]: FIRST_MIGRATION}))
    async with connected(empty) as client:
        await client.execute_script(FIRST_ROWS.format(at="'2026-01-01 00:00:00+00:00'"))
        before = {
            table: await client.execute_query_dict(f"SELECT * FROM {table} ORDER BY id") for table in FIRST_TABLES
        }
    assert all(before.values())
    assert await migrate(empty) == MIGRATION_NAMES[1:]
    async with connected(empty) as client:
        after = await read_every_table(client)
        with pytest.raises(IntegrityError):
            await client.execute_query("UPDATE ticket_types SET sold = capacity + 1")
    for table, rows in before.items():
        assert [{**new, **old} for new, old in zip(after[table], rows, strict=True)] == after[table]


async def test_accounts_of_the_first_version_can_be_searched(
    empty: Settings, write_package: Callable[..., str]
) -> None:
    await migrate(empty, migrations=write_package(**{MIGRATION_NAMES[0]: FIRST_MIGRATION}))
    async with connected(empty) as client:
        await client.execute_script(FIRST_ROWS.format(at="'2026-01-01 00:00:00+00:00'"))
    await migrate(empty)
    async with connected(empty):
        for user in await User.all():
            assert user.search_text == search_text(user.username, user.email, user.number)
        assert await User.filter(search_text__contains=fold("SHOPNA স্বপ্না")).count() == 1


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
    with pytest.raises(
        MigrationFailed, match="api_keys, check_ins, email_confirmations, organizations, sessions, tickets"
    ):
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
