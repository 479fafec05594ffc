"""The main journeys of users, over REST, over GraphQL with a session, and with a GraphQL client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest
from starlette.applications import Starlette

from amarevents.models import Event, User
from amarevents.models.enums import FieldType, KeyType
from tests.contract.surfaces import (
    GqlSurface,
    Refused,
    RestSurface,
    SessionSurface,
    Surface,
    Values,
    in_process,
    over_http,
)
from tests.support.local_server import serve_in_process
from tests.support.websocket_client import gql_transport
from tests.support.world import World, in_days

As = Callable[[User, KeyType], Awaitable[Surface]]


@pytest.fixture
async def address(app: Starlette) -> AsyncIterator[str]:
    """Serve the application on a socket and return its host and port."""
    async with serve_in_process(app) as host_and_port:
        yield host_and_port


@pytest.fixture
def rest_with_keys(world: World) -> As:
    async def act(user: User, key_type: KeyType) -> Surface:
        return RestSurface(await world.key(user, key_type))

    return act


@pytest.fixture
def graphql_with_sessions(world: World) -> As:
    async def act(user: User, _key_type: KeyType) -> Surface:
        return SessionSurface(await world.session(user))

    return act


@pytest.fixture
def gql_in_process(world: World, app: Starlette) -> As:
    async def act(user: User, key_type: KeyType) -> Surface:
        return GqlSurface(in_process(app, await world.key(user, key_type)))

    return act


@pytest.fixture
def gql_over_http(world: World, address: str) -> As:
    async def act(user: User, key_type: KeyType) -> Surface:
        return GqlSurface(over_http(address, await world.key(user, key_type)))

    return act


@pytest.fixture
def gql_over_websocket(world: World, address: str) -> As:
    async def act(user: User, key_type: KeyType) -> Surface:
        caller = await world.key(user, key_type)
        return GqlSurface(gql_transport(address, caller.headers, in_handshake=False))

    return act


@pytest.fixture(
    params=["rest_with_keys", "graphql_with_sessions", "gql_in_process", "gql_over_http", "gql_over_websocket"]
)
def act_as(request: pytest.FixtureRequest) -> As:
    """Return a function that makes an account's surface: ``await act_as(user, KeyType.USER)``."""

    act: As = request.getfixturevalue(request.param)  # loaded by name, so that only two of them open a socket
    return act


async def _concert(world: World, organizer: Surface, owner: User) -> Values:
    """Publish a concert with free standing room and two seats at 499.50 taka."""
    organization = await world.organization(owner)
    standing = {"name": "Standing", "capacity": 100}
    seat = {"name": "Seat", "price": Decimal("499.50"), "capacity": 2}
    return await organizer.publish(
        {
            "name": "Baul night",
            "organization_id": organization.id,
            "date": in_days(20),
            "deadline": in_days(10),
            "category": "Concert",
            "ticket_types": [standing, seat],
        }
    )


def _type_named(event: Values, name: str) -> Values:
    found: Values = next(kind for kind in event["ticket_types"] if kind["name"] == name)
    return found


async def test_an_organizer_publishes_an_event_that_others_find(world: World, act_as: As) -> None:
    owner = await world.organizer()
    organizer = await act_as(owner, KeyType.ORGANIZER)
    event = await _concert(world, organizer, owner)
    balcony = await organizer.add_ticket_type({"event_id": event["id"], "name": "Balcony", "price": Decimal(50)})
    visitor = await act_as(await world.user(), KeyType.USER)
    [found] = await visitor.events("BAUL")
    assert (found["name"], found["date"], found["category"]) == ("Baul night", in_days(20).isoformat(), "Concert")
    kinds = await visitor.ticket_types(event["id"])
    assert [kind["name"] for kind in kinds] == ["Balcony", "Seat", "Standing"]  # newest first
    assert [kind["price"] for kind in kinds] == [Decimal(50), Decimal("499.50"), Decimal(0)]
    assert [kind["available"] for kind in kinds] == [None, 2, 100]
    assert balcony["id"] == kinds[0]["id"]


