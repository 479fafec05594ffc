"""Node IDs, and the queries that find objects by them (decisions 9.1a)."""

import base64
from typing import Any

import pytest

from amarevents.models import ApiKey, OutgoingMail, Plan, User
from amarevents.models.columns import MAX_ID, utc_now
from amarevents.models.enums import KeyType, MailKind, Privacy
from amarevents.resolvers.accounts.related import AccountAccess
from tests.support.graph import NODE_TYPES
from tests.support.graphql_answers import error_code_and_fields, error_codes_by_path
from tests.support.statements import counted_statements
from tests.support.tables import check_rows
from tests.support.world import Caller, World

# Any throughout: JSON.

NODE = "query($id: ID!) { node(nodeId: $id) { __typename nodeId ... on Event { name } } }"
NODES = "query($ids: [ID!]!) { nodes(nodeIds: $ids) { __typename nodeId } }"


def _node_id(type_name: str, record_id: object) -> str:
    return base64.urlsafe_b64encode(f"{type_name}:{record_id}".encode()).rstrip(b"=").decode()


async def _objects(world: World, owner: User) -> dict[str, int]:
    """Create one object of each type, with the ID of each: those of an event of ``owner`` and a donation to it."""
    organization = await world.organization(owner)
    event = await world.event(organization, privacy=Privacy.PRIVATE)
    key = await ApiKey.create(
        user=owner, name="Key", digest=str(event.id), key_prefix="ae_u_x", key_type=KeyType.USER, permissions=[]
    )
    ticket_type = await world.ticket_type(event)
    ticket = await world.ticket(event, owner, ticket_type=ticket_type)
    mail = await OutgoingMail.create(
        kind=MailKind.TICKET_CONFIRMED,
        ticket=ticket,
        recipient="a@b.cd",
        subject="",
        body="",
        next_attempt_at=utc_now(),
    )
    return {
        "ApiKey": key.id,
        "CheckIn": (await world.check_in(ticket, owner)).id,
        "CustomField": (await world.custom_field(event, "Size")).id,
        "Donation": (await world.donation(organization)).id,
        "Event": event.id,
        "GalleryImage": (await world.gallery_image(event)).id,
        "Organization": organization.id,
        "OutgoingMail": mail.id,
        "Plan": (await Plan.get(name="Free")).id,
        "Ticket": ticket.id,
        "TicketType": ticket_type.id,
        "User": owner.id,
    }


PUBLIC = {"Organization"}
FOR_ADMINS = {"OutgoingMail", "Plan"}
HIDDEN = {"CustomField", "Event", "GalleryImage", "TicketType"}
"""Types of a private event, which are null for callers who cannot see it."""


async def _found(caller: Caller, objects: dict[str, int]) -> dict[str, str]:
    """Return what a caller gets for each type: its own name, "null", or the code of an error."""
    answer = await caller.graphql(NODES, ids=[_node_id(name, one) for name, one in objects.items()])
    codes = error_codes_by_path(answer)
    return {
        name: codes.get(f"nodes.{number}") or (found["__typename"] if found else "null")
        for number, (name, found) in enumerate(zip(objects, answer["data"]["nodes"], strict=True))
    }


async def test_every_type_is_tested(world: World) -> None:
    objects = await _objects(world, await world.organizer())
    check_rows("tests/schema/types/test_nodes.py, _objects", objects, {kind.name for kind in NODE_TYPES})


async def test_admin_finds_objects_of_all_types(world: World) -> None:
    objects = await _objects(world, await world.organizer())
    assert await _found(await world.admin_key(), objects) == {name: name for name in objects}


async def test_owner_finds_all_objects_but_those_for_admins(world: World) -> None:
    owner = await world.organizer()
    objects = await _objects(world, owner)
    expected = {name: "WRONG_KEY_TYPE" if name in FOR_ADMINS else name for name in objects}
    assert await _found(await world.session(owner), objects) == expected


async def test_another_organizer_finds_nothing_that_is_not_public(world: World) -> None:
    objects = await _objects(world, await world.organizer())
    refused = dict.fromkeys([*FOR_ADMINS, "User"], "WRONG_KEY_TYPE")
    expected = {name: name if name in PUBLIC else refused.get(name, "null") for name in objects}
    assert await _found(await world.organizer_key(), objects) == expected


async def test_anonymous_caller_finds_public_objects_alone(world: World) -> None:
    objects = await _objects(world, await world.organizer())
    expected = {name: name if name in PUBLIC else "null" if name in HIDDEN else "UNAUTHENTICATED" for name in objects}
    assert await _found(world.anonymous, objects) == expected


async def test_refusal_does_not_depend_on_whether_the_object_exists(world: World) -> None:
    objects = await _objects(world, await world.organizer())
    missing = dict.fromkeys(objects, MAX_ID)
    foreign = await world.organizer_key()
    for name, found in (await _found(foreign, objects)).items():
        if name not in PUBLIC:
            assert (await _found(foreign, missing))[name] == found


