"""The schema as decisions 9 has it. Names and signatures below are typed from that page."""

import datetime
import re
from decimal import Decimal

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
)

from tests.support.graph import SCHEMA
from tests.support.graphql_answers import only_failure
from tests.support.tables import require_rows, require_values
from tests.support.world import World, snapshot

OBJECTS = [kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLObjectType)]
NOUNS = [kind for kind in OBJECTS if not kind.name.startswith("__")]
INPUTS = [kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLInputObjectType)]
ENUMS = [kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLEnumType) and kind.name[:2] != "__"]

QUERIES = {
    "me",
    "events",
    "event",
    "organizations",
    "organization",
    "tickets",
    "ticket",
    "verifyTicket",
    "ticketTypes",
    "apiKeys",
    "myTickets",
    "donations",
    "adminStats",
    "users",
    "user",
    "adminEvents",
    "adminDonations",
    "adminApiKeys",
    "plans",
    "rateLimits",
    "myProfile",  # beyond the decisions: GET /users/me, which needs a scope that `me` does not
    "outbox",  # beyond the decisions: what an operator looks at
    "eventsConnection",  # beyond the decisions: `events` and `tickets` by cursors
    "ticketsConnection",
}
MUTATIONS = {
    "register": ["input", "idempotencyKey"],
    "login": ["input"],
    "logout": [],
    "createEvent": ["input", "idempotencyKey"],
    "createOrganization": ["input", "idempotencyKey"],
    "registerForEvent": ["input", "idempotencyKey"],
    "updateTicket": ["id", "input"],
    "createTicketType": ["input", "idempotencyKey"],
    "createApiKey": ["input", "idempotencyKey"],
    "updateApiKey": ["id", "input"],
    "revokeApiKey": ["id"],
    "updateMe": ["input"],
    "updateEvent": ["id", "input"],
    "deleteEvent": ["id"],
    "duplicateEvent": ["id", "input", "idempotencyKey"],
    "updateOrganization": ["id", "input"],
    "deleteTicket": ["id"],
    "updateTicketType": ["id", "input"],
    "deleteTicketType": ["id"],
    "submitDonation": ["input", "idempotencyKey"],
    "updateDonation": ["id", "input"],
    "updateUser": ["id", "input"],
    "deleteUser": ["id"],
    "adminUpdateDonation": ["id", "input"],
    "forceRevokeApiKey": ["id"],
    "createCustomField": ["input", "idempotencyKey"],
    "updateCustomField": ["id", "input"],
    "deleteCustomField": ["id"],
    "reorderCustomFields": ["input"],
    "createGalleryImage": ["input", "idempotencyKey"],
    "updateGalleryImage": ["id", "input"],
    "deleteGalleryImage": ["id"],
    "reorderGallery": ["input"],
    "createPlan": ["input", "idempotencyKey"],
    "updatePlan": ["id", "input"],
    "deletePlan": ["id"],
    "checkInTicket": ["code", "gate", "scanId"],
    "undoCheckIn": ["ticketId"],
    "approvePayments": ["input"],
    "rejectPayments": ["input"],
}
PUBLIC = {
    "events",
    "eventsConnection",
    "event",
    "organizations",
    "organization",
    "ticketTypes",
    "register",
    "login",
    "logout",
    "submitDonation",
}


def _root(name: str) -> GraphQLObjectType:
    root = SCHEMA.type_map[name]
    assert isinstance(root, GraphQLObjectType)
    return root


def test_queries_are_those_of_the_decisions() -> None:
    require_rows("QUERIES in tests/schema/core/test_fields.py", QUERIES, _root("Query").fields)


def test_mutations_take_what_the_decisions_say() -> None:
    taken = {name: list(field.args) for name, field in _root("Mutation").fields.items()}
    require_values("MUTATIONS in tests/schema/core/test_fields.py", MUTATIONS, taken)


@pytest.mark.parametrize("name", ["Query", "Mutation"])
def test_root_fields_are_nullable_and_described(name: str) -> None:
    for field in _root(name).fields.values():
        assert not isinstance(field.type, GraphQLNonNull)
        assert field.description


