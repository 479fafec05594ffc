"""Lists of events by date: today, midnight and the filters, on both surfaces (decisions 1.7)."""

import datetime
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from amarevents.models import Event, Organization
from tests.support.graphql_answers import answer_of, error_code_and_fields, refused
from tests.support.pagination import EVENTS, ids_of, numbered_pages, page_of
from tests.support.rest_answers import error_in, page_in
from tests.support.world import Caller, World

SetClock = Callable[[datetime.datetime], None]

TODAY = datetime.date(2027, 4, 14)
DHAKA = datetime.timezone(datetime.timedelta(hours=6))
LAST_MINUTE = datetime.datetime(2027, 4, 14, 23, 59, tzinfo=DHAKA)
MIDNIGHT = datetime.datetime(2027, 4, 15, tzinfo=DHAKA)


def _day(number: int) -> datetime.date:
    return TODAY + datetime.timedelta(days=number)


async def _event(world: World, organization: Organization, day: int | None) -> Event:
    return await world.event(organization, date=None if day is None else _day(day))


async def _events(world: World, days: list[int | None]) -> list[int]:
    organization = await world.organization(await world.organizer())
    return [(await _event(world, organization, day)).id for day in days]


LISTS_OF_EVENTS = """query($upcoming: Boolean, $from: Date, $to: Date, $sort: EventSort, $organization: ID!) {
    events(upcoming: $upcoming, from: $from, to: $to, sort: $sort) { items { id } pagination { total } }
    adminEvents(upcoming: $upcoming, from: $from, to: $to, sort: $sort) { items { id } pagination { total } }
    eventsConnection(upcoming: $upcoming, from: $from, to: $to, sort: $sort) { nodes { id } totalCount }
    organization(id: $organization) {
        events(upcoming: $upcoming, from: $from, to: $to, sort: $sort) { items { id } pagination { total } }
        eventsConnection(upcoming: $upcoming, from: $from, to: $to, sort: $sort) { nodes { id } totalCount }
    }
}"""


async def _every_list(admin: Caller, organization: Organization, **filters: Any) -> list[tuple[list[int], int]]:
    """Return the IDs and the total of every list of events with the filters."""
    rest = [page_in(await admin.get(path, **filters)) for path in ("/events", "/admin/events")]
    if "sort" in filters:
        names = {"date": "DATE", "-date": "DATE_DESCENDING", "newest": "NEWEST"}
        filters["sort"] = names[filters["sort"]]
    answer = await admin.graphql(LISTS_OF_EVENTS, organization=organization.id, **filters)
    assert "errors" not in answer, answer
    data = answer["data"]
    pages = (data["events"], data["adminEvents"], data["organization"]["events"])
    connections = (data["eventsConnection"], data["organization"]["eventsConnection"])
    return [
        *((ids, pagination["total"]) for ids, pagination in rest),
        *(([int(item["id"]) for item in page["items"]], page["pagination"]["total"]) for page in pages),
        *(([int(node["id"]) for node in connection["nodes"]], connection["totalCount"]) for connection in connections),
    ]


@pytest.mark.parametrize(
    ("filters", "days"),
    [
        ({}, [0, 1, 5, None, -1, -5]),
        ({"upcoming": True}, [0, 1, 5, None]),
        ({"upcoming": False}, [-1, -5]),
        ({"from": "2027-04-14"}, [0, 1, 5]),
        ({"to": "2027-04-14"}, [0, -1, -5]),
        ({"from": "2027-04-13", "to": "2027-04-15"}, [0, 1, -1]),
        ({"from": "2027-04-14", "to": "2027-04-14"}, [0]),
        ({"from": "0001-01-01", "to": "9999-12-31"}, [0, 1, 5, -1, -5]),
        ({"from": "2027-04-13", "upcoming": True}, [0, 1, 5]),
        ({"to": "2027-04-13", "upcoming": True}, []),
        ({"sort": "date"}, [-5, -1, 0, 1, 5, None]),
        ({"sort": "-date"}, [5, 1, 0, -1, -5, None]),
        ({"sort": "newest"}, [-5, 5, None, -1, 1, 0]),
        ({"sort": "-date", "upcoming": True}, [5, 1, 0, None]),
        ({"sort": "newest", "upcoming": False}, [-5, -1]),
    ],
)
async def test_every_list_has_the_same_filters_and_orders(
    world: World, set_clock: SetClock, filters: dict[str, Any], days: list[int | None]
) -> None:
    organization = await world.organization(await world.organizer())
    ids = {day: (await _event(world, organization, day)).id for day in (0, 1, -1, None, 5, -5)}
    admin = await world.admin_key()
    set_clock(LAST_MINUTE)
    expected = ([ids[day] for day in days], len(days))
    assert await _every_list(admin, organization, **filters) == [expected] * 7


async def test_event_is_past_when_its_day_has_ended_in_the_time_zone_of_the_platform(
    world: World, set_clock: SetClock
) -> None:
    today, tomorrow = await _events(world, [0, 1])
    for instant, upcoming, past in ((LAST_MINUTE, [today, tomorrow], []), (MIDNIGHT, [tomorrow], [today])):
        set_clock(instant)
        assert page_in(await world.anonymous.get("/events", upcoming="true"))[0] == upcoming
        assert page_in(await world.anonymous.get("/events", upcoming="false"))[0] == past
        assert page_in(await world.anonymous.get("/events"))[0] == [*upcoming, *past]


# Midnight between two pages --------------------------------------------------------------------------------------

DAYS: list[int | None] = [0, 0, 0, 0, 1, 1, None, None, -2, -1, -1]