async def test_foreign_account_would_be_found_without_the_check(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    foreign, caller = {"User": (await world.user()).id}, await world.user_key()
    assert await _found(caller, foreign) == {"User": "WRONG_KEY_TYPE"}
    monkeypatch.setattr(AccountAccess, "check", lambda *_: None)
    assert await _found(caller, foreign) == {"User": "User"}


@pytest.mark.parametrize(
    ("scope", "name"),
    [("tickets:read", "Ticket"), ("users:read", "User"), ("users:read", "ApiKey"), ("donations:read", "Donation")],
)
async def test_key_needs_the_scope_of_the_query_that_shows_the_same(world: World, scope: str, name: str) -> None:
    owner = await world.organizer()
    objects = await _objects(world, owner)
    scopes = [one for one in ("events:read", "tickets:read", "users:read", "donations:read") if one != scope]
    key = await world.key(owner, KeyType.ORGANIZER, permissions=scopes)
    assert (await _found(key, objects))[name] == "MISSING_SCOPE"
    key = await world.key(owner, KeyType.ORGANIZER, permissions=[*scopes, scope])
    assert (await _found(key, objects))[name] == name


@pytest.mark.parametrize(
    "node_id",
    [
        *("", "x", "????", "RXZlbnQ", "ক", "A" * 10_000, _node_id("Event", "") + "=", "42"),
        *(_node_id("Event", one) for one in ("", "0", "-1", "01", "+1", "1 ", "x", "১", MAX_ID + 1, "9" * 40)),
        *(_node_id(name, 1) for name in ("event", "EventPage", "Query", "Node", "", "Event:1")),
    ],
)
async def test_malformed_node_id_is_null(world: World, node_id: str) -> None:
    await world.event(await world.organizer())
    answer = await world.anonymous.graphql(NODE, id=node_id)
    assert (answer.get("errors"), answer["data"]["node"]) == (None, None)


async def test_node_id_has_one_spelling(world: World) -> None:
    event = await world.event(await world.organizer())
    node_id = _node_id("Event", event.id)
    found = (await world.anonymous.graphql(NODE, id=node_id))["data"]["node"]
    assert found == {"__typename": "Event", "nodeId": node_id, "name": event.name}
    for spelling in (node_id + "=", node_id + "==", node_id.swapcase(), f" {node_id}"):
        assert (await world.anonymous.graphql(NODE, id=spelling))["data"]["node"] is None


async def test_objects_have_the_same_node_id_on_every_path(world: World) -> None:
    admin = await world.admin()
    caller, event = await world.session(admin), await world.event(admin)
    document = f"""{{ me {{ nodeId organizations {{ owner {{ nodeId }} }} }} myProfile {{ nodeId }}
        user(id: {admin.id}) {{ nodeId }} users {{ items {{ nodeId }} }}
        event(id: {event.id}) {{ organization {{ owner {{ nodeId }} }} }} }}"""
    assert _values((await caller.graphql(document))["data"]) == {_node_id("User", admin.id)}


def _values(data: Any) -> set[str]:
    if isinstance(data, str):
        return {data}
    parts = data.values() if isinstance(data, dict) else data
    return set().union(*map(_values, parts))


async def test_nodes_keep_the_order_and_repeat_what_is_repeated(world: World) -> None:
    organizer = await world.organizer()
    ids = [_node_id("Event", (await world.event(organizer)).id) for _ in range(3)]
    asked = [ids[2], "x", ids[0], ids[2]]
    answer = await world.anonymous.graphql(NODES, ids=asked)
    found = [one and one["nodeId"] for one in answer["data"]["nodes"]]
    assert found == [ids[2], None, ids[0], ids[2]]
    assert (await world.anonymous.graphql(NODES, ids=[]))["data"]["nodes"] == []


async def test_hundred_nodes_take_as_many_statements_as_two_and_more_are_refused(world: World) -> None:
    organization = await world.organization(await world.organizer())
    ids = [_node_id("Event", (await world.event(organization)).id) for _ in range(101)]
    with counted_statements() as few:
        await world.anonymous.graphql(NODES, ids=ids[:2])
    with counted_statements() as many:
        answer = await world.anonymous.graphql(NODES, ids=ids[:100])
    assert (len(many), len(answer["data"]["nodes"])) == (len(few), 100)
    assert error_code_and_fields(await world.anonymous.graphql(NODES, ids=ids)) == ("VALIDATION_ERROR", {"nodeIds"})


async def test_nodes_cost_one_unit_and_as_much_as_they_select(world: World) -> None:
    key = await world.user_key()
    ids = [_node_id("Event", one) for one in range(1, 101)]
    response = await key.http.post(
        "/graphql",
        json={
            "query": "query($ids: [ID!]!) { nodes(nodeIds: $ids) { ... on Event { name notice } } }",
            "variables": {"ids": ids},
        },
        headers=key.headers,
    )
    limit, remaining = (int(response.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining"))
    assert remaining == limit - 1
    assert response.json()["extensions"]["cost"]["requested"] > 100 * 40 + 100 * 90


async def test_check_in_is_found_until_it_is_undone_and_hides_who_scanned_from_its_holder(world: World) -> None:
    owner, holder = await world.organizer_key(), await world.user_key()
    assert owner.user
    assert holder.user
    ticket = await world.ticket(await world.event(owner.user), holder.user)
    fields = "{ nodeId ... on CheckIn { checkedInBy outcome ticket { id } } }"
    scan = await owner.graphql(f'mutation {{ checkInTicket(code: "{ticket.code}") {fields} }}')
    scanned = scan["data"]["checkInTicket"]
    assert scanned["outcome"] == "ADMITTED"
    query = f"query($id: ID!) {{ node(nodeId: $id) {fields} }}"
    for caller, by in ((owner, owner.user.username), (holder, None)):
        found = (await caller.graphql(query, id=scanned["nodeId"]))["data"]["node"]
        assert found == {**scanned, "outcome": None, "checkedInBy": by}
    await owner.graphql(f"mutation {{ undoCheckIn(ticketId: {ticket.id}) {{ id }} }}")
    assert (await owner.graphql(query, id=scanned["nodeId"]))["data"]["node"] is None
