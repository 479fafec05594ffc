"""Edges between types: their access rules, and their agreement with the routes of the REST API."""

from typing import Any

import pytest

from amarevents.models.enums import KeyType, Privacy, TicketStatus
from tests.support.graphql_answers import error_codes_by_path
from tests.support.world import Caller, World, snapshot

# Any: JSON.

# Edges of events ------------------------------------------------------------------------------------------------

STATS = "query($id: ID!) { event(id: $id) { name stats { total approved revenue } } }"
TICKETS = """query($id: ID!, $status: TicketStatus, $page: Int, $limit: Int) { event(id: $id) {
    tickets(status: $status, page: $page, limit: $limit) { items { id status } pagination { total page limit pages } }
} }"""
ALL_EVENTS = "{ events(limit: 100) { items { id stats { total } tickets { items { id } } } } }"


@pytest.mark.parametrize("edge", ["stats { total }", "tickets { items { id } }"])
async def test_anonymous_caller_is_denied_the_edges_of_managers(world: World, edge: str) -> None:
    event = await world.event(await world.organizer())
    answer = await world.anonymous.graphql(f"{{ event(id: {event.id}) {{ id {edge} }} }}")
    assert error_codes_by_path(answer) == {f"event.{edge.split()[0]}": "UNAUTHENTICATED"}
    assert answer["data"]["event"] == {"id": str(event.id), edge.split()[0]: None}


@pytest.mark.parametrize("edge", ["stats { total }", "tickets { items { id } }"])
async def test_denied_edge_is_null_and_the_other_fields_are_returned(world: World, edge: str) -> None:
    event = await world.event(await world.organizer())
    foreign = await world.organizer_key()
    before = await snapshot()
    answer = await foreign.graphql(f"{{ event(id: {event.id}) {{ id {edge} }} }}")
    assert error_codes_by_path(answer) == {f"event.{edge.split()[0]}": "FORBIDDEN"}
    assert answer["data"]["event"]["id"] == str(event.id)
    assert await snapshot() == before


async def test_key_needs_the_scope_of_the_route(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    key = await world.key(owner, KeyType.ORGANIZER, permissions=["events:read"])
    answer = await key.graphql(STATS, id=event.id)
    assert error_codes_by_path(answer) == {"event.stats": "MISSING_SCOPE"}


async def test_user_key_of_the_owner_cannot_manage_the_event(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    answer = await (await world.key(owner, KeyType.USER)).graphql(STATS, id=event.id)
    assert error_codes_by_path(answer) == {"event.stats": "WRONG_KEY_TYPE"}


async def test_list_includes_tickets_of_own_events_only(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    own, others = await world.event(owner.user), await world.event(await world.organizer())
    ticket = await world.ticket(own, await world.user())
    await world.ticket(others, await world.user())
    answer = await owner.graphql(ALL_EVENTS)
    result = {one["id"]: one for one in answer["data"]["events"]["items"]}
    assert result[str(own.id)]["tickets"] == {"items": [{"id": str(ticket.id)}]}
    assert result[str(own.id)]["stats"] == {"total": 1}
    assert result[str(others.id)] == {"id": str(others.id), "stats": None, "tickets": None}
    assert set(error_codes_by_path(answer).values()) == {"FORBIDDEN"}


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
async def test_tickets_are_paginated_newest_first(
    world: World, arguments: dict[str, object], expected: list[int], total: int
) -> None:
    owner = await world.organizer_key()
    event_id, ids = await _event_with_tickets(world, owner)
    answer = await owner.graphql(TICKETS, id=event_id, **arguments)
    page = answer["data"]["event"]["tickets"]
    assert [int(one["id"]) for one in page["items"]] == [ids[number] for number in expected]
    assert page["pagination"]["total"] == total


async def test_page_of_tickets_equals_that_of_rest(world: World) -> None:
    owner = await world.organizer_key()
    event_id, _ = await _event_with_tickets(world, owner)
    answer = await owner.graphql(TICKETS, id=event_id, limit=2, page=2)
    rest = (await owner.get(f"/events/{event_id}/tickets", limit=2, page=2)).json()
    page = answer["data"]["event"]["tickets"]
    assert page["pagination"] == rest["pagination"]
    assert [int(one["id"]) for one in page["items"]] == [one["id"] for one in rest["data"]]


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"page": 0}])
async def test_invalid_pagination_is_rejected_by_name(world: World, arguments: dict[str, int]) -> None:
    owner = await world.organizer_key()
    event_id, _ = await _event_with_tickets(world, owner)
    answer = await owner.graphql(TICKETS, id=event_id, **arguments)
    [failure] = answer["errors"]
    assert failure["extensions"]["code"] == "VALIDATION_ERROR"
    assert failure["extensions"]["fields"].keys() == arguments.keys()


