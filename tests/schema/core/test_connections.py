"""Connections: who is shown what, which part of a list a page is, and what it costs."""

import random
from typing import Any

import pytest

from amarevents.models import Event, Ticket
from amarevents.models.enums import Category, KeyType, Privacy, TicketStatus
from amarevents.resolvers.events.queries import ListEventsByCursor
from amarevents.resolvers.tickets.queries import ListTicketsByCursor
from amarevents.security.policy import Scope
from tests.support.graphql_answers import refusal_of_all
from tests.support.statements import counted_statements
from tests.support.walking import EVENTS, TICKETS, ids_of, page_of, pages_backward, pages_forward
from tests.support.world import Caller, World, in_days, snapshot

# Any: JSON.


# Who is shown what ------------------------------------------------------------------------------------------------


async def test_nobody_walks_through_tickets(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    await world.ticket(event, owner)
    for of in (None, event.id, 2**30):
        assert refusal_of_all(await world.anonymous.graphql(TICKETS, of=of)) == ("UNAUTHENTICATED", set())
    # Nor are they told what is wrong with what they have asked.
    assert refusal_of_all(await world.anonymous.graphql(TICKETS, first=0)) == ("UNAUTHENTICATED", set())


async def test_another_organizer_is_refused_an_events_tickets(world: World) -> None:
    event = await world.event(await world.organizer())
    await world.ticket(event, await world.user())
    foreign = await world.organizer_key()
    before = await snapshot()
    assert refusal_of_all(await foreign.graphql(TICKETS, of=event.id)) == ("FORBIDDEN", set())
    assert refusal_of_all(await foreign.graphql(TICKETS, of=2**30)) == ("NOT_FOUND", set())
    assert await snapshot() == before


async def test_a_ticket_holder_and_the_owners_user_key_are_refused_an_events_tickets(world: World) -> None:
    owner, holder = await world.organizer(), await world.user_key()
    event = await world.event(owner)
    assert holder.user
    ticket = await world.ticket(event, holder.user)
    for caller in (holder, await world.key(owner, KeyType.USER)):
        assert refusal_of_all(await caller.graphql(TICKETS, of=event.id)) == ("FORBIDDEN", set())
    assert ids_of(await page_of(holder, TICKETS)) == [ticket.id]


async def test_a_key_needs_the_scope_of_the_lists_route(world: World) -> None:
    user = await world.user()
    await world.ticket(await world.event(await world.organizer()), user)
    key = await world.key(user, permissions=[Scope.EVENTS_READ, Scope.TICKETS_WRITE])
    assert refusal_of_all(await key.graphql(TICKETS)) == ("MISSING_SCOPE", set())


async def test_one_is_shown_ones_own_tickets_alone(world: World) -> None:
    event, caller = await world.event(await world.organizer()), await world.user_key()
    assert caller.user
    own = [await world.ticket(event, caller.user) for _ in range(3)]
    await world.ticket(event, await world.user())
    page = await page_of(caller, TICKETS)
    assert ids_of(page) == [ticket.id for ticket in reversed(own)]
    answer = await caller.graphql("{ ticketsConnection { totalCount } }")
    assert answer["data"]["ticketsConnection"] == {"totalCount": 3}


async def test_owner_and_admins_are_shown_an_events_tickets(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    pending = await world.ticket(event, await world.user(), status=TicketStatus.PENDING)
    ticket = await world.ticket(event, await world.user())
    await world.ticket(await world.event(await world.organizer()), owner)
    for caller in (await world.key(owner, KeyType.ORGANIZER), await world.session(owner), await world.admin_key()):
        assert ids_of(await page_of(caller, TICKETS, of=event.id)) == [ticket.id, pending.id]
        assert ids_of(await page_of(caller, TICKETS, of=event.id, status="PENDING")) == [pending.id]


async def test_private_events_leave_no_trace_in_a_walk(world: World) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    shown = await world.event(organization, date=in_days(2))
    for date in (in_days(1), in_days(3), None):
        await world.event(organization, date=date, privacy=Privacy.PRIVATE)
    for caller in (world.anonymous, await world.user_key(), await world.organizer_key()):
        page = await page_of(caller, EVENTS, first=1)
        assert ids_of(page) == [shown.id]
        assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (False, False)
    assert len(ids_of(await page_of(await world.session(owner), EVENTS))) == 4


async def test_the_cursor_of_a_row_that_one_may_not_see_shows_nothing_of_it(world: World) -> None:
    """It names a place, which anybody may name; whether there is a row is told of visible ones alone."""
    organization = await world.organization(await world.organizer())
    hidden = await world.event(organization, date=in_days(1), privacy=Privacy.PRIVATE)
    place = ListEventsByCursor.ORDER.encode_cursor((hidden.sort_date, hidden.id))
    for asked in ({"after": place}, {"before": place, "last": 5}, {"after": place, "before": place}):
        page = await page_of(world.anonymous, EVENTS, **asked)
        nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
        assert page == {"edges": [], "nodes": [], "pageInfo": nothing}


# Which part of a list ---------------------------------------------------------------------------------------------


async def _events(world: World, count: int) -> list[Event]:
    """Several on a date, and some without one; in the order of their list."""
    organization = await world.organization(await world.organizer())
    made = [
        await world.event(
            organization,
            date=None if number % 4 == 0 else in_days(number * 7 % 5),
            category=Category.SPORTS if number % 3 else Category.GAMES,
        )
        for number in range(count)
    ]
    return sorted(made, key=lambda event: (event.sort_date, event.id))


async def _listed(caller: Caller, path: str, **query: Any) -> list[int]:
    return [item["id"] for item in (await caller.get(path, limit=100, **query)).json()["data"]]


@pytest.mark.parametrize("size", [1, 4, 30])
async def test_a_walk_shows_the_list_in_either_direction(world: World, size: int) -> None:
    events = await _events(world, 13)
    ids = [event.id for event in events]
    assert ids == await _listed(world.anonymous, "/events")
    forward = [page async for page in pages_forward(world.anonymous, EVENTS, size)]
    backward = [page async for page in pages_backward(world.anonymous, EVENTS, size)]
    assert [one for page in forward for one in page] == ids
    assert [one for page in reversed(backward) for one in page] == ids
    assert {len(page) for page in forward[:-1] + backward[:-1]} <= {size}


async def test_a_walk_keeps_to_its_filters(world: World) -> None:
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


async def test_tickets_are_walked_newest_first(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    for number in range(11):
        status = TicketStatus.PENDING if number % 2 else TicketStatus.SUCCESS
        await world.ticket(event, await world.user(), status=status)
    for asked in ({}, {"status": "PENDING"}):
        listed = await _listed(owner, "/tickets", event_id=event.id, **{k: v.title() for k, v in asked.items()})
        forward = [one async for page in pages_forward(owner, TICKETS, 3, of=event.id, **asked) for one in page]
        backward = [page async for page in pages_backward(owner, TICKETS, 3, of=event.id, **asked)]
        assert forward == [one for page in reversed(backward) for one in page] == listed


def _specified(ids: list[int], existing: set[int], asked: dict[str, int | None]) -> tuple[list[int], bool, bool]:
    """The page, and whether there is more behind it and before it, as the specification computes them.

    ``ids``: those of all rows that there have ever been, in the order of their list; places are indexes among them.
    """
    after, before, size = asked["after"], asked["before"], asked["first"] or asked["last"] or 20
    start, stop = 0 if after is None else after + 1, len(ids) if before is None else before
    between = [one for one in ids[start:stop] if one in existing]
    page = between[-size:] if asked["last"] else between[:size]
    until = [one for one in ids[:start] if one in existing] if after is not None else []
    beyond = [one for one in ids[stop:] if one in existing] if before is not None else []
    cut = len(between) > len(page)
    return page, (cut and not asked["last"]) or bool(beyond), (cut and bool(asked["last"])) or bool(until)


@pytest.mark.parametrize("seed", range(3))
async def test_every_page_is_what_the_specification_computes(world: World, seed: int) -> None:
    """Any bounds, also of rows that have gone, the wrong way round, and both at the same place."""
    chance = random.Random(seed)
    events = await _events(world, 14)
    ids = [event.id for event in events]
    cursors = [edge["cursor"] for edge in (await page_of(world.anonymous, EVENTS, first=100))["edges"]]
    gone = set(chance.sample(ids, 5))
    await Event.filter(id__in=list(gone)).delete()
    for _ in range(80):
        one, other = chance.sample([None, *range(14), *range(14)], 2)
        size = chance.choice([None, 1, 2, 3, 9, 20])
        backward = chance.random() < 0.5
        asked = {
            "first": None if backward else size, "last": size if backward else None, "after": one, "before": other,
        }  # fmt: skip
        page = await page_of(
            world.anonymous, EVENTS, first=asked["first"], last=asked["last"],
            after=None if one is None else cursors[one], before=None if other is None else cursors[other],
        )  # fmt: skip
        info = page["pageInfo"]
        shown = (ids_of(page), info["hasNextPage"], info["hasPreviousPage"])
        assert shown == _specified(ids, set(ids) - gone, asked), asked


# What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"first": 0}, "first"),
        ({"first": -1}, "first"),
        ({"first": 101}, "first"),
        ({"last": 0}, "last"),
        ({"last": 101}, "last"),
        ({"first": 5, "last": 5}, "last"),
    ],
)
@pytest.mark.parametrize("query", [EVENTS, TICKETS])
async def test_an_unfit_size_is_refused_by_name(world: World, query: str, asked: dict[str, int], field: str) -> None:
    assert refusal_of_all(await (await world.user_key()).graphql(query, **asked)) == ("VALIDATION_ERROR", {field})


@pytest.mark.parametrize("asked", [{"first": 100}, {"last": 100}, {"first": None, "last": None, "after": None}])
async def test_a_page_has_at_most_100_rows_and_20_unless_told(world: World, asked: dict[str, Any]) -> None:
    organization = await world.organization(await world.organizer())
    await Event.bulk_create(Event(organization=organization, name=f"Event {number}") for number in range(101))
    page = await page_of(world.anonymous, EVENTS, **asked)
    assert len(page["nodes"]) == (asked.get("first") or asked.get("last") or 20)


async def test_what_is_no_cursor_of_the_list_is_refused_by_name(world: World) -> None:
    caller = await world.user_key()
    assert caller.user
    event = await world.event(await world.organizer(), date=in_days(1))
    ticket = await world.ticket(event, caller.user)
    of_event = ListEventsByCursor.ORDER.encode_cursor((event.sort_date, event.id))
    of_ticket = ListTicketsByCursor.ORDER.encode_cursor((ticket.id,))
    for query, good, other in ((EVENTS, of_event, of_ticket), (TICKETS, of_ticket, of_event)):
        await page_of(caller, query, after=good)
        for bad in (other, good[:-1], good + "A", good + "=", good.swapcase(), "x" * 256, "x", "০", "=="):
            for field in ("after", "before"):
                assert refusal_of_all(await caller.graphql(query, **{field: bad})) == ("VALIDATION_ERROR", {field}), bad


# What it costs ----------------------------------------------------------------------------------------------------

FORWARD = "query($after: String) { eventsConnection(first: 5, after: $after) { %s } }"
NODES = "nodes { id name organizationName } pageInfo { hasNextPage hasPreviousPage endCursor }"


async def test_a_page_is_one_statement_that_counts_and_skips_nothing(world: World) -> None:
    await _events(world, 14)
    after = None
    for _ in range(3):
        with counted_statements() as statements:
            answer = await world.anonymous.graphql(FORWARD % NODES, after=after)
        after = answer["data"]["eventsConnection"]["pageInfo"]["endCursor"]
        assert len(statements) == 1
        assert "OFFSET" not in statements[0]
        assert "COUNT" not in statements[0]


async def test_a_place_whose_row_has_gone_costs_one_statement_more(world: World) -> None:
    events = await _events(world, 14)
    cursor = (await page_of(world.anonymous, EVENTS, first=5))["pageInfo"]["endCursor"]
    await Event.filter(id=events[4].id).delete()
    with counted_statements() as statements:
        answer = await world.anonymous.graphql(FORWARD % NODES, after=cursor)
    assert [int(node["id"]) for node in answer["data"]["eventsConnection"]["nodes"]] == [one.id for one in events[5:10]]
    assert answer["data"]["eventsConnection"]["pageInfo"]["hasPreviousPage"] is True
    assert len(statements) == 2


async def test_a_total_is_counted_for_those_who_ask(world: World) -> None:
    await _events(world, 14)
    with counted_statements() as statements:
        answer = await world.anonymous.graphql(FORWARD % "totalCount nodes { id }")
    assert answer["data"]["eventsConnection"]["totalCount"] == 14
    assert len([one for one in statements if "COUNT" in one]) == 1
    assert len(statements) == 2


async def test_pages_of_tickets_cost_as_little(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    for _ in range(7):
        await world.ticket(event, owner.user)
    for of, cost in ((None, 2), (event.id, 3)):  # the key, perhaps the event, the page
        after = (await page_of(owner, TICKETS, first=3, of=of))["pageInfo"]["endCursor"]
        with counted_statements() as statements:
            assert len(ids_of(await page_of(owner, TICKETS, first=3, after=after, of=of))) == 3
        assert len(statements) == cost
        assert not [one for one in statements if "OFFSET" in one or "COUNT" in one]


async def test_edges_within_a_connection_are_loaded_in_one_batch(world: World) -> None:
    text = "{ eventsConnection(first: 50) { edges { node { id ticketTypes { id } organization { name } } } } }"
    counts = []
    for _ in range(2):
        await _events(world, 6)
        with counted_statements() as statements:
            assert "errors" not in await world.anonymous.graphql(text)
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_the_cursor_of_a_ticket_outlives_it(world: World) -> None:
    caller = await world.user_key()
    assert caller.user
    event = await world.event(await world.organizer())
    tickets = [await world.ticket(event, caller.user) for _ in range(5)]
    cursor = (await page_of(caller, TICKETS, first=2))["pageInfo"]["endCursor"]
    await Ticket.filter(id__in=[tickets[3].id, tickets[4].id]).delete()
    page = await page_of(caller, TICKETS, first=2, after=cursor)
    assert ids_of(page) == [tickets[2].id, tickets[1].id]
    assert page["pageInfo"]["hasPreviousPage"] is False
