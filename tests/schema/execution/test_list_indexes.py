"""Indexes for cursor pagination: a page is read from its position on, however far into the list it is."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tortoise import connections
from tortoise.expressions import Q

from amarevents.models import Event, Ticket
from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import Category, TicketStatus
from amarevents.models.events import UNDATED
from amarevents.resolvers.events.queries import ListEventsByCursor, sorted_events
from amarevents.resolvers.tickets.queries import ListTicketsByCursor
from tests.support.pagination import EVENTS, TICKETS, page_of
from tests.support.selection import Backend
from tests.support.statements import Statement, counted_statements
from tests.support.world import Caller, World, in_days

# Any: JSON.

ROWS = 4_000
# The rows of a page and the two read in addition, where one row in four matches the filters.
READ = 4 * (20 + 2)


@dataclass
class LargeLists:
    """Many events, half of them on one date and half without a date, and as many tickets of one event."""

    callers: dict[str, Caller]
    parents: dict[str, int]
    cursors: dict[str, str]


@pytest.fixture
async def large_lists(world: World, backend: Backend) -> LargeLists:
    owner, user = await world.organizer(), await world.user()
    event, organization = await world.event(owner), await world.organization(await world.organizer())
    await Event.bulk_create(
        (
            Event(
                organization=organization,
                name=f"Event {number}",
                sort_date=in_days(3) if number % 2 else UNDATED,
                category=Category.GAMES if number % 4 > 1 else Category.OTHER,
            )
            for number in range(ROWS)
        ),
        batch_size=500,
    )
    statuses = itertools.cycle([TicketStatus.SUCCESS, TicketStatus.FAILED])
    await Ticket.bulk_create(
        (
            Ticket(code=f"AE{number}", event=event, user=user, name="x", email="x@example.com", status=next(statuses))
            for number in range(ROWS)
        ),
        batch_size=500,
    )
    if backend == "postgres":
        await connections.get(CONNECTION).execute_query("ANALYZE")
    far_event = (await Event.filter(sort_date=UNDATED).order_by("id"))[ROWS // 4]
    far_ticket = (await Ticket.all().order_by("id"))[ROWS // 2]
    return LargeLists(
        callers={
            "anonymous": world.anonymous,
            "buyer": await world.key(user),
            "owner": await world.session(owner),
            "admin": await world.admin_key(),
        },
        parents={EVENTS: organization.id, TICKETS: event.id},
        cursors={
            EVENTS: ListEventsByCursor.ORDER.encode_cursor((UNDATED, far_event.id)),
            TICKETS: ListTicketsByCursor.ORDER.encode_cursor((far_ticket.id,)),
        },
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


async def _rows_read(statement: Statement) -> int:
    """Return how many rows of the listed table PostgreSQL has read."""
    explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
    [row] = await connections.get(CONNECTION).execute_query_dict(explained, statement.values)
    tree = row["QUERY PLAN"]
    root = json.loads(tree) if isinstance(tree, str) else tree
    listed = [node for node in _nodes(root[0]["Plan"]) if node.get("Alias") in {"events", "tickets"}]
    return int(sum(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in listed))


async def _is_read_from_its_position(statement: Statement, backend: Backend) -> bool:
    """Return whether the page is read from its position on.

    PostgreSQL reports the rows that it has read. SQLite reports only its plan, which must use a bound and the order of
    an index.
    """
    if backend == "postgres":
        return await _rows_read(statement) <= READ
    connection = connections.get(CONNECTION)
    steps = await connection.execute_query_dict(f"EXPLAIN QUERY PLAN {statement}", statement.values)
    details = [step["detail"] for step in steps]
    bounded = any("sort_date>" in step or "sort_date<" in step or "id<" in step or "id>" in step for step in details)
    return bounded and not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in details)


PAGES = [
    ("anonymous", EVENTS, ""),
    ("anonymous", EVENTS, "category"),
    ("anonymous", EVENTS, "of"),
    ("buyer", EVENTS, ""),
    ("owner", EVENTS, ""),
    ("admin", EVENTS, ""),
    ("owner", TICKETS, "of"),
    ("owner", TICKETS, "of status"),
]


async def test_page_is_read_from_its_position(large_lists: LargeLists, backend: Backend) -> None:
    other_statements = []
    for (caller, query, filters), backward in itertools.product(PAGES, (False, True)):
        values: dict[str, Any] = {"category": "GAMES", "of": large_lists.parents[query], "status": "SUCCESS"}
        position = (
            {"last": 20, "before": large_lists.cursors[query]} if backward else {"after": large_lists.cursors[query]}
        )
        with counted_statements() as statements:
            selected = {name: values[name] for name in filters.split()}
            page = await page_of(large_lists.callers[caller], query, **position, **selected)
        assert len(page["nodes"]) == 20
        pages = [one for one in statements if " ORDER BY " in one]
        assert pages
        other_statements += [(caller, one) for one in pages if not await _is_read_from_its_position(one, backend)]
    assert other_statements == []


async def test_same_condition_as_a_disjunction_is_not_read_from_its_position(
    large_lists: LargeLists, backend: Backend
) -> None:
    """Negative control: the position is found by a comparison of row values."""
    date, number = ListEventsByCursor.ORDER.decode_cursor(large_lists.cursors[EVENTS])
    with counted_statements() as statements:
        await sorted_events(Event.filter(Q(sort_date__gt=date) | Q(sort_date=date, id__gte=number))).limit(22)
    assert not await _is_read_from_its_position(statements[0], backend)
