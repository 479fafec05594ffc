"""Pages by cursors are read by an index from their place on, however far it is from the beginning of the list."""

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
# A page with what is read along, where one row in four has what the filters ask for.
READ = 4 * (20 + 2)


@dataclass
class Large:
    """Many events, half of them on one day and half without a date, and as many tickets of one event."""

    callers: dict[str, Caller]
    of: dict[str, int]
    places: dict[str, str]


@pytest.fixture
async def large(world: World, backend: Backend) -> Large:
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
    return Large(
        callers={
            "nobody": world.anonymous,
            "buyer": await world.key(user),
            "owner": await world.session(owner),
            "admin": await world.admin_key(),
        },
        of={EVENTS: organization.id, TICKETS: event.id},
        places={
            EVENTS: ListEventsByCursor.ORDER.encode_cursor((UNDATED, far_event.id)),
            TICKETS: ListTicketsByCursor.ORDER.encode_cursor((far_ticket.id,)),
        },
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


async def _rows_read(statement: Statement) -> int:
    """How many rows of the listed table PostgreSQL has looked at."""
    explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
    [row] = await connections.get(CONNECTION).execute_query_dict(explained, statement.values)
    tree = row["QUERY PLAN"]
    root = json.loads(tree) if isinstance(tree, str) else tree
    listed = [node for node in _nodes(root[0]["Plan"]) if node.get("Alias") in {"events", "tickets"}]
    return int(sum(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in listed))


async def _is_read_from_its_place(statement: Statement, backend: Backend) -> bool:
    """On PostgreSQL by what it reads; SQLite tells only how it would: by a bound of an index, in the index's order."""
    if backend == "postgres":
        return await _rows_read(statement) <= READ
    connection = connections.get(CONNECTION)
    steps = await connection.execute_query_dict(f"EXPLAIN QUERY PLAN {statement}", statement.values)
    details = [step["detail"] for step in steps]
    bounded = any("sort_date>" in step or "sort_date<" in step or "id<" in step or "id>" in step for step in details)
    return bounded and not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in details)


PAGES = [
    ("nobody", EVENTS, ""),
    ("nobody", EVENTS, "category"),
    ("nobody", EVENTS, "of"),
    ("buyer", EVENTS, ""),
    ("owner", EVENTS, ""),
    ("admin", EVENTS, ""),
    ("owner", TICKETS, "of"),
    ("owner", TICKETS, "of status"),
]


async def test_a_page_is_read_from_its_place(large: Large, backend: Backend) -> None:
    read_otherwise = []
    for (who, query, asked), backward in itertools.product(PAGES, (False, True)):
        given: dict[str, Any] = {"category": "GAMES", "of": large.of[query], "status": "SUCCESS"}
        place = {"last": 20, "before": large.places[query]} if backward else {"after": large.places[query]}
        with counted_statements() as statements:
            page = await page_of(large.callers[who], query, **place, **{name: given[name] for name in asked.split()})
        assert len(page["nodes"]) == 20
        pages = [one for one in statements if " ORDER BY " in one]
        assert pages
        read_otherwise += [(who, one) for one in pages if not await _is_read_from_its_place(one, backend)]
    assert read_otherwise == []


async def test_the_same_as_a_disjunction_is_not(large: Large, backend: Backend) -> None:
    """The control: it is the comparison of row values that begins at the place."""
    date, number = ListEventsByCursor.ORDER.decode_cursor(large.places[EVENTS])
    with counted_statements() as statements:
        await sorted_events(Event.filter(Q(sort_date__gt=date) | Q(sort_date=date, id__gte=number))).limit(22)
    assert not await _is_read_from_its_place(statements[0], backend)