async def test_statistics_equal_those_of_rest(world: World) -> None:
    owner = await world.organizer_key()
    event_id, _ = await _event_with_tickets(world, owner)
    result = (await owner.graphql(STATS, id=event_id))["data"]["event"]["stats"]
    rest = (await owner.get(f"/events/{event_id}/stats")).json()["data"]
    assert (result["total"], result["approved"]) == (rest["total"], rest["approved"]) == (4, 1)


async def test_event_allowance_of_the_organization_is_visible_to_its_owner_only(world: World) -> None:
    owner, foreign = await world.organizer_key(), await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    query = f"{{ event(id: {event.id}) {{ organization {{ id name eventsUsed }} }} }}"
    mine = (await owner.graphql(query))["data"]["event"]["organization"]
    theirs = (await foreign.graphql(query))["data"]["event"]["organization"]
    assert mine == {**theirs, "eventsUsed": mine["eventsUsed"]}
    assert theirs["eventsUsed"] is None is not mine["eventsUsed"]


async def test_more_than_five_hundred_pages_in_one_document_are_rejected(world: World) -> None:
    """All pages are read by one statement, and the maximum cost of a document keeps that statement small."""
    owner = await world.organizer_key()
    pages = " ".join(f"p{number}: tickets(limit: 1) {{ items {{ id }} }}" for number in range(6))
    answer = await owner.graphql(f"{{ events(limit: 100) {{ items {{ {pages} }} }} }}")
    assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"


# Edges of accounts, organizations and tickets -------------------------------------------------------------------

OWNER = "query($id: ID!) { organization(id: $id) { name owner { id username email } } }"
MINE = "{ me { tickets { items { id } pagination { total } } apiKeys { id } organizations { id eventsUsed } } }"
ANY_USER = "query($id: ID!) { user(id: $id) { id tickets { items { id } } organizations { id } apiKeys { id } } }"


async def test_owner_of_an_organization_is_visible_to_the_owner_and_admins(world: World) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    result = {"id": str(owner.id), "username": owner.username, "email": owner.email}
    for caller in (await world.key(owner), await world.key(owner, KeyType.ORGANIZER), await world.admin_key()):
        answer = await caller.graphql(OWNER, id=organization.id)
        assert answer["data"]["organization"]["owner"] == result


@pytest.mark.parametrize(
    ("caller_name", "code"),
    [("anonymous", "UNAUTHENTICATED"), ("organizer", "WRONG_KEY_TYPE"), ("admin", "MISSING_SCOPE")],
)
async def test_owner_of_an_organization_is_hidden_from_others(world: World, caller_name: str, code: str) -> None:
    organization = await world.organization(await world.organizer())
    callers: dict[str, Caller] = {
        "anonymous": world.anonymous,
        "organizer": await world.organizer_key(),
        "admin": await world.key(await world.admin(), KeyType.ADMIN, permissions=["users:read", "tickets:read"]),
    }
    before = await snapshot()
    answer = await callers[caller_name].graphql(OWNER, id=organization.id)
    assert answer["data"]["organization"] == {"name": organization.name, "owner": None}
    assert error_codes_by_path(answer) == {"organization.owner": code}
    assert await snapshot() == before


async def test_own_tickets_keys_and_organizations_equal_those_of_rest(world: World) -> None:
    caller = await world.session(user := await world.organizer())
    event = await world.event(user, privacy=Privacy.PRIVATE)
    await world.ticket(event, user)
    await world.ticket(event, await world.user(), email=user.email)
    await world.key(user)
    result = (await caller.graphql(MINE))["data"]["me"]
    tickets = (await caller.get("/users/me/tickets")).json()
    profile = (await caller.get("/users/me")).json()["data"]
    keys = (await caller.get("/users/me/keys")).json()["data"]
    assert [int(one["id"]) for one in result["tickets"]["items"]] == [one["id"] for one in tickets["data"]]
    assert result["tickets"]["pagination"]["total"] == tickets["pagination"]["total"] == 2
    assert [int(one["id"]) for one in result["apiKeys"]] == [one["id"] for one in keys]
    assert [one["eventsUsed"] for one in result["organizations"]] == [1]
    assert [int(one["id"]) for one in result["organizations"]] == [one["id"] for one in profile["organizations"]]