def test_tickets_take_the_arguments_of_the_decisions() -> None:
    assert set(_root("Query").fields["tickets"].args) == {"eventId", "status", "page", "limit"}
    assert set(_root("Query").fields["verifyTicket"].args) == {"id", "code"}
    assert set(_root("Query").fields["ticketTypes"].args) == {"eventId"}
    for single in ("event", "organization", "ticket"):
        assert str(_root("Query").fields[single].args["id"].type) == "ID!"


@pytest.mark.parametrize("kind", [*NOUNS, *INPUTS], ids=str)
def test_fields_are_in_camel_case_and_ids_are_ids(kind: GraphQLObjectType | GraphQLInputObjectType) -> None:
    for name, field in kind.fields.items():
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*", name)
        if name == "id" or name.endswith("Id"):
            # A transaction's id is the payment provider's, not a row's.
            assert str(field.type).rstrip("!") == ("String" if name == "transactionId" else "ID")


@pytest.mark.parametrize("kind", [*NOUNS, *INPUTS], ids=str)
def test_money_instants_and_dates_have_their_scalars(kind: GraphQLObjectType | GraphQLInputObjectType) -> None:
    scalars = {"price": "Decimal", "amount": "Decimal", "date": "Date", "eventDate": "Date", "deadline": "Date"}
    for name, field in kind.fields.items():
        expected = "DateTime" if name.endswith("At") else scalars.get(name)
        assert expected in (None, str(field.type).rstrip("!"))


@pytest.mark.parametrize("kind", ENUMS, ids=str)
def test_enums_are_in_upper_case(kind: GraphQLEnumType) -> None:
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", name) for name in kind.values)


def test_enums_hold_the_words_of_the_contract() -> None:
    names = {kind.name: list(kind.values) for kind in ENUMS}
    categories = "EDUCATION SPORTS CONCERT CONFERENCE WORKSHOP FESTIVAL CHARITY CULTURAL GAMES OTHER"
    assert names["Category"] == categories.split()
    assert names["TicketStatus"] == ["PENDING", "SUCCESS", "FAILED", "REFUNDED"]
    assert names["KeyType"] == ["USER", "ORGANIZER", "ADMIN"]
    assert names["Privacy"] == ["PUBLIC", "PRIVATE"]


@pytest.mark.parametrize("kind", ["Event", "Organization", "Ticket"])
def test_paged_lists_have_items_and_pagination(kind: str) -> None:
    page = _root(f"{kind}Page").fields
    assert {name: str(field.type) for name, field in page.items()} == {
        "items": f"[{kind}!]!",
        "pagination": "Pagination!",
    }
    assert list(_root("Pagination").fields) == ["total", "page", "limit", "pages"]


@pytest.mark.parametrize("kind", [*NOUNS, *INPUTS], ids=str)
def test_every_type_is_described_without_sources_or_markup(kind: GraphQLObjectType | GraphQLInputObjectType) -> None:
    assert kind.description
    assert "decisions" not in kind.description
    assert "``" not in kind.description


