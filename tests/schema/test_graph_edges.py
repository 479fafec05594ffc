"""The edges between nouns: to whom each is open, and that they show what REST shows."""

from typing import Any

import pytest

from amarevents.models.enums import KeyType, Privacy, TicketStatus
from tests.world import Caller, World, snapshot

# Any: JSON.

OWNER = "query($id: ID!) { organization(id: $id) { name owner { id username email } } }"
MINE = "{ me { tickets { items { id } pagination { total } } apiKeys { id } organizations { id eventsUsed } } }"
ANYBODYS = "query($id: ID!) { user(id: $id) { id tickets { items { id } } organizations { id } apiKeys { id } } }"


def _codes(answer: dict[str, Any]) -> dict[str, str]:
    """Where something was refused, and why."""
    return {".".join(map(str, one["path"])): one["extensions"]["code"] for one in answer.get("errors", [])}


async def test_an_owner_is_shown_to_itself_and_to_admins(world: World) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    shown = {"id": str(owner.id), "username": owner.username, "email": owner.email}
    for caller in (await world.key(owner), await world.key(owner, KeyType.ORGANIZER), await world.admin_key()):
        answer = await caller.graphql(OWNER, id=organization.id)
        assert answer["data"]["organization"]["owner"] == shown


@pytest.mark.parametrize(
    ("who", "code"), [("nobody", "UNAUTHENTICATED"), ("organizer", "WRONG_KEY_TYPE"), ("admin", "MISSING_SCOPE")]
)
async def test_an_owner_is_hidden_from_everybody_else(world: World, who: str, code: str) -> None:
    organization = await world.organization(await world.organizer())
    callers: dict[str, Caller] = {
        "nobody": world.anonymous,
        "organizer": await world.organizer_key(),
        "admin": await world.key(await world.admin(), KeyType.ADMIN, permissions=["users:read", "tickets:read"]),
    }
    before = await snapshot()
    answer = await callers[who].graphql(OWNER, id=organization.id)
    assert answer["data"]["organization"] == {"name": organization.name, "owner": None}
    assert _codes(answer) == {"organization.owner": code}
    assert await snapshot() == before


async def test_ones_own_belongings_are_those_of_rest(world: World) -> None:
    caller = await world.session(user := await world.organizer())
    event = await world.event(user, privacy=Privacy.PRIVATE)
    await world.ticket(event, user)
    await world.ticket(event, await world.user(), email=user.email)
    await world.key(user)
    shown = (await caller.graphql(MINE))["data"]["me"]
    tickets = (await caller.get("/users/me/tickets")).json()
    profile = (await caller.get("/users/me")).json()["data"]
    keys = (await caller.get("/users/me/keys")).json()["data"]
    assert [int(one["id"]) for one in shown["tickets"]["items"]] == [one["id"] for one in tickets["data"]]
    assert shown["tickets"]["pagination"]["total"] == tickets["pagination"]["total"] == 2
    assert [int(one["id"]) for one in shown["apiKeys"]] == [one["id"] for one in keys]
    assert [one["eventsUsed"] for one in shown["organizations"]] == [1]
    assert [int(one["id"]) for one in shown["organizations"]] == [one["id"] for one in profile["organizations"]]


@pytest.mark.parametrize(
    ("key_type", "permissions", "refused"),
    [
        (KeyType.USER, ["tickets:read"], {"apiKeys": "MISSING_SCOPE", "organizations": "MISSING_SCOPE"}),
        (KeyType.USER, ["users:read"], {"tickets": "MISSING_SCOPE"}),
        # As GET /users/me/tickets, which has the badge User alone.
        (KeyType.ORGANIZER, ["tickets:read", "users:read"], {"tickets": "WRONG_KEY_TYPE"}),
    ],
)
async def test_ones_own_belongings_need_what_their_routes_need(
    world: World, key_type: KeyType, permissions: list[str], refused: dict[str, str]
) -> None:
    caller = await world.key(await world.organizer(), key_type, permissions=permissions)
    answer = await caller.graphql(MINE)
    assert _codes(answer) == {f"me.{edge}": code for edge, code in refused.items()}
    assert {edge for edge, value in answer["data"]["me"].items() if value is None} == refused.keys()


async def test_admins_need_the_scope_of_tickets_for_everybodys(world: World) -> None:
    user = await world.user()
    ticket = await world.ticket(await world.event(await world.organizer()), user)
    admin = await world.admin()
    answer = await (await world.key(admin, KeyType.ADMIN, permissions=["admin"])).graphql(ANYBODYS, id=user.id)
    assert _codes(answer) == {"user.tickets": "MISSING_SCOPE"}
    whole = await world.key(admin, KeyType.ADMIN, permissions=["admin", "tickets:read"])
    answer = await whole.graphql(ANYBODYS, id=user.id)
    assert answer["data"]["user"]["tickets"] == {"items": [{"id": str(ticket.id)}]}


async def test_a_ticket_leads_to_its_event_only_for_whom_the_event_is_there(world: World) -> None:
    secret = await world.event(await world.organizer(), privacy=Privacy.PRIVATE)
    kind = await world.ticket_type(secret)
    holder = await world.user_key()
    assert holder.user
    ticket = await world.ticket(secret, holder.user, ticket_type=kind, status=TicketStatus.PENDING)
    query = f"{{ ticket(id: {ticket.id}) {{ id event {{ name }} ticketType {{ name }} }} }}"
    there = {"id": str(ticket.id), "event": {"name": secret.name}, "ticketType": {"name": kind.name}}
    assert (await holder.graphql(query))["data"]["ticket"] == there
    ticket.status = TicketStatus.FAILED
    await ticket.save()
    answer = await holder.graphql(query)
    assert answer["data"]["ticket"] == {"id": str(ticket.id), "event": None, "ticketType": None}
    assert _codes(answer) == {"ticket.event": "NOT_FOUND", "ticket.ticketType": "NOT_FOUND"}


@pytest.mark.parametrize("arguments", [{}, {"limit": 2}, {"limit": 2, "page": 2}, {"search": "EVEN"}, {"page": 9}])
async def test_events_of_organizations_are_those_of_rest(world: World, arguments: dict[str, Any]) -> None:
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


async def test_what_a_mutation_has_changed_is_loaded_anew(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    add = 'createTicketType(input: {eventId: %s, name: "%s"}) { event { ticketTypes { name } } }'
    answer = await owner.graphql(f"mutation {{ a: {add % (event.id, 'A')} b: {add % (event.id, 'B')} }}")
    shown = {alias: [kind["name"] for kind in one["event"]["ticketTypes"]] for alias, one in answer["data"].items()}
    assert shown == {"a": ["A"], "b": ["B", "A"]}
