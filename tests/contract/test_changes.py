"""Operations declare the listed things that they write: totals of lists are remembered, and dropped by it."""

from typing import Any

import pytest

from amarevents.models import ApiKey, Donation, Event, Organization, Ticket, User
from amarevents.resolvers.core.operation import OPERATIONS, Operation
from tests.contract.access import ADMINS, Row
from tests.contract.access_table import ALL_ROWS
from tests.contract.operations import GRAPHQL_ONLY, field_name, operation_of
from tests.contract.queries import QUERIES
from tests.contract.scene import Scene, over_graphql, over_rest
from tests.support.world import snapshot

LISTED = {
    "users": User,
    "organizations": Organization,
    "events": Event,
    "tickets": Ticket,
    "donations": Donation,
    "api_keys": ApiKey,
}
"""Tables that paged lists count."""

BOOKS = {"organizations": {"events_used"}, "tickets": {"ticket_type_id"}}
"""Columns by which no list filters: a write of them alone changes no total."""


def _row(method: str, path: str, body: str = "") -> Row:
    return Row(method, path, body, "", "", None, ADMINS)


FURTHER = (
    _row("POST", "/events", '{"name": "Fair", "organization_id": $organization, "ticket_types": [{"name": "VIP"}]}'),
    _row("PUT", "/events/$event", '{"privacy": "private", "date": "2030-01-01", "category": "Charity"}'),
    _row("DELETE", "/events/$event"),
    _row("PUT", "/organizations/$organization", '{"name": "Chhayanaut"}'),
    _row("POST", "/tickets", '{"event_id": $event, "ticket_type_id": $awaited_type, "amount": 20}'),
    _row("PUT", "/tickets/$ticket", '{"status": "Refunded", "ticket_type_id": $awaited_type}'),
    _row("DELETE", "/ticket-types/$awaited_type"),
    _row("PUT", "/users/me", '{"username": "someone else", "number": "01900000000"}'),
    _row("PUT", "/keys/$own_key", '{"is_active": false}'),
    _row("PUT", "/admin/users/$owner", '{"demote_organizer": true}'),
    _row("PUT", "/admin/users/$holder", '{"type": "organizer", "admin": true, "email": "new@example.com"}'),
    _row("DELETE", "/admin/users/$holder"),
    _row("DELETE", "/admin/users/$owner", ""),
)
"""What reaches further than the requests in the table of access."""

WRITING = [row for row in ALL_ROWS if not row.only_reads and row.expected["admin's session"] < 300]
OF_FIELDS = {field_name(OPERATIONS[name]): OPERATIONS[name] for name in GRAPHQL_ONLY}


def _operation(row: Row) -> Operation[Any]:  # Any: each has its own view
    return operation_of(row.method, row.contract_path) if row.path else OF_FIELDS[row.root_field]


def _as_counted(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:  # Any: columns
    return [{column: row[column] for column in row.keys() - BOOKS.get(table, set())} for row in rows]


@pytest.mark.parametrize("row", [*WRITING, *FURTHER], ids=lambda row: f"{row.name} {row.body}")
async def test_an_operation_declares_what_it_writes(scene: Scene, row: Row) -> None:
    await scene.donation(scene.world.anonymous)
    await scene.world.key(scene.owner)
    caller = await scene.caller("admin's session")
    send = await scene.request(over_rest if row.path else over_graphql, row, caller)
    before = await snapshot()
    assert await send() < 300
    after = await snapshot()
    written = {
        LISTED[table] for table in LISTED if _as_counted(table, before[table]) != _as_counted(table, after[table])
    }
    declared = set(_operation(row).changes)
    assert written <= declared, f"changes= of {_operation(row).name} lacks models"
    assert bool(written) is bool(declared), (
        f"changes= of {_operation(row).name} has models that paged lists do not count"
    )


async def test_deleting_an_account_reaches_every_listed_table(scene: Scene) -> None:
    """So that the test above has seen the widest write there is."""
    await scene.donation(scene.world.anonymous)
    await scene.world.key(scene.owner)
    before = await snapshot()
    caller = await scene.caller("admin")
    assert (await caller.delete(f"/admin/users/{scene.owner.id}")).status_code == 200
    after = await snapshot()
    assert all(len(after[table]) < len(before[table]) for table in LISTED if table != "api_keys")


def test_no_list_filters_by_the_books() -> None:
    asked = {name for parameters in QUERIES.values() for name in parameters}
    assert not asked & {column for columns in BOOKS.values() for column in columns}
