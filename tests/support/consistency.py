"""Consistency of the database: no row refers to a missing one, and every stored count is correct."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tortoise import connections
from tortoise.context import require_context

from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import DonationStatus, TicketStatus

_HOLDING = ", ".join(f"'{status}'" for status in TicketStatus if status.holds_place)

_INCONSISTENCIES = {
    # No overselling (decisions 6.2).
    "ticket_types.sold": f"""
        SELECT id FROM ticket_types WHERE sold <> (
            SELECT COUNT(*) FROM tickets WHERE ticket_type_id = ticket_types.id AND status IN ({_HOLDING})
        ) ORDER BY id
    """,
    # Only unpaid pending tickets are held for a limited time (decisions 6.2a).
    "tickets.hold_expires_at": """
        SELECT id FROM tickets WHERE hold_expires_at IS NOT NULL AND (
            status <> 'Pending' OR transaction_id IS NOT NULL
        ) ORDER BY id
    """,
    # Event limits (decisions 4.4).
    "organizations.events_used": """
        SELECT id FROM organizations WHERE events_used <> (
            SELECT COUNT(*) FROM events WHERE organization_id = organizations.id
        ) ORDER BY id
    """,
    # A transaction pays once: its claim is that of one ticket or donation, and of its organization (decisions 6.6).
    "payment_claims.scope": """
        SELECT payment_claims.id FROM payment_claims
        LEFT JOIN tickets ON tickets.id = ticket_id LEFT JOIN events ON events.id = tickets.event_id
        LEFT JOIN donations ON donations.id = donation_id
        WHERE (ticket_id IS NULL) = (donation_id IS NULL)
            OR scope <> COALESCE(events.organization_id, donations.organization_id, 0)
        ORDER BY payment_claims.id
    """,
    # Only what is due or said to have been paid, and has not failed, claims its transaction.
    "tickets.payment_claims": f"""
        SELECT id FROM tickets WHERE (
            SELECT COUNT(*) FROM payment_claims WHERE ticket_id = tickets.id
        ) <> CASE WHEN transaction_id IS NOT NULL AND status <> '{TicketStatus.FAILED}'
            AND (CAST(due AS REAL) > 0 OR CAST(amount AS REAL) > 0) THEN 1 ELSE 0 END ORDER BY id
    """,
    "donations.payment_claims": f"""
        SELECT id FROM donations WHERE (
            SELECT COUNT(*) FROM payment_claims WHERE donation_id = donations.id
        ) <> CASE WHEN status <> '{DonationStatus.REJECTED}' THEN 1 ELSE 0 END ORDER BY id
    """,
    # The event of its ticket, which a foreign key cannot enforce.
    "check_ins.event_id": """
        SELECT id FROM check_ins WHERE event_id <> (
            SELECT event_id FROM tickets WHERE tickets.id = ticket_id
        ) ORDER BY id
    """,
}


@dataclass(frozen=True)
class Reference:
    """A column that contains the IDs of rows of another table."""

    table: str
    column: str
    target: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


def references() -> Iterator[Reference]:
    """Yield every foreign key of every model."""
    apps = require_context().apps
    assert apps is not None
    for model in apps["models"].values():
        for name in sorted(model._meta.fk_fields):
            field: Any = model._meta.fields_map[name]  # Any: Tortoise types fields by what they hold
            yield Reference(model._meta.db_table, field.source_field, field.related_model._meta.db_table)


async def find_inconsistencies() -> dict[str, list[int]]:
    """Return the IDs of rows with a missing reference or a wrong count by column; empty if consistent."""
    found = {str(one): await _ids(_orphans_of(one)) for one in references()}
    found |= {column: await _ids(query) for column, query in _INCONSISTENCIES.items()}
    return {column: ids for column, ids in found.items() if ids}


def _orphans_of(one: Reference) -> str:
    return (
        f"SELECT id FROM {one.table} WHERE {one.column} IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM {one.target} WHERE {one.target}.id = {one.table}.{one.column}) ORDER BY id"
    )


async def _ids(query: str) -> list[int]:
    return [row["id"] for row in await connections.get(CONNECTION).execute_query_dict(query)]
