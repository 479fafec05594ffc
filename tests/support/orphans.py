"""Whether the books of the database are balanced: no row refers to a missing one, and every count is what it counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tortoise import connections
from tortoise.context import require_context

from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import TicketStatus

_HOLDING = ", ".join(f"'{status}'" for status in TicketStatus if status.holds_place)

_WRONG_COUNTS = {
    # decisions 6.2
    "ticket_types.sold": f"""
        SELECT id FROM ticket_types WHERE sold <> (
            SELECT COUNT(*) FROM tickets WHERE ticket_type_id = ticket_types.id AND status IN ({_HOLDING})
        ) ORDER BY id
    """,
    # decisions 4.4
    "organizations.events_used": """
        SELECT id FROM organizations WHERE events_used <> (
            SELECT COUNT(*) FROM events WHERE organization_id = organizations.id
        ) ORDER BY id
    """,
    # The event of its ticket, which no foreign key can say.
    "check_ins.event_id": """
        SELECT id FROM check_ins WHERE event_id <> (
            SELECT event_id FROM tickets WHERE tickets.id = ticket_id
        ) ORDER BY id
    """,
}


@dataclass(frozen=True)
class Reference:
    """A column that holds the ids of another table's rows."""

    table: str
    column: str
    target: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


def references() -> Iterator[Reference]:
    """Every foreign key of every model."""
    apps = require_context().apps
    assert apps is not None
    for model in apps["models"].values():
        for name in sorted(model._meta.fk_fields):
            field: Any = model._meta.fields_map[name]  # Any: Tortoise types fields by what they hold
            yield Reference(model._meta.db_table, field.source_field, field.related_model._meta.db_table)


async def unbalanced() -> dict[str, list[int]]:
    """The ids of the rows that refer to a missing row or count wrongly, by column; empty when all is well."""
    found = {str(one): await _ids(_orphans_of(one)) for one in references()}
    found |= {column: await _ids(query) for column, query in _WRONG_COUNTS.items()}
    return {column: ids for column, ids in found.items() if ids}


def _orphans_of(one: Reference) -> str:
    return (
        f"SELECT id FROM {one.table} WHERE {one.column} IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM {one.target} WHERE {one.target}.id = {one.table}.{one.column}) ORDER BY id"
    )


async def _ids(query: str) -> list[int]:
    return [row["id"] for row in await connections.get(CONNECTION).execute_query_dict(query)]
