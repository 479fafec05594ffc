"""Connections: the pages of a list, the arguments that are rejected, and the number of statements."""

import random
from typing import Any

import pytest

from amarevents.models import Event, Ticket
from amarevents.models.enums import Category, TicketStatus
from amarevents.resolvers.events.schedule import event_order
from amarevents.resolvers.tickets.queries import ListTicketsByCursor
from tests.support.graphql_answers import error_code_and_fields
from tests.support.pagination import EVENTS, TICKETS, ids_of, in_order, page_of, pages_backward, pages_forward
from tests.support.statements import counted_statements
from tests.support.world import Caller, World, in_days

# Any: JSON.


# Pages ------------------------------------------------------------------------------------------------------------


async def _events(world: World, count: int, *, first_day: int = -2) -> list[Event]:
    """Create events, several on the same date and some without one, and return them in the order of their list.

    The first two of the five days are in the past, unless ``first_day`` is another one.
    """
    organization = await world.organization(await world.organizer())
    events = [
        await world.event(
            organization,
            date=None if number % 4 == 0 else in_days(first_day + number * 7 % 5),
            category=Category.SPORTS if number % 3 else Category.GAMES,
        )
        for number in range(count)
    ]
    return in_order(events)


async def _listed(caller: Caller, path: str, **query: Any) -> list[int]:
    return [item["id"] for item in (await caller.get(path, limit=100, **query)).json()["data"]]


@pytest.mark.parametrize("size", [1, 4, 30])
async def test_pages_in_either_direction_make_up_the_list(world: World, size: int) -> None:
    events = await _events(world, 13)
    ids = [event.id for event in events]
    assert ids == await _listed(world.anonymous, "/events")
    forward = [page async for page in pages_forward(world.anonymous, EVENTS, size)]
    backward = [page async for page in pages_backward(world.anonymous, EVENTS, size)]
    assert [one for page in forward for one in page] == ids
    assert [one for page in reversed(backward) for one in page] == ids
    assert {len(page) for page in forward[:-1] + backward[:-1]} <= {size}


async def test_filters_apply_to_every_page(world: World) -> None:
    events = await _events(world, 13)
    await world.event(await world.organizer(), date=in_days(2), category=Category.GAMES)
    of = events[0].organization_id
    walked = [page async for page in pages_forward(world.anonymous, EVENTS, 2, category="GAMES", of=of)]
    games = [event.id for event in events if event.category is Category.GAMES]
    assert [one for page in walked for one in page] == games
    assert games == await _listed(world.anonymous, "/events", category="Games", organization_id=of)
    found = await world.anonymous.graphql(
        "query($word: String) { eventsConnection(search: $word) { nodes { id } } }", word=events[3].name
    )
    assert str(events[3].id) in [node["id"] for node in found["data"]["eventsConnection"]["nodes"]]


async def test_tickets_are_listed_newest_first(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    for number in range(11):
        status = TicketStatus.PENDING if number % 2 else TicketStatus.SUCCESS
        await world.ticket(event, await world.user(), status=status)
    for arguments in ({}, {"status": "PENDING"}):
        listed = await _listed(owner, "/tickets", event_id=event.id, **{k: v.title() for k, v in arguments.items()})
        forward = [one async for page in pages_forward(owner, TICKETS, 3, of=event.id, **arguments) for one in page]
        backward = [page async for page in pages_backward(owner, TICKETS, 3, of=event.id, **arguments)]
        assert forward == [one for page in reversed(backward) for one in page] == listed


def _specified(ids: list[int], existing: set[int], arguments: dict[str, int | None]) -> tuple[list[int], bool, bool]:
    """Return the page, hasNextPage and hasPreviousPage as the Relay specification computes them.

    ``ids`` are those of all rows that have ever existed, in the order of the list; cursors are indexes into them.
    """
    after, before, size = arguments["after"], arguments["before"], arguments["first"] or arguments["last"] or 20
    start, stop = 0 if after is None else after + 1, len(ids) if before is None else before
    between = [one for one in ids[start:stop] if one in existing]
    page = between[-size:] if arguments["last"] else between[:size]
    until = [one for one in ids[:start] if one in existing] if after is not None else []
    beyond = [one for one in ids[stop:] if one in existing] if before is not None else []
    cut = len(between) > len(page)
    return page, (cut and not arguments["last"]) or bool(beyond), (cut and bool(arguments["last"])) or bool(until)


@pytest.mark.parametrize("seed", range(3))
async def test_every_page_is_the_one_that_the_specification_computes(world: World, seed: int) -> None:
    """With random cursors, including those of deleted rows, in the wrong order, and both at the same position."""
    rng = random.Random(seed)
    events = await _events(world, 14)
    ids = [event.id for event in events]
    cursors = [edge["cursor"] for edge in (await page_of(world.anonymous, EVENTS, first=100))["edges"]]
    deleted = set(rng.sample(ids, 5))
    await Event.filter(id__in=list(deleted)).delete()
    for _ in range(80):
        one, other = rng.sample([None, *range(14), *range(14)], 2)
        size = rng.choice([None, 1, 2, 3, 9, 20])
        backward = rng.random() < 0.5
        arguments = {
            "first": None if backward else size, "last": size if backward else None, "after": one, "before": other,
        }  # fmt: skip
        page = await page_of(
            world.anonymous, EVENTS, first=arguments["first"], last=arguments["last"],
            after=None if one is None else cursors[one], before=None if other is None else cursors[other],
        )  # fmt: skip
        info = page["pageInfo"]
        result = (ids_of(page), info["hasNextPage"], info["hasPreviousPage"])
        assert result == _specified(ids, set(ids) - deleted, arguments), arguments


# Invalid arguments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"first": 0}, "first"),
        ({"first": -1}, "first"),
        ({"last": 0}, "last"),
        ({"last": -1}, "last"),
        ({"first": 5, "last": 5}, "last"),
    ],
)
@pytest.mark.parametrize("query", [EVENTS, TICKETS])
async def test_invalid_size_is_rejected_by_name(
    world: World, query: str, arguments: dict[str, int], field: str
) -> None:
    answer = await (await world.user_key()).graphql(query, **arguments)
    assert error_code_and_fields(answer) == ("VALIDATION_ERROR", {field})