# One sensible call of each field; what a caller may not do is refused before it is looked at.
CALLS = {
    "me": "{ me { id } }",
    "events": "{ events { pagination { total } } }",
    "event": "{ event(id: 1) { id } }",
    "organizations": "{ organizations { pagination { total } } }",
    "organization": "{ organization(id: 1) { id } }",
    "tickets": "{ tickets { pagination { total } } }",
    "ticket": "{ ticket(id: 1) { id } }",
    "verifyTicket": "{ verifyTicket(id: 1) { valid } }",
    "ticketTypes": "{ ticketTypes(eventId: 1) { id } }",
    "apiKeys": "{ apiKeys { id } }",
    "outbox": "{ outbox { items { id } } }",
    "eventsConnection": "{ eventsConnection { totalCount } }",
    "ticketsConnection": "{ ticketsConnection { totalCount } }",
    "register": (
        'mutation { register(input: {username: "a", email: "b", password: "c", number: "d"}) { id } }'  # all too short
    ),
    "login": 'mutation { login(input: {email: "a@example.com", password: ""}) { id } }',
    "logout": "mutation { logout { loggedOut } }",
    "createEvent": 'mutation { createEvent(input: {name: "", organizationId: 1}) { id } }',
    "createOrganization": 'mutation { createOrganization(input: {name: "", userId: 1}) { id } }',
    "registerForEvent": "mutation { registerForEvent(input: {eventId: 0}) { id } }",
    "updateTicket": 'mutation { updateTicket(id: 1, input: {email: "x"}) { id } }',
    "createTicketType": 'mutation { createTicketType(input: {eventId: 1, name: ""}) { id } }',
    "createApiKey": 'mutation { createApiKey(input: {name: "", keyType: ADMIN}) { id } }',
    "updateApiKey": 'mutation { updateApiKey(id: 1, input: {name: ""}) { id } }',
    "revokeApiKey": "mutation { revokeApiKey(id: 1) { id } }",
    "myProfile": "{ myProfile { id } }",
    "myTickets": "{ myTickets { items { id } } }",
    "donations": "{ donations { items { id } } }",
    "adminStats": "{ adminStats { totalUsers } }",
    "users": "{ users { items { id } } }",
    "user": "{ user(id: 1) { id } }",
    "adminEvents": "{ adminEvents { items { id } } }",
    "adminDonations": "{ adminDonations { items { id } } }",
    "adminApiKeys": "{ adminApiKeys { items { id } } }",
    "plans": "{ plans { id } }",
    "rateLimits": "{ rateLimits { keyId } }",
    "updateMe": 'mutation { updateMe(input: {number: "x"}) { id } }',
    "updateEvent": 'mutation { updateEvent(id: 1, input: {name: ""}) { id } }',
    "deleteEvent": "mutation { deleteEvent(id: 1) { id } }",
    "duplicateEvent": 'mutation { duplicateEvent(id: 1, input: {name: ""}) { id } }',
    "updateOrganization": 'mutation { updateOrganization(id: 1, input: {name: ""}) { id } }',
    "deleteTicket": "mutation { deleteTicket(id: 1) { id } }",
    "updateTicketType": 'mutation { updateTicketType(id: 1, input: {name: ""}) { id } }',
    "deleteTicketType": "mutation { deleteTicketType(id: 1) { id } }",
    "submitDonation": (
        "mutation { submitDonation(input: "
        '{email: "a", number: "b", amount: 0, transactionId: "c", type: BKASH}) { id } }'  # none of it fits
    ),
    "updateDonation": "mutation { updateDonation(id: 1, input: {status: VERIFIED}) { id } }",
    "updateUser": 'mutation { updateUser(id: 1, input: {email: "x"}) { id } }',
    "deleteUser": "mutation { deleteUser(id: 1) { id } }",
    "adminUpdateDonation": "mutation { adminUpdateDonation(id: 1, input: {status: VERIFIED}) { id } }",
    "forceRevokeApiKey": "mutation { forceRevokeApiKey(id: 1) { id } }",
    "createCustomField": 'mutation { createCustomField(input: {eventId: 1, name: "", type: TEXT}) { id } }',
    "updateCustomField": 'mutation { updateCustomField(id: 1, input: {name: ""}) { id } }',
    "deleteCustomField": "mutation { deleteCustomField(id: 1) { id } }",
    "reorderCustomFields": "mutation { reorderCustomFields(input: {eventId: 1, ids: []}) { id } }",
    "createGalleryImage": 'mutation { createGalleryImage(input: {eventId: 1, url: ""}) { id } }',
    "updateGalleryImage": 'mutation { updateGalleryImage(id: 1, input: {caption: ""}) { id } }',
    "deleteGalleryImage": "mutation { deleteGalleryImage(id: 1) { id } }",
    "reorderGallery": "mutation { reorderGallery(input: {eventId: 1, ids: []}) { id } }",
    "createPlan": 'mutation { createPlan(input: {name: ""}) { id } }',
    "updatePlan": 'mutation { updatePlan(id: 1, input: {name: ""}) { id } }',
    "deletePlan": "mutation { deletePlan(id: 1) { id } }",
    "checkInTicket": 'mutation { checkInTicket(code: "") { outcome } }',
    "undoCheckIn": "mutation { undoCheckIn(ticketId: 1) { id } }",
    "approvePayments": "mutation { approvePayments(input: {ticketIds: [1]}) { decided { id } } }",
    "rejectPayments": "mutation { rejectPayments(input: {ticketIds: [1]}) { decided { id } } }",
}


