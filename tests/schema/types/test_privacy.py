"""Private events do not exist for those who may not see them, whatever field is asked (decisions 4.1)."""

from typing import Any

import pytest

from amarevents.models import Event
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from amarevents.security.policy import Scope
from tests.support.world import Caller, World, snapshot

# Any: JSON.

PROBES = {
    "event": "query($e: ID!, $o: ID!) { event(id: $e) { id } organization(id: $o) { id } }",
    "ticketTypes": "query($e: ID!) { ticketTypes(eventId: $e) { id } }",
    "tickets": "query($e: ID!) { tickets(eventId: $e) { items { id } } }",
    "ticketsConnection": "query($e: ID!) { ticketsConnection(eventId: $e) { nodes { id } totalCount } }",
    "registerForEvent": "mutation($e: ID!) { registerForEvent(input: {eventId: $e}) { id } }",
    "createTicketType": 'mutation($e: ID!) { createTicketType(input: {eventId: $e, name: "x"}) { id } }',
}
LISTS = (
    "query($o: ID!) { events { items { id } pagination { total } } of: events(organizationId: $o) { items { id } } "
    'search: events(search: "secret") { pagination { total } } '
    "walk: eventsConnection(organizationId: $o) { nodes { id } pageInfo { hasNextPage endCursor } totalCount } "
    "organization(id: $o) { publicEventCount recentEvents { id } } "
    "organizations { items { publicEventCount recentEvents { id } } } }"
)
UNSEEN = {
    "events": {"items": [], "pagination": {"total": 0}},
    "of": {"items": []},
    "search": {"pagination": {"total": 0}},
    "walk": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}, "totalCount": 0},
    "organization": {"publicEventCount": 0, "recentEvents": []},
    "organizations": {"items": [{"publicEventCount": 0, "recentEvents": []}]},
}
OUTSIDERS = [
    "nobody",
    "user key",
    "organizer key",
    "user session",
    "owner without events:read",
    "loser of a ticket",
]


@pytest.fixture
async def secret(world: World) -> Event:
    return await world.event(await world.organizer(), name="Secret ball", privacy=Privacy.PRIVATE)


async def _outsider(world: World, who: str, event: Event) -> Caller:
    if who == "nobody":
        return world.anonymous
    if who == "user key":
        return await world.user_key()
    if who == "organizer key":
        return await world.organizer_key()
    if who == "user session":
        return await world.session(await world.user())
    if who == "loser of a ticket":
        caller = await world.user_key()
        assert caller.user
        await world.ticket(event, caller.user, status=TicketStatus.FAILED)
        return caller
    await event.fetch_related("organization__user")
    owner: Any = event.organization.user
    return await world.key(owner, permissions=[Scope.TICKETS_WRITE])


@pytest.mark.parametrize("who", OUTSIDERS)
async def test_lists_and_counts_leave_private_events_out(world: World, secret: Event, who: str) -> None:
    caller = await _outsider(world, who, secret)
    answer = await caller.graphql(LISTS, o=secret.organization_id)
    assert answer["data"] == UNSEEN
    assert "errors" not in answer


@pytest.mark.parametrize("who", [who for who in OUTSIDERS if who != "nobody"])
@pytest.mark.parametrize("probe", sorted(PROBES))
async def test_probing_for_a_private_event_answers_as_for_none(
    world: World, secret: Event, who: str, probe: str
) -> None:
    caller = await _outsider(world, who, secret)
    before = await snapshot()
    asked, missing = [
        await caller.graphql(PROBES[probe], e=event_id, o=secret.organization_id) for event_id in (secret.id, 2**30)
    ]
    assert asked == missing
    assert asked["data"][probe] is None
    assert await snapshot() == before


@pytest.mark.parametrize("who", ["owner's organizer key", "owner's session", "admin", "ticket holder"])
async def test_those_who_may_see_it_do(world: World, secret: Event, who: str) -> None:
    caller = await _insider(world, who, secret)
    answer = await caller.graphql(
        "query($e: ID!) { event(id: $e) { name } events { items { name } } eventsConnection { nodes { name } }"
        " ticketTypes(eventId: $e) { id } }",
        e=secret.id,
    )
    assert "errors" not in answer
    assert answer["data"] == {
        "event": {"name": "Secret ball"},
        "events": {"items": [{"name": "Secret ball"}]},
        "eventsConnection": {"nodes": [{"name": "Secret ball"}]},
        "ticketTypes": [],
    }


async def _insider(world: World, who: str, event: Event) -> Caller:
    if who == "admin":
        return await world.admin_key()
    if who == "ticket holder":
        caller = await world.user_key()
        assert caller.user
        await world.ticket(event, caller.user, status=TicketStatus.PENDING)
        return caller
    await event.fetch_related("organization__user")
    owner: Any = event.organization.user
    return await (world.session(owner) if "session" in who else world.key(owner, KeyType.ORGANIZER))