@pytest.mark.parametrize("arguments", [{"first": 100}, {"last": 100}, {"first": None, "last": None, "after": None}])
async def test_page_has_at_most_100_rows_and_20_by_default(world: World, arguments: dict[str, Any]) -> None:
    organization = await world.organization(await world.organizer())
    await Event.bulk_create(Event(organization=organization, name=f"Event {number}") for number in range(101))
    page = await page_of(world.anonymous, EVENTS, **arguments)
    assert len(page["nodes"]) == (arguments.get("first") or arguments.get("last") or 20)


async def test_invalid_cursor_is_rejected_by_name(world: World) -> None:
    caller = await world.user_key()
    assert caller.user
    event = await world.event(await world.organizer(), date=in_days(1))
    ticket = await world.ticket(event, caller.user)
    event_cursor = event_order(None, in_days(0)).encode_cursor((event.sort_date, event.id))
    ticket_cursor = ListTicketsByCursor.ORDER.encode_cursor((ticket.id,))
    for query, valid, other in ((EVENTS, event_cursor, ticket_cursor), (TICKETS, ticket_cursor, event_cursor)):
        await page_of(caller, query, after=valid)
        for invalid in (other, valid[:-1], valid + "A", valid + "=", valid.swapcase(), "x" * 256, "x", "০", "=="):
            for field in ("after", "before"):
                error = error_code_and_fields(await caller.graphql(query, **{field: invalid}))
                assert error == ("VALIDATION_ERROR", {field}), invalid


# Statements -------------------------------------------------------------------------------------------------------

FORWARD = "query($after: String) { eventsConnection(first: 5, after: $after) { %s } }"
NODES = "nodes { id name organizationName } pageInfo { hasNextPage hasPreviousPage endCursor }"


async def test_page_takes_one_statement_without_count_or_offset(world: World) -> None:
    """The last page takes another one, which looks for past events."""
    await _events(world, 14, first_day=0)
    after = None
    for expected in (1, 1, 2):
        with counted_statements() as statements:
            answer = await world.anonymous.graphql(FORWARD % NODES, after=after)
        after = answer["data"]["eventsConnection"]["pageInfo"]["endCursor"]
        assert len(statements) == expected
        assert "OFFSET" not in statements[0]
        assert "COUNT" not in statements[0]


async def test_cursor_of_a_deleted_row_takes_one_more_statement(world: World) -> None:
    events = await _events(world, 14, first_day=0)
    cursor = (await page_of(world.anonymous, EVENTS, first=5))["pageInfo"]["endCursor"]
    await Event.filter(id=events[4].id).delete()
    with counted_statements() as statements:
        answer = await world.anonymous.graphql(FORWARD % NODES, after=cursor)
    assert [int(node["id"]) for node in answer["data"]["eventsConnection"]["nodes"]] == [one.id for one in events[5:10]]
    assert answer["data"]["eventsConnection"]["pageInfo"]["hasPreviousPage"] is True
    assert len(statements) == 2


async def test_total_is_counted_only_when_requested(world: World) -> None:
    await _events(world, 14, first_day=0)
    with counted_statements() as statements:
        answer = await world.anonymous.graphql(FORWARD % "totalCount nodes { id }")
    assert answer["data"]["eventsConnection"]["totalCount"] == 14
    assert len([one for one in statements if "COUNT" in one]) == 1
    assert len(statements) == 2


async def test_pages_of_tickets_take_as_few_statements(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    for _ in range(7):
        await world.ticket(event, owner.user)
    for of, cost in ((None, 2), (event.id, 3)):  # the key, the event if it is given, the page
        after = (await page_of(owner, TICKETS, first=3, of=of))["pageInfo"]["endCursor"]
        with counted_statements() as statements:
            assert len(ids_of(await page_of(owner, TICKETS, first=3, after=after, of=of))) == 3
        assert len(statements) == cost
        assert not [one for one in statements if "OFFSET" in one or "COUNT" in one]


async def test_edges_in_a_connection_are_loaded_in_one_batch(world: World) -> None:
    text = "{ eventsConnection(first: 50) { edges { node { id ticketTypes { id } organization { name } } } } }"
    counts = []
    for _ in range(2):
        await _events(world, 6)
        with counted_statements() as statements:
            assert "errors" not in await world.anonymous.graphql(text)
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_cursor_of_a_deleted_ticket_remains_valid(world: World) -> None:
    caller = await world.user_key()
    assert caller.user
    event = await world.event(await world.organizer())
    tickets = [await world.ticket(event, caller.user) for _ in range(5)]
    cursor = (await page_of(caller, TICKETS, first=2))["pageInfo"]["endCursor"]
    await Ticket.filter(id__in=[tickets[3].id, tickets[4].id]).delete()
    page = await page_of(caller, TICKETS, first=2, after=cursor)
    assert ids_of(page) == [tickets[2].id, tickets[1].id]
    assert page["pageInfo"]["hasPreviousPage"] is False
