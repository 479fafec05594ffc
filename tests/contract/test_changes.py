"""The tables that operations declare to change: what is kept in memory is dropped by them."""

from typing import Any

import pytest

from amarevents.models import (
    ApiKey,
    CustomField,
    Donation,
    Event,
    GalleryImage,
    Organization,
    Plan,
    Ticket,
    TicketType,
    User,
)
from amarevents.resolvers.core.operation import OPERATIONS, Operation
from tests.contract.access import ADMINS, Row
from tests.contract.access_table import ALL_ROWS
from tests.contract.operations import GRAPHQL_ONLY, field_name, operation_of
from tests.contract.queries import QUERIES
from tests.contract.scene import Scene, send_over_graphql, send_over_rest
from tests.support.world import snapshot

LISTED = {
    "users": User,
    "organizations": Organization,
    "plans": Plan,
    "events": Event,
    "ticket_types": TicketType,
    "custom_fields": CustomField,
    "gallery_images": GalleryImage,
    "tickets": Ticket,
    "donations": Donation,
    "api_keys": ApiKey,
}
"""The tables that paged lists count, and those that anonymous callers see."""

NOT_FILTERED = {"organizations": {"events_used"}, "tickets": {"ticket_type_id"}}
"""Columns that no list filters by and no anonymous caller sees: writing only these changes no total and no answer."""


def _row(method: str, path: str, body: str = "") -> Row:
    return Row(method, path, body, "", "", None, ADMINS)


WIDER_REQUESTS = (
    _row("POST", "/events", '{"name": "Fair", "organization_id": $organization, "ticket_types": [{"name": "VIP"}]}'),
    _row("PUT", "/events/$event", '{"privacy": "private", "date": "2030-01-01", "category": "Charity"}'),
    _row("DELETE", "/events/$event"),
    _row("PUT", "/organizations/$organization", '{"name": "Chhayanaut"}'),
    _row("POST", "/tickets", '{"event_id": $event, "ticket_type_id": $type_with_pending_ticket, "amount": 20}'),
    _row("PUT", "/tickets/$ticket", '{"status": "Refunded", "ticket_type_id": $type_with_pending_ticket}'),
    _row("DELETE", "/ticket-types/$type_with_pending_ticket"),
    _row("PUT", "/users/me", '{"username": "someone else", "number": "01900000000"}'),
    _row("PUT", "/keys/$own_key", '{"is_active": false}'),
    _row("PUT", "/admin/users/$owner", '{"demote_organizer": true}'),
    _row("PUT", "/admin/users/$holder", '{"type": "organizer", "admin": true, "email": "new@example.com"}'),
    _row("DELETE", "/admin/users/$holder"),
    _row("DELETE", "/admin/users/$owner", ""),
)
"""Requests that write more than those of the access table."""

WRITING = [row for row in ALL_ROWS if not row.only_reads and row.expected["admin's session"] < 300]
GRAPHQL_OPERATIONS = {field_name(OPERATIONS[name]): OPERATIONS[name] for name in GRAPHQL_ONLY}


def _operation(row: Row) -> Operation[Any]:  # Any: each has its own view
    return operation_of(row.method, row.contract_path) if row.path else GRAPHQL_OPERATIONS[row.root_field]


def _as_counted(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:  # Any: columns
    return [{column: row[column] for column in row.keys() - NOT_FILTERED.get(table, set())} for row in rows]


async def add_parts(scene: Scene) -> None:
    """Add what is deleted together with the event."""
    await scene.world.ticket_type(scene.event)
    await scene.world.custom_field(scene.event, "Diet")
    await scene.world.gallery_image(scene.event)


@pytest.mark.parametrize("row", [*WRITING, *WIDER_REQUESTS], ids=lambda row: f"{row.name} {row.body}")
async def test_an_operation_declares_the_tables_that_it_changes(scene: Scene, row: Row) -> None:
    await scene.donation(scene.world.anonymous)
    await scene.world.key(scene.owner)
    if row.method == "DELETE":
        await add_parts(scene)
    caller = await scene.caller("admin's session")
    send = await scene.request(send_over_rest if row.path else send_over_graphql, row, caller)
    before = await snapshot()
    assert await send() < 300
    after = await snapshot()
    written = {
        LISTED[table] for table in LISTED if _as_counted(table, before[table]) != _as_counted(table, after[table])
    }
    declared = set(_operation(row).changes)
    assert written <= declared, f"add to changes= of {_operation(row).name}: {written - declared}"
    assert bool(written) is bool(declared)


async def test_deleting_an_account_changes_every_listed_table(scene: Scene) -> None:
    """The widest write is among the requests above."""
    await scene.donation(scene.world.anonymous)
    await scene.world.key(scene.owner)
    await add_parts(scene)
    before = await snapshot()
    caller = await scene.caller("admin")
    assert (await caller.delete(f"/admin/users/{scene.owner.id}")).status_code == 200
    after = await snapshot()
    assert {table for table in LISTED if len(after[table]) == len(before[table])} == {"api_keys", "plans"}


def test_no_list_filters_by_the_excluded_columns() -> None:
    filters = {name for parameters in QUERIES.values() for name in parameters}
    assert not filters & {column for columns in NOT_FILTERED.values() for column in columns}
