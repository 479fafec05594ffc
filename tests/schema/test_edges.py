"""The edges of an event: what they show, and to whom. An edge refuses what the route for the same data refuses."""

import pytest

from amarevents.models.enums import KeyType, TicketStatus
from tests.world import Caller, World, snapshot

STATS = "query($id: ID!) { event(id: $id) { name stats { total approved revenue } } }"
TICKETS = """query($id: ID!, $status: TicketStatus, $page: Int, $limit: Int) { event(id: $id) {
    tickets(status: $status, page: $page, limit: $limit) { items { id status } pagination { total page limit pages } }
} }"""
EVERYBODYS = "{ events(limit: 100) { items { id stats { total } tickets { items { id } } } } }"


def _codes(answer: dict[str, object]) -> list[tuple[str, str]]:
    """Where something was refused, and why."""
    failures = answer.get("errors", [])
    assert isinstance(failures, list)
    return [(".".join(map(str, one["path"])), one["extensions"]["code"]) for one in failures]


@pytest.mark.parametrize("edge", ["stats { total }", "tickets { items { id } }"])
async def test_nobody_is_shown_what_belongs_to_the_owner(world: World, edge: str) -> None:
    event = await world.event(await world.organizer())
    answer = await world.anonymous.graphql(f"{{ event(id: {event.id}) {{ id {edge} }} }}")
    assert _codes(answer) == [(f"event.{edge.split()[0]}", "UNAUTHENTICATED")]
    assert answer["data"]["event"] == {"id": str(event.id), edge.split()[0]: None}


@pytest.mark.parametrize("edge", ["stats { total }", "tickets { items { id } }"])
async def test_another_organizer_is_refused_beside_the_rest(world: World, edge: str) -> None:
    event = await world.event(await world.organizer())
    foreign = await world.organizer_key()
    before = await snapshot()
    answer = await foreign.graphql(f"{{ event(id: {event.id}) {{ id {edge} }} }}")
    assert _codes(answer) == [(f"event.{edge.split()[0]}", "FORBIDDEN")]
    assert answer["data"]["event"]["id"] == str(event.id)
    assert await snapshot() == before


async def test_a_key_needs_the_scope_of_the_route(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    key = await world.key(owner, KeyType.ORGANIZER, permissions=["events:read"])
    answer = await key.graphql(STATS, id=event.id)
    assert _codes(answer) == [("event.stats", "MISSING_SCOPE")]


async def test_a_user_key_of_the_owner_manages_nothing(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    answer = await (await world.key(owner, KeyType.USER)).graphql(STATS, id=event.id)
    assert _codes(answer) == [("event.stats", "WRONG_KEY_TYPE")]


async def test_in_a_list_only_ones_own_events_show_their_tickets(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    own, others = await world.event(owner.user), await world.event(await world.organizer())
    ticket = await world.ticket(own, await world.user())
    await world.ticket(others, await world.user())
    answer = await owner.graphql(EVERYBODYS)
    shown = {one["id"]: one for one in answer["data"]["events"]["items"]}
    assert shown[str(own.id)]["tickets"] == {"items": [{"id": str(ticket.id)}]}
    assert shown[str(own.id)]["stats"] == {"total": 1}
    assert shown[str(others.id)] == {"id": str(others.id), "stats": None, "tickets": None}
    assert {code for _, code in _codes(answer)} == {"FORBIDDEN"}


async def _event_with_tickets(world: World, owner: Caller) -> tuple[int, list[int]]:
    assert owner.user
    event = await world.event(owner.user)
    statuses = [TicketStatus.PENDING, TicketStatus.SUCCESS, TicketStatus.PENDING, TicketStatus.FAILED]
    tickets = [await world.ticket(event, await world.user(), status=status) for status in statuses]
    return event.id, [ticket.id for ticket in tickets]


@pytest.mark.parametrize(
    ("arguments", "expected", "total"),
    [
        ({}, [3, 2, 1, 0], 4),
        ({"status": "PENDING"}, [2, 0], 2),
        ({"status": "REFUNDED"}, [], 0),
        ({"limit": 3}, [3, 2, 1], 4),
        ({"limit": 3, "page": 2}, [0], 4),
        ({"limit": 3, "page": 3}, [], 4),
        ({"status": "PENDING", "limit": 1, "page": 2}, [0], 2),
    ],
)
async def test_tickets_come_newest_first_in_pages(
    world: World, arguments: dict[str, object], expected: list[int], total: int
) -> None:
    owner = await world.organizer_key()
    event_id, ids = await _event_with_tickets(world, owner)
    answer = await owner.graphql(TICKETS, id=event_id, **arguments)
    page = answer["data"]["event"]["tickets"]
    assert [int(one["id"]) for one in page["items"]] == [ids[number] for number in expected]
    assert page["pagination"]["total"] == total


async def test_a_page_is_what_rest_shows(world: World) -> None:
    owner = await world.organizer_key()
    event_id, _ = await _event_with_tickets(world, owner)
    answer = await owner.graphql(TICKETS, id=event_id, limit=2, page=2)
    rest = (await owner.get(f"/events/{event_id}/tickets", limit=2, page=2)).json()
    page = answer["data"]["event"]["tickets"]
    assert page["pagination"] == rest["pagination"]
    assert [int(one["id"]) for one in page["items"]] == [one["id"] for one in rest["data"]]


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"limit": 101}, {"page": 0}])
async def test_a_page_out_of_bounds_is_refused_by_name(world: World, arguments: dict[str, int]) -> None:
    owner = await world.organizer_key()
    event_id, _ = await _event_with_tickets(world, owner)
    answer = await owner.graphql(TICKETS, id=event_id, **arguments)
    [failure] = answer["errors"]
    assert failure["extensions"]["code"] == "VALIDATION_ERROR"
    assert failure["extensions"]["fields"].keys() == arguments.keys()


async def test_statistics_are_those_of_rest(world: World) -> None:
    owner = await world.organizer_key()
    event_id, _ = await _event_with_tickets(world, owner)
    shown = (await owner.graphql(STATS, id=event_id))["data"]["event"]["stats"]
    rest = (await owner.get(f"/events/{event_id}/stats")).json()["data"]
    assert (shown["total"], shown["approved"]) == (rest["total"], rest["approved"]) == (4, 1)


async def test_the_organization_of_an_event_shows_its_allowance_to_its_owner_alone(world: World) -> None:
    owner, foreign = await world.organizer_key(), await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    query = f"{{ event(id: {event.id}) {{ organization {{ id name eventsUsed }} }} }}"
    mine = (await owner.graphql(query))["data"]["event"]["organization"]
    theirs = (await foreign.graphql(query))["data"]["event"]["organization"]
    assert mine == {**theirs, "eventsUsed": mine["eventsUsed"]}
    assert theirs["eventsUsed"] is None is not mine["eventsUsed"]


async def test_five_hundred_pages_fit_and_no_more(world: World) -> None:
    """Each page is a part of one statement: what a document may cost keeps that statement small."""
    owner = await world.organizer_key()
    pages = " ".join(f"p{number}: tickets(limit: 1) {{ items {{ id }} }}" for number in range(6))
    answer = await owner.graphql(f"{{ events(limit: 100) {{ items {{ {pages} }} }} }}")
    assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
