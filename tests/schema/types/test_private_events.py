"""Private events, which every field treats as missing for callers who cannot see them (decisions 4.1)."""

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
    "anonymous",
    "user key",
    "organizer key",
    "user session",
    "owner without events:read",
    "holder of a failed ticket",
]


@pytest.fixture
async def secret(world: World) -> Event:
    return await world.event(await world.organizer(), name="Secret ball", privacy=Privacy.PRIVATE)


async def _outsider(world: World, name: str, event: Event) -> Caller:
    if name == "anonymous":
        return world.anonymous
    if name == "user key":
        return await world.user_key()
    if name == "organizer key":
        return await world.organizer_key()
    if name == "user session":
        return await world.session(await world.user())
    if name == "holder of a failed ticket":
        caller = await world.user_key()
        assert caller.user
        await world.ticket(event, caller.user, status=TicketStatus.FAILED)
        return caller
    await event.fetch_related("organization__user")
    owner: Any = event.organization.user
    return await world.key(owner, permissions=[Scope.TICKETS_WRITE])


@pytest.mark.parametrize("outsider", OUTSIDERS)
async def test_lists_and_counts_omit_private_events(world: World, secret: Event, outsider: str) -> None:
    caller = await _outsider(world, outsider, secret)
    answer = await caller.graphql(LISTS, o=secret.organization_id)
    assert answer["data"] == UNSEEN
    assert "errors" not in answer


@pytest.mark.parametrize("outsider", [name for name in OUTSIDERS if name != "anonymous"])
@pytest.mark.parametrize("probe", sorted(PROBES))
async def test_response_for_a_private_event_equals_that_for_a_missing_one(
    world: World, secret: Event, outsider: str, probe: str
) -> None:
    caller = await _outsider(world, outsider, secret)
    before = await snapshot()
    private, missing = [
        await caller.graphql(PROBES[probe], e=event_id, o=secret.organization_id) for event_id in (secret.id, 2**30)
    ]
    assert private == missing
    assert private["data"][probe] is None
    assert await snapshot() == before


@pytest.mark.parametrize("insider", ["owner's organizer key", "owner's session", "admin", "ticket holder"])
async def test_private_event_is_visible_to_managers_and_ticket_holders(
    world: World, secret: Event, insider: str
) -> None:
    caller = await _insider(world, insider, secret)
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


async def _insider(world: World, name: str, event: Event) -> Caller:
    if name == "admin":
        return await world.admin_key()
    if name == "ticket holder":
        caller = await world.user_key()
        assert caller.user
        await world.ticket(event, caller.user, status=TicketStatus.PENDING)
        return caller
    await event.fetch_related("organization__user")
    owner: Any = event.organization.user
    return await (world.session(owner) if "session" in name else world.key(owner, KeyType.ORGANIZER))
