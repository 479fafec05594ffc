"""The migration of payments: what is due, and claims of the transactions that have paid (decisions 6.1, 6.6)."""

from decimal import Decimal

import pytest
from tortoise.exceptions import IntegrityError

from amarevents.models import PaymentClaim, Ticket
from amarevents.models.db.connection import applied_migrations
from amarevents.models.db.migrate import MigrationFailed, conflicts_before_migrating, migrate
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.support.consistency import find_inconsistencies
from tests.support.migrations import migrations_in
from tests.support.typed_rows import FIRST_MIGRATIONS, fill_older_database

pytestmark = pytest.mark.anyio

AT = "'2026-01-01 00:00:00+00:00'"
ROWS = f"""
INSERT INTO users (id, username, username_key, email, number, password_hash, type, admin, created_at, updated_at)
VALUES (1, 'rana', 'rana', 'r@example.org', '01711', '-', 'organizer', FALSE, {AT}, {AT});
INSERT INTO organizations (id, user_id, plan_id, name, events_used, search_text, created_at, updated_at)
VALUES (1, 1, (SELECT id FROM plans WHERE name = 'Free'), 'Club', 1, 'club', {AT}, {AT}),
       (2, 1, (SELECT id FROM plans WHERE name = 'Free'), 'Union', 1, 'union', {AT}, {AT});
INSERT INTO events (id, organization_id, name, sort_date, privacy, socials, wallets, search_text, created_at,
                    updated_at)
VALUES (1, 1, 'Concert', '2027-01-01', 'public', '[]', '{{}}', 'concert', {AT}, {AT}),
       (2, 2, 'Fair', '2027-01-01', 'public', '[]', '{{}}', 'fair', {AT}, {AT});
INSERT INTO tickets (id, code, event_id, user_id, name, email, amount, status, transaction_id, created_at, updated_at)
VALUES (1, 'c1', 1, 1, 'x', 'x@example.org', '250.50', 'Success', 'TRXID:AB-1', {AT}, {AT}),
       (2, 'c2', 1, 1, 'x', 'x@example.org', '250.50', 'Failed', 'AB1', {AT}, {AT}),
       (3, 'c3', 1, 1, 'x', 'x@example.org', '0', 'Success', 'A-B-1', {AT}, {AT}),
       (4, 'c4', 1, 1, 'x', 'x@example.org', '0.01', 'Refunded', 'TXN9', {AT}, {AT}),
       (5, 'c5', 1, 1, 'x', 'x@example.org', '250.50', 'Pending', NULL, {AT}, {AT}),
       (6, 'c6', 1, 1, 'x', 'x@example.org', '250.50', 'Pending', '---', {AT}, {AT}),
       (7, 'c7', 2, 1, 'x', 'x@example.org', '250.50', 'Pending', 'AB.1', {AT}, {AT});
INSERT INTO donations (id, organization_id, email, number, amount, transaction_id, type, status, created_at, updated_at)
VALUES (1, 1, 'd@example.org', '-', 5, 'AB1', 'bkash', 'rejected', {AT}, {AT}),
       (2, 1, 'd@example.org', '-', 5, 'GIFT1', 'bkash', 'verified', {AT}, {AT}),
       (3, NULL, 'd@example.org', '-', 5, 'AB1', 'bkash', 'pending', {AT}, {AT});
"""
EQUAL_ROWS = f"""
INSERT INTO tickets (id, code, event_id, user_id, name, email, amount, status, transaction_id, created_at, updated_at)
VALUES (8, 'c8', 1, 1, 'x', 'x@example.org', '10', 'Pending', 'AB1!', {AT}, {AT});
INSERT INTO donations (id, organization_id, email, number, amount, transaction_id, type, status, created_at, updated_at)
VALUES (4, 1, 'd@example.org', '-', 5, 'AB_1', 'bkash', 'pending', {AT}, {AT}),
       (5, NULL, 'd@example.org', '-', 5, 'AB1', 'nagad', 'verified', {AT}, {AT});
"""
KIND = "transaction IDs of payments to an organization or the platform"
CONFLICTS = [
    f"{KIND}: ticket 1 (TRXID:AB-1), ticket 8 (AB1!), donation 4 (AB_1)",
    f"{KIND}: donation 3 (AB1), donation 5 (AB1)",
]


async def test_amount_of_an_existing_ticket_is_due(empty: Settings) -> None:
    """The migration makes no new debts."""
    await fill_older_database(empty, ROWS)
    await migrate(empty)
    async with connected(empty):
        tickets = await Ticket.all()
    assert {ticket.due for ticket in tickets} == {Decimal(0), Decimal("0.01"), Decimal("250.50")}
    assert all(ticket.due == ticket.amount for ticket in tickets)


async def test_existing_payments_claim_their_transactions(empty: Settings) -> None:
    await fill_older_database(empty, ROWS)
    await migrate(empty)
    async with connected(empty):
        claims = await PaymentClaim.all().order_by("id").values_list("scope", "transaction_key", "ticket_id")
        assert claims == [(1, "ab1", 1), (1, "9", 4), (2, "ab1", 7), (1, "gift1", None), (0, "ab1", None)]
        with pytest.raises(IntegrityError):
            await PaymentClaim.create(scope=1, transaction_key="ab1", ticket_id=2)
        found = await find_inconsistencies()
    # A transaction ID without letters and digits could be stored before, and claims nothing.
    assert found.pop("tickets.payment_claims") == [6]
    assert found == {}


async def test_payments_that_have_paid_twice_stop_the_migration_with_a_list(empty: Settings) -> None:
    await fill_older_database(empty, ROWS + EQUAL_ROWS)
    with pytest.raises(MigrationFailed) as failure:
        await migrate(empty)
    assert [line.strip() for line in str(failure.value).splitlines()[1:]] == CONFLICTS
    assert list(map(str, await conflicts_before_migrating(empty))) == CONFLICTS
    async with connected(empty) as client:
        assert await applied_migrations(client) == set(migrations_in(FIRST_MIGRATIONS))
        await client.execute_script(
            """
            UPDATE tickets SET status = 'Failed' WHERE id = 8;
            UPDATE donations SET status = 'rejected' WHERE id IN (4, 5);
            """
        )
    assert await conflicts_before_migrating(empty) == []
    assert await migrate(empty)