@pytest.mark.parametrize(
    ("key_type", "permissions", "refused"),
    [
        (KeyType.USER, ["tickets:read"], {"apiKeys": "MISSING_SCOPE", "organizations": "MISSING_SCOPE"}),
        (KeyType.USER, ["users:read"], {"tickets": "MISSING_SCOPE"}),
        # Like GET /users/me/tickets, which only user keys may call.
        (KeyType.ORGANIZER, ["tickets:read", "users:read"], {"tickets": "WRONG_KEY_TYPE"}),
    ],
)
async def test_own_tickets_keys_and_organizations_need_the_scopes_of_their_routes(
    world: World, key_type: KeyType, permissions: list[str], refused: dict[str, str]
) -> None:
    caller = await world.key(await world.organizer(), key_type, permissions=permissions)
    answer = await caller.graphql(MINE)
    assert error_codes_by_path(answer) == {f"me.{edge}": code for edge, code in refused.items()}
    assert {edge for edge, value in answer["data"]["me"].items() if value is None} == refused.keys()


async def test_admin_needs_the_scope_for_tickets_of_other_users(world: World) -> None:
    user = await world.user()
    ticket = await world.ticket(await world.event(await world.organizer()), user)
    admin = await world.admin()
    answer = await (await world.key(admin, KeyType.ADMIN, permissions=["admin"])).graphql(ANY_USER, id=user.id)
    assert error_codes_by_path(answer) == {"user.tickets": "MISSING_SCOPE"}
    whole = await world.key(admin, KeyType.ADMIN, permissions=["admin", "tickets:read"])
    answer = await whole.graphql(ANY_USER, id=user.id)
    assert answer["data"]["user"]["tickets"] == {"items": [{"id": str(ticket.id)}]}


async def test_event_of_a_ticket_is_null_when_it_is_hidden_from_the_holder(world: World) -> None:
    secret = await world.event(await world.organizer(), privacy=Privacy.PRIVATE)
    ticket_type = await world.ticket_type(secret)
    holder = await world.user_key()
    assert holder.user
    ticket = await world.ticket(secret, holder.user, ticket_type=ticket_type, status=TicketStatus.PENDING)
    query = f"{{ ticket(id: {ticket.id}) {{ id event {{ name }} ticketType {{ name }} }} }}"
    visible = {"id": str(ticket.id), "event": {"name": secret.name}, "ticketType": {"name": ticket_type.name}}
    assert (await holder.graphql(query))["data"]["ticket"] == visible
    ticket.status = TicketStatus.FAILED
    await ticket.save()
    answer = await holder.graphql(query)
    assert answer["data"]["ticket"] == {"id": str(ticket.id), "event": None, "ticketType": None}
    assert error_codes_by_path(answer) == {"ticket.event": "NOT_FOUND", "ticket.ticketType": "NOT_FOUND"}


@pytest.mark.parametrize("arguments", [{}, {"limit": 2}, {"limit": 2, "page": 2}, {"search": "EVEN"}, {"page": 9}])
async def test_events_of_organizations_equal_those_of_rest(world: World, arguments: dict[str, Any]) -> None:
    organizations = [await world.organization(await world.organizer()) for _ in range(3)]
    for organization in organizations:
        for privacy in (Privacy.PUBLIC, Privacy.PRIVATE, Privacy.PUBLIC, Privacy.PUBLIC):
            await world.event(organization, privacy=privacy)
    query = """query($search: String, $page: Int, $limit: Int) { organizations { items { id
        events(search: $search, page: $page, limit: $limit) {
            items { id } pagination { total page limit pages }
        } } } }"""
    owner = await world.key(await organizations[0].user, KeyType.ORGANIZER)
    for caller in (owner, world.anonymous):
        for one in (await caller.graphql(query, **arguments))["data"]["organizations"]["items"]:
            rest = (await caller.get("/events", organization_id=one["id"], **arguments)).json()
            assert one["events"]["pagination"] == rest["pagination"]
            assert [int(event["id"]) for event in one["events"]["items"]] == [event["id"] for event in rest["data"]]


async def test_edges_are_reloaded_after_each_mutation(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    add = 'createTicketType(input: {eventId: %s, name: "%s"}) { event { ticketTypes { name } } }'
    answer = await owner.graphql(f"mutation {{ a: {add % (event.id, 'A')} b: {add % (event.id, 'B')} }}")
    result = {
        alias: [ticket_type["name"] for ticket_type in one["event"]["ticketTypes"]]
        for alias, one in answer["data"].items()
    }
    assert result == {"a": ["A"], "b": ["B", "A"]}
