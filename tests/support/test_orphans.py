"""The finder of unbalanced books finds each kind of imbalance, and nothing where there is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from tortoise import connections
from tortoise.transactions import in_transaction

from amarevents.models import CheckIn, Organization, TicketType
from amarevents.models.db.connection import CONNECTION
from tests.support.orphans import references, unbalanced
from tests.support.rows import fill_every_table

MISSING = 999_999
UNCHECKED = {"sqlite": "PRAGMA defer_foreign_keys = ON", "postgres": "SET LOCAL session_replication_role = replica"}


class _RolledBack(Exception):
    pass


@asynccontextmanager
async def unchecked() -> AsyncIterator[None]:
    """A transaction in which rows may refer to missing ones; it is rolled back."""
    with suppress(_RolledBack):
        async with in_transaction() as connection:
            await connection.execute_query(UNCHECKED[connection.capabilities.dialect])
            yield
            raise _RolledBack


@pytest.fixture(autouse=True)
async def balanced_rows(database: None) -> None:
    """A row in every table."""
    await fill_every_table()
    await Organization.all().update(events_used=1)


async def test_balanced_books_have_nothing_to_find() -> None:
    assert await unbalanced() == {}


async def test_every_reference_to_a_missing_row_is_found() -> None:
    found = {}
    for one in references():
        async with unchecked():
            await connections.get(CONNECTION).execute_query(f"UPDATE {one.table} SET {one.column} = {MISSING}")
            found[str(one)] = list(await unbalanced())
    # A ticket and an event that point elsewhere are missing from a count, too, and a check-in is of another event.
    assert found.pop("tickets.event_id") == ["tickets.event_id", "check_ins.event_id"]
    assert found.pop("tickets.ticket_type_id") == ["tickets.ticket_type_id", "ticket_types.sold"]
    assert found.pop("events.organization_id") == ["events.organization_id", "organizations.events_used"]
    assert found == {column: [column] for column in found}
    assert {"check_ins.ticket_id", "custom_values.field_id", "outgoing_mails.ticket_id"} < found.keys()


async def test_a_wrong_count_is_found() -> None:
    kind, organization = await TicketType.get(), await Organization.get()
    await TicketType.all().update(sold=2)
    await Organization.all().update(events_used=0)
    await CheckIn.all().update(event_id=MISSING)
    assert await unbalanced() == {
        "ticket_types.sold": [kind.id],
        "organizations.events_used": [organization.id],
        "check_ins.event_id": [(await CheckIn.get()).id],
    }
