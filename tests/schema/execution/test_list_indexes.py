"""Indexes for cursor pagination: a page is read from its position on, however far into the list it is."""

import datetime
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
from amarevents.models.enums import Category, EventSort, TicketStatus
from amarevents.models.events import UNDATED
from amarevents.resolvers.events.schedule import event_order
from amarevents.resolvers.tickets.queries import ListTicketsByCursor
from tests.support.pagination import EVENTS, TICKETS, page_of
from tests.support.selection import Backend
from tests.support.statements import Statement, counted_statements
from tests.support.world import Caller, World, in_days

# Any: JSON.

ROWS = 4_000
# The rows of a page and the two read in addition, where one row in four matches the filters.
READ = 4 * (20 + 2)
DATES = (in_days(-3), in_days(3), UNDATED)


@dataclass
class LargeLists:
    """Many events, a third of them on each date, and as many tickets of one event."""

    callers: dict[str, Caller]
    parents: dict[str, int]
    far_events: dict[datetime.date, Event]
    """An event with many others before and after it, by date."""
    far_ticket: Ticket

    def cursor(self, query: str, date: datetime.date, sort: EventSort | None) -> str:
        if query == TICKETS:
            return ListTicketsByCursor.ORDER.encode_cursor((self.far_ticket.id,))
        order = event_order(sort, in_days(0))
        return order.encode_cursor(order.sort_key(self.far_events[date]))


@pytest.fixture
async def large_lists(world: World, backend: Backend) -> LargeLists:
    owner, user = await world.organizer(), await world.user()
    event, organization = await world.event(owner), await world.organization(await world.organizer())
    await Event.bulk_create(
        (
            Event(
                organization=organization,
                name=f"Event {number}",
                sort_date=DATES[number % 3],
                category=Category.GAMES if number % 2 else Category.OTHER,
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
    far_events = {date: (await Event.filter(sort_date=date).order_by("id"))[ROWS // 6] for date in DATES}
    far_ticket = (await Ticket.all().order_by("id"))[ROWS // 2]
    return LargeLists(
        callers={
            "anonymous": world.anonymous,
            "buyer": await world.key(user),
            "owner": await world.session(owner),
            "admin": await world.admin_key(),
        },
        parents={EVENTS: organization.id, TICKETS: event.id},
        far_events=far_events,
        far_ticket=far_ticket,
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
SORTS = [None, *EventSort]


async def test_page_is_read_from_its_position(large_lists: LargeLists, backend: Backend) -> None:
    other_statements = []
    values: dict[str, Any] = {"category": "GAMES", "status": "SUCCESS"}
    for (caller, query, filters), date, sort, backward in itertools.product(PAGES, DATES, SORTS, (False, True)):
        if query == TICKETS and (date != DATES[0] or sort is not None):
            continue
        cursor = large_lists.cursor(query, date, sort)
        position = {"last": 20, "before": cursor} if backward else {"first": 20, "after": cursor}
        selected = {name: values.get(name, large_lists.parents[query]) for name in filters.split()}
        order = {"sort": sort.name} if sort else {}
        with counted_statements() as statements:
            page = await page_of(large_lists.callers[caller], query, **position, **selected, **order)
        assert len(page["nodes"]) == 20
        pages = [one for one in statements if " ORDER BY " in one]
        assert pages
        other_statements += [(caller, sort, one) for one in pages if not await _is_read_from_its_position(one, backend)]
    assert other_statements == []


async def test_same_condition_as_a_disjunction_is_not_read_from_its_position(
    large_lists: LargeLists, backend: Backend
) -> None:
    """Negative control: the position is found by a comparison of row values."""
    far = large_lists.far_events[UNDATED]
    beyond = Q(sort_date__gt=far.sort_date) | Q(sort_date=far.sort_date, id__gte=far.id)
    with counted_statements() as statements:
        await Event.filter(beyond).order_by("sort_date", "id").limit(22)
    assert not await _is_read_from_its_position(statements[0], backend)
