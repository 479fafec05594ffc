"""Rows and schema after a migration: rebuilding tables and upgrading from the first version keep everything."""

import dataclasses
import re
from collections.abc import Callable

import pytest
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError
from tortoise.migrations.executor import MigrationExecutor

from amarevents.models import User
from amarevents.models.db.connection import CONNECTION, tortoise_config
from amarevents.models.db.migrate import migrate
from amarevents.resolvers.accounts.signup import account_search_text
from amarevents.settings import Settings
from amarevents.text import search_key
from tests.models.conftest import Rows, connected, migrate_and_fill
from tests.support.introspection import Table, read_schema
from tests.support.migrations import MIGRATION_NAMES
from tests.support.rows import read_every_table

pytestmark = pytest.mark.anyio


SECOND_MIGRATIONS = "tests.models.db.second_migrations"


FIRST_MIGRATION = """
from importlib import import_module
Migration = import_module("amarevents.models.migrations.0001_initial").Migration
"""
FIRST_ROWS = """
INSERT INTO users (id, username, username_key, email, number, password_hash, type, admin, created_at, updated_at)
VALUES (1, 'Shopna স্বপ্না', 'shopna স্বপ্না', 's@example.org', '01711', '-', 'user', FALSE, {at}, {at}),
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
            assert user.search_text == account_search_text(user.username, user.email, user.number)
        assert await User.filter(search_text__contains=search_key("SHOPNA স্বপ্না")).count() == 1