def test_there_is_a_call_of_every_field() -> None:
    require_rows("CALLS in tests/schema/core/test_fields.py", CALLS, [*QUERIES, *MUTATIONS])


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_only_what_is_public_answers_to_nobody(world: World, name: str) -> None:
    answer = await world.anonymous.graphql(CALLS[name])
    refused = [failure["extensions"]["code"] for failure in answer.get("errors", [])]
    assert ("UNAUTHENTICATED" not in refused) is (name in PUBLIC), "PUBLIC in tests/schema/core/test_fields.py differs"


async def test_values_have_the_forms_of_the_decisions(world: World) -> None:
    date = datetime.date(2026, 12, 16)
    instant = datetime.datetime(2026, 11, 23, 5, 40, tzinfo=datetime.UTC)
    event = await world.event(await world.organizer(), date=date, category="Concert", created_at=instant)
    kind = await world.ticket_type(event, price="499.50")
    query = "query($id: ID!) { event(id: $id) { id date category createdAt ticketTypes { id price available } } }"
    answer = await world.anonymous.graphql(query, id=event.id)
    assert answer["data"]["event"] == {
        "id": str(event.id),
        "date": "2026-12-16",
        "category": "CONCERT",
        "createdAt": "2026-11-23T05:40:00Z",
        "ticketTypes": [{"id": str(kind.id), "price": "499.50", "available": None}],
    }


@pytest.mark.parametrize("price", [499.5, "499.50", "499.5", 0, "1E+3", "999999999999.99"])
async def test_money_goes_in_as_text_or_number_and_comes_out_exact(world: World, price: object) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    query = "mutation($input: CreateTicketTypeInput!) { createTicketType(input: $input) { price } }"
    answer = await owner.graphql(query, input={"eventId": event.id, "name": "Floor", "price": price})
    shown = answer["data"]["createTicketType"]["price"]
    assert Decimal(shown) == Decimal(str(price))
    assert re.fullmatch(r"[0-9]+\.[0-9]{2}", shown)


REPEATED = (
    "mutation($input: RegisterForEventInput!, $key: String)"
    "{ registerForEvent(input: $input, idempotencyKey: $key) { id code } }"
)


async def test_a_creating_mutation_is_done_once_for_its_idempotency_key(world: World) -> None:
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    answers = [await caller.graphql(REPEATED, input={"eventId": event.id}, key="k1") for _ in range(2)]
    assert answers[0]["data"]["registerForEvent"]["code"]
    assert answers[0] == answers[1]
    other = await caller.graphql(REPEATED, input={"eventId": event.id, "note": "x"}, key="k1")
    assert other["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_MISMATCH"


async def test_the_two_surfaces_share_idempotency_keys(world: World) -> None:
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    over_rest = await caller.post("/tickets", {"event_id": event.id}, Idempotency_Key="k1")
    answer = await caller.graphql(REPEATED, input={"eventId": event.id}, key="k1")
    assert answer["data"]["registerForEvent"]["code"] == over_rest.json()["data"]["code"]


async def test_answers_too_deep_to_compare_are_refused(world: World) -> None:
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    deep: object = 1
    for _ in range(400):
        deep = {"a": deep}
    answer = await caller.graphql(REPEATED, input={"eventId": event.id, "customFields": {"a": deep}}, key="k1")
    assert answer["errors"][0]["extensions"]["fields"].keys() == {"customFields.a"}


@pytest.mark.parametrize(
    "amount", ["1e9999999", "-1e9999999", "٣", "0x10", "1_000", "Infinity", "NaN", "", "1e-99999999999"]
)
async def test_what_is_no_amount_is_refused(world: World, amount: str) -> None:
    """Whatever a Decimal could be made of it, and however long that would take to write out."""
    query = """mutation($amount: Decimal!) { submitDonation(input: {
        email: "giver@example.com", number: "01700000000", amount: $amount, transactionId: "GIVEN1", type: BKASH
    }) { id } }"""
    before = await snapshot()
    answer = await world.anonymous.graphql(query, amount=amount)
    assert only_failure(answer["errors"])["status"] == 400
    assert await snapshot() == before
