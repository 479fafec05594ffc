"""Negative controls of the consistency check: it finds each kind of inconsistency, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from tortoise import connections
from tortoise.transactions import in_transaction

from amarevents.models import CheckIn, Donation, Organization, PaymentClaim, Ticket, TicketType
from amarevents.models.db.connection import CONNECTION
from tests.support.consistency import find_inconsistencies, references
from tests.support.rows import fill_every_table

MISSING = 999_999
DISABLE_FOREIGN_KEYS = {
    "sqlite": "PRAGMA defer_foreign_keys = ON",
    "postgres": "SET LOCAL session_replication_role = replica",
}


class _RolledBack(Exception):
    pass


@asynccontextmanager
async def without_foreign_keys() -> AsyncIterator[None]:
    """Open a transaction without foreign key checks, and roll it back."""
    with suppress(_RolledBack):
        async with in_transaction() as connection:
            await connection.execute_query(DISABLE_FOREIGN_KEYS[connection.capabilities.dialect])
            yield
            raise _RolledBack


@pytest.fixture(autouse=True)
async def consistent_rows(database: None) -> None:
    """Create a row in every table."""
    await fill_every_table()
    await Organization.all().update(events_used=1)


async def test_a_consistent_database_has_no_findings() -> None:
    assert await find_inconsistencies() == {}


async def test_every_missing_reference_is_found() -> None:
    found = {}
    for one in references():
        async with without_foreign_keys():
            await connections.get(CONNECTION).execute_query(f"UPDATE {one.table} SET {one.column} = {MISSING}")
            found[str(one)] = list(await find_inconsistencies())
    # What refers to another row is also missing from a count, or that of a wrong check-in or claim.
    assert found.pop("tickets.event_id") == ["tickets.event_id", "payment_claims.scope", "check_ins.event_id"]
    assert found.pop("tickets.ticket_type_id") == ["tickets.ticket_type_id", "ticket_types.sold"]
    assert found.pop("events.organization_id") == [
        "events.organization_id", "organizations.events_used", "payment_claims.scope"
    ]  # fmt: skip
    assert found.pop("donations.organization_id") == ["donations.organization_id", "payment_claims.scope"]
    for payer in ("ticket", "donation"):
        column = f"payment_claims.{payer}_id"
        assert found.pop(column) == [column, "payment_claims.scope", f"{payer}s.payment_claims"]
    assert found == {column: [column] for column in found}
    assert {"check_ins.ticket_id", "custom_values.field_id", "outgoing_mails.ticket_id"} < found.keys()


async def test_a_missing_claim_and_one_of_a_free_ticket_are_found() -> None:
    ticket, donation = await Ticket.get(), await Donation.get()
    await Ticket.all().update(amount=0, due=0)
    await PaymentClaim.filter(donation_id=donation.id).delete()
    assert await find_inconsistencies() == {
        "tickets.payment_claims": [ticket.id],
        "donations.payment_claims": [donation.id],
    }


async def test_a_hold_of_a_decided_or_paid_ticket_is_found() -> None:
    ticket = await Ticket.get()
    await Ticket.all().update(hold_expires_at=ticket.created_at)
    assert await find_inconsistencies() == {"tickets.hold_expires_at": [ticket.id]}


async def test_a_wrong_count_is_found() -> None:
    kind, organization = await TicketType.get(), await Organization.get()
    await TicketType.all().update(sold=2)
    await Organization.all().update(events_used=0)
    await CheckIn.all().update(event_id=MISSING)
    assert await find_inconsistencies() == {
        "ticket_types.sold": [kind.id],
        "organizations.events_used": [organization.id],
        "check_ins.event_id": [(await CheckIn.get()).id],
    }
