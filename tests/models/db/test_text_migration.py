"""The migration that normalizes text: it keeps every row, and stops if a person must decide (decisions 1.11)."""

from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from amarevents.models import CustomField, CustomValue, Event, Organization, Plan, Ticket, TicketType, User
from amarevents.models.db.connection import applied_migrations
from amarevents.models.db.migrate import MigrationFailed, conflicts_before_migrating, migrate
from amarevents.settings import Settings
from amarevents.text import nfc, search_key
from tests.models.conftest import connected
from tests.support.migrations import MIGRATION_NAMES, migrations_in
from tests.support.typed_rows import CONFLICTS, EQUAL_ROWS, FIRST_MIGRATIONS, FULL_NAME, ROWS, YA, fill_older_database

pytestmark = pytest.mark.anyio

Rows = dict[str, list[dict[str, Any]]]  # Any: the values of any columns
FIRST_NAMES = migrations_in(FIRST_MIGRATIONS)
TABLES = [
    "users", "plans", "organizations", "events", "custom_fields", "gallery_images", "ticket_types", "tickets",
    "custom_values", "check_ins", "donations", "api_keys", "sessions", "email_confirmations", "outgoing_mails",
    "idempotency_records",
]  # fmt: skip
# Computed from other columns, or texts that are not typed.
OTHER_TEXTS = {"username_key", "search_text", "options", "subject", "body"}


async def read(client: BaseDBAsyncClient) -> Rows:
    return {table: await client.execute_query_dict(f"SELECT * FROM {table} ORDER BY id") for table in TABLES}


def normalized(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as it must be after the migration, without the columns that other tests look at."""
    return {
        column: nfc(value) if isinstance(value, str) and value != FULL_NAME else value
        for column, value in row.items()
        if column not in OTHER_TEXTS
    }


async def test_every_row_of_a_filled_database_is_kept_in_its_normal_form(empty: Settings) -> None:
    await fill_older_database(empty, ROWS)
    async with connected(empty) as client:
        before = await read(client)
    assert all(before.values())
    assert await migrate(empty) == [name for name in MIGRATION_NAMES if name not in FIRST_NAMES]
    async with connected(empty) as client:
        after = await read(client)
    for table, rows in before.items():
        expected = [{**new, **normalized(table, old)} for new, old in zip(after[table], rows, strict=True)]
        assert (table, after[table]) == (table, expected)


async def test_migrated_rows_are_found_however_they_are_spelled(empty: Settings) -> None:
    await fill_older_database(empty, ROWS)
    await migrate(empty)
    async with connected(empty):
        user, second, third = await User.all().order_by("id")
        assert (user.username_key, user.email_key) == (nfc(f"জ{YA}া"), "k@xn--bcher-kva.example")
        assert (second.username_key, third.username_key) == ("র\u200d্যাব 1", "র্যাব 1")  # they look different
        assert (await Ticket.get()).email_key == user.email_key
        assert await User.filter(search_text__contains="01711000000").get() == user
        for model, word in ((Event, f"বিজ{YA}"), (Organization, f"ক্লাব {YA}")):
            assert await model.filter(search_text__contains=search_key(word)).exists()
        assert await Plan.filter(name_key=nfc("বড়ো")).exists()
        assert await Plan.filter(name_key="\ue000ক").exists()  # a character without a name


async def test_options_and_answers_are_normalized_alike(empty: Settings) -> None:
    await fill_older_database(empty, ROWS)
    await migrate(empty)
    async with connected(empty):
        assert (await CustomField.get()).options == [nfc(f"{YA}১"), "M"]
        assert (await CustomValue.get()).value == nfc(f"{YA}১")


async def test_text_whose_normal_form_is_too_long_stays_as_it_is(empty: Settings) -> None:
    await fill_older_database(empty, ROWS)
    await migrate(empty)
    async with connected(empty):
        assert (await TicketType.get()).name == FULL_NAME


async def test_rows_that_a_person_must_change_stop_the_migration_with_a_list(empty: Settings) -> None:
    await fill_older_database(empty, ROWS + EQUAL_ROWS)
    async with connected(empty) as client:
        before = await read(client)
    with pytest.raises(MigrationFailed) as failure:
        await migrate(empty)
    assert [line.strip() for line in str(failure.value).splitlines()[1:]] == CONFLICTS
    assert list(map(str, await conflicts_before_migrating(empty))) == CONFLICTS
    async with connected(empty) as client:
        assert await read(client) == before
        assert await applied_migrations(client) == set(FIRST_NAMES)


async def test_migration_succeeds_once_the_rows_are_changed(empty: Settings) -> None:
    await fill_older_database(empty, ROWS + EQUAL_ROWS)
    async with connected(empty) as client:
        await client.execute_script(
            """
            UPDATE users SET username = 'rahim2', email = 'y@example.org' WHERE id = 9;
            UPDATE plans SET name = 'Platinum' WHERE id = 61;
            UPDATE custom_fields SET name = 'Guest 2' WHERE id = 9;
            UPDATE custom_fields SET options = '["Small","M"]' WHERE id = 10;
            """
        )
    assert await conflicts_before_migrating(empty) == []
    assert await migrate(empty)


async def test_current_and_empty_databases_have_no_conflicts(migrated: Settings, empty: Settings) -> None:
    await migrate(empty, migrations=FIRST_MIGRATIONS)
    assert await conflicts_before_migrating(empty) == []
    assert await conflicts_before_migrating(migrated) == []