async def _pages_over_midnight(
    caller: Caller, set_clock: SetClock, *, backward: bool, **arguments: Any
) -> AsyncIterator[list[int]]:
    """Yield pages of two events, the first before midnight and the others after it."""
    set_clock(LAST_MINUTE)
    size, cursor_of, at, more = (
        ("last", "startCursor", "before", "hasPreviousPage")
        if backward
        else ("first", "endCursor", "after", "hasNextPage")
    )
    page = await page_of(caller, EVENTS, **{size: 2}, **arguments)
    yield ids_of(page)
    set_clock(MIDNIGHT)
    while page["pageInfo"][more]:
        page = await page_of(caller, EVENTS, **{size: 2, at: page["pageInfo"][cursor_of]}, **arguments)
        yield ids_of(page)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("upcoming", "listed"), [(None, 11), (True, 8), (False, 3)])
async def test_pages_by_cursor_neither_repeat_nor_skip_events_at_midnight(
    world: World, set_clock: SetClock, backward: bool, upcoming: bool | None, listed: int
) -> None:
    ids = await _events(world, DAYS)
    in_order = [*ids[:8], *reversed(ids[8:])]
    expected = {None: in_order, True: in_order[:8], False: in_order[8:]}[upcoming]
    pages = [
        page async for page in _pages_over_midnight(world.anonymous, set_clock, backward=backward, upcoming=upcoming)
    ]
    assert [one for page in (reversed(pages) if backward else pages) for one in page] == expected
    assert len(expected) == listed


async def test_numbered_pages_skip_events_at_midnight(world: World, set_clock: SetClock) -> None:
    """Negative control: the order of the list changes between the pages."""
    ids = await _events(world, DAYS)
    set_clock(LAST_MINUTE)
    pages = numbered_pages(world.anonymous, 2)
    seen = await anext(pages)
    set_clock(MIDNIGHT)
    seen += [one async for page in pages for one in page]
    assert sorted(seen) != sorted(ids)


async def test_cursors_of_two_days_can_be_combined(world: World, set_clock: SetClock) -> None:
    """The order is that of the first cursor, in which the other one has a position as well."""
    ids = await _events(world, [0, 1, 2, -1])
    cursors = {}
    for instant in (LAST_MINUTE, MIDNIGHT):
        set_clock(instant)
        page = await page_of(world.anonymous, EVENTS)
        cursors[instant] = {int(edge["node"]["id"]): edge["cursor"] for edge in page["edges"]}
    page = await page_of(world.anonymous, EVENTS, after=cursors[LAST_MINUTE][ids[0]], before=cursors[MIDNIGHT][ids[3]])
    assert ids_of(page) == ids[1:3]


# Refusals --------------------------------------------------------------------------------------------------------


async def test_cursor_of_another_order_is_refused(world: World) -> None:
    await _events(world, [0, 1])
    cursor = (await page_of(world.anonymous, EVENTS, first=1, sort="NEWEST"))["pageInfo"]["endCursor"]
    for sort in (None, "DATE", "DATE_DESCENDING"):
        answer = await world.anonymous.graphql(EVENTS, first=1, after=cursor, sort=sort)
        assert error_code_and_fields(answer) == ("VALIDATION_ERROR", {"after"})


async def test_range_that_ends_before_it_starts_is_refused(world: World) -> None:
    dates = {"from": "2027-04-15", "to": "2027-04-14"}
    assert error_in(await world.anonymous.get("/events", **dates), 400, "VALIDATION_ERROR") == {
        "to": "must be on or after from"
    }
    document = "query($from: Date, $to: Date) { events(from: $from, to: $to) { items { id } } }"
    assert await refused(world.anonymous, document, "VALIDATION_ERROR", **dates) == {"to": "must be on or after from"}


async def test_words_and_flags_are_read_in_any_spelling(world: World) -> None:
    ids = await _events(world, [0])
    for query in ({"sort": " Newest "}, {"sort": "-DATE"}, {"upcoming": ""}, {"from": " "}, {"to": ""}, {"sort": ""}):
        assert page_in(await world.anonymous.get("/events", **query))[0] == ids


async def test_null_arguments_are_no_filters(world: World) -> None:
    ids = await _events(world, [0])
    found = await answer_of(
        world.anonymous, "{ events(from: null, to: null, upcoming: null, sort: null) { items { id } } }"
    )
    assert [int(item["id"]) for item in found["items"]] == ids


async def test_orders_of_several_organizations_are_loaded_together(world: World, set_clock: SetClock) -> None:
    """Each alias of a list has its own arguments and its own order."""
    ids = [await _events(world, [0, 1, -1, None]) for _ in range(2)]
    set_clock(LAST_MINUTE)
    organizations = await answer_of(
        world.anonymous,
        """{ organizations { items {
            first: events(limit: 1) { items { id } pagination { total } }
            second: events(page: 2, limit: 3) { items { id } pagination { total } }
            newest: events(sort: NEWEST, limit: 2) { items { id } pagination { total } }
            past: events(upcoming: false) { items { id } pagination { total } }
        } } }""",
    )
    for listed, (today, tomorrow, yesterday, undated) in zip(organizations["items"][::-1], ids, strict=True):
        found = {
            name: ([int(item["id"]) for item in page["items"]], page["pagination"]["total"])
            for name, page in listed.items()
        }
        assert found == {
            "first": ([today], 4),
            "second": ([yesterday], 4),
            "newest": ([undated, yesterday], 4),
            "past": ([yesterday], 1),
        }
        assert tomorrow