async def test_a_free_ticket_is_valid_immediately(world: World, act_as: As) -> None:
    owner = await world.organizer()
    organizer = await act_as(owner, KeyType.ORGANIZER)
    event = await _concert(world, organizer, owner)
    field_id = await _size_field(world, event)
    visitor = await act_as(await world.user(username="Karim"), KeyType.USER)
    ticket = await visitor.register(
        {
            "event_id": event["id"],
            "ticket_type_id": _type_named(event, "Standing")["id"],
            "custom_fields": {"Shirt_size": "M"},
        }
    )
    assert (ticket["status"], ticket["amount"], ticket["name"]) == ("Success", Decimal(0), "Karim")
    assert ticket["custom_fields"] == [{"field_id": field_id, "name": "Shirt_size", "value": "M", "values": ["M"]}]
    assert await visitor.ticket(ticket["id"]) == ticket
    assert [own["id"] for own in await visitor.tickets()] == [ticket["id"]]
    assert (await organizer.verify(ticket["code"]))["valid"] is True


async def _size_field(world: World, event: Values) -> int:
    """Add a required custom field whose name has an underscore, which both surfaces must keep."""
    row = await Event.get(id=event["id"])
    field = await world.custom_field(row, "Shirt_size", type=FieldType.DROPDOWN, options=["S", "M"], required=True)
    return field.id


async def test_a_paid_ticket_is_valid_once_the_organizer_approves_it(world: World, act_as: As) -> None:
    owner = await world.organizer()
    organizer = await act_as(owner, KeyType.ORGANIZER)
    event = await _concert(world, organizer, owner)
    seat = _type_named(event, "Seat")["id"]
    visitor = await act_as(await world.user(), KeyType.USER)
    registration = {
        "event_id": event["id"],
        "ticket_type_id": seat,
        "transaction_id": " 8n7a2k ",
        "payment_method": "bkash",
        "amount": Decimal("499.50"),
    }
    ticket = await visitor.register(registration)
    assert (ticket["status"], ticket["amount"], ticket["due"]) == ("Pending", Decimal("499.50"), Decimal("499.50"))
    assert (ticket["transaction_id"], ticket["payment_method"]) == ("8n7a2k", "bkash")
    assert (await organizer.verify(ticket["id"]))["valid"] is False
    [waiting] = await organizer.tickets(event_id=event["id"], status="Pending")
    approved = await organizer.update_ticket(waiting["id"], {"status": "Success", "note": "Paid"})
    assert (approved["status"], approved["note"]) == ("Success", "Paid")
    verification = await organizer.verify(ticket["code"])
    assert (verification["valid"], verification["event"], verification["status"]) == (True, "Baul night", "Success")
    assert (await visitor.ticket(ticket["id"]))["status"] == "Success"


async def test_a_place_that_is_given_back_can_be_taken_again(world: World, act_as: As) -> None:
    owner = await world.organizer()
    organizer = await act_as(owner, KeyType.ORGANIZER)
    event = await _concert(world, organizer, owner)
    registration = {"event_id": event["id"], "ticket_type_id": _type_named(event, "Seat")["id"]}
    visitor = await act_as(await world.user(), KeyType.USER)
    first, _second = [await visitor.register(registration) for _ in range(2)]
    with pytest.raises(Refused) as refusal:
        await visitor.register(registration)
    assert (refusal.value.code, refusal.value.status) == ("SOLD_OUT", 400)
    await organizer.update_ticket(first["id"], {"status": "Failed"})
    assert (await visitor.register(registration))["status"] == "Pending"
    seat_type = next(kind for kind in await visitor.ticket_types(event["id"]) if kind["name"] == "Seat")
    assert (seat_type["sold"], seat_type["available"], seat_type["is_available"]) == (2, 0, False)


async def test_refusals_are_the_same_on_all_surfaces(world: World, act_as: As) -> None:
    owner = await world.organizer()
    event = await _concert(world, await act_as(owner, KeyType.ORGANIZER), owner)
    seat = {"event_id": event["id"], "ticket_type_id": _type_named(event, "Seat")["id"]}
    visitor = await act_as(await world.user(), KeyType.USER)
    own = await visitor.register({**seat, "transaction_id": "TX1"})
    refused = {
        "twice": visitor.register({**seat, "transaction_id": "tx1"}),
        "no event": visitor.register({"event_id": 2**30}),
        "approve": visitor.update_ticket(own["id"], {"status": "Success"}),
        "door": visitor.verify(own["code"]),
        "guests": visitor.tickets(event_id=event["id"]),
    }
    answers = {}
    for name, attempt in refused.items():
        with pytest.raises(Refused) as refusal:
            await attempt
        answers[name] = (refusal.value.code, refusal.value.status)
    assert answers == {
        "twice": ("DUPLICATE_TRANSACTION", 400),
        "no event": ("NOT_FOUND", 404),
        "approve": ("WRONG_KEY_TYPE", 403),
        "door": ("WRONG_KEY_TYPE", 403),
        "guests": ("FORBIDDEN", 403),
    }
