"""Pagination through whole lists: by cursors in either direction, and by page numbers."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from amarevents.models import Event
from tests.support.world import Caller, in_days

# Any: JSON.

_ARGUMENTS = "first: $first, after: $after, last: $last, before: $before"
_PAGE_FIELDS = (
    "edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
)
EVENTS = (
    "query($first: Int, $after: String, $last: Int, $before: String, $category: Category, $of: ID,"
    " $from: Date, $to: Date, $upcoming: Boolean, $sort: EventSort)"
    "{ eventsConnection(%s, category: $category, organizationId: $of,"
    " from: $from, to: $to, upcoming: $upcoming, sort: $sort) { %s } }" % (_ARGUMENTS, _PAGE_FIELDS)
)
TICKETS = (
    "query($first: Int, $after: String, $last: Int, $before: String, $status: TicketStatus, $of: ID)"
    "{ ticketsConnection(%s, status: $status, eventId: $of) { %s } }" % (_ARGUMENTS, _PAGE_FIELDS)
)


def in_order(events: Iterable[Event]) -> list[Event]:
    """Sort events as lists do: what is to come first, the undated after the dated, then the past (decisions 1.7)."""
    dated = sorted((event for event in events if event.date is not None), key=lambda event: (event.date, event.id))
    undated = sorted((event for event in events if event.date is None), key=lambda event: event.id)
    upcoming = [event for event in dated if event.date is not None and event.date >= in_days(0)]
    return [*upcoming, *undated, *reversed(dated[: len(dated) - len(upcoming)])]


async def page_of(caller: Caller, query: str, **arguments: Any) -> dict[str, Any]:
    """Return a page of a connection, after checking that its edges, nodes and cursors agree."""
    answer = await caller.graphql(query, **arguments)
    assert "errors" not in answer
    [page] = answer["data"].values()
    edges, info = page["edges"], page["pageInfo"]
    assert [edge["node"] for edge in edges] == page["nodes"]
    cursors = [edge["cursor"] for edge in edges]
    assert (info["startCursor"], info["endCursor"]) == ((cursors[0], cursors[-1]) if cursors else (None, None))
    checked: dict[str, Any] = page
    return checked


def ids_of(page: dict[str, Any]) -> list[int]:
    return [int(node["id"]) for node in page["nodes"]]


async def pages_forward(caller: Caller, query: str, size: int, **arguments: Any) -> AsyncIterator[list[int]]:
    after = None
    while True:
        page = await page_of(caller, query, first=size, after=after, **arguments)
        yield ids_of(page)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


async def pages_backward(caller: Caller, query: str, size: int, **arguments: Any) -> AsyncIterator[list[int]]:
    """Yield pages from the end of the list; each page is in the order of the list."""
    before = None
    while True:
        page = await page_of(caller, query, last=size, before=before, **arguments)
        yield ids_of(page)
        if not page["pageInfo"]["hasPreviousPage"]:
            return
        before = page["pageInfo"]["startCursor"]


async def numbered_pages(caller: Caller, size: int) -> AsyncIterator[list[int]]:
    """Yield the same list of events by ``page`` and ``limit``."""
    number = 1
    while True:
        answer = await caller.graphql(
            "query($page: Int, $limit: Int) { events(page: $page, limit: $limit)"
            "{ items { id } pagination { pages } } }",
            page=number,
            limit=size,
        )
        page = answer["data"]["events"]
        yield [int(item["id"]) for item in page["items"]]
        if number >= page["pagination"]["pages"]:
            return
        number += 1
