"""Limits on subscriptions: their number per account, and the cost of each delivery."""

import asyncio

import pytest
from starlette.applications import Starlette

from amarevents import errors
from amarevents.models.enums import KeyType, TicketChangeKind
from amarevents.schema.execution.cost import MAX_COST, MAX_DELIVERY_COST
from amarevents.security import connection_limits
from tests.schema.subscriptions.conftest import Scene
from tests.schema.subscriptions.ticket_views import ticket_views
from tests.support.local_server import subscriber_count, wait_for_subscribers
from tests.support.websocket_client import open_socket
from tests.support.world import World

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total } }"


# Number ---------------------------------------------------------------------------------------------------------


async def test_subscriptions_per_account_are_limited_across_connections_and_keys(
    address: str, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_SUBSCRIPTIONS", 2)
    other_key = await world.key(scene.owner, KeyType.ORGANIZER)
    subscribe = {"type": "subscribe", "payload": {"query": STATS, "variables": {"id": scene.event.id}}}
    async with (
        open_socket(address, scene.organizer.headers) as first,
        open_socket(address, other_key.headers) as second,
    ):
        for socket in (first, second):
            await socket.initialize()
            await socket.send({**subscribe, "id": "1"})
            assert (await socket.receive())["type"] == "next"
        await second.send({**subscribe, "id": "2"})
        refused = await second.receive()
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == ("2", "TOO_MANY_OPERATIONS")
        await scene.register()
        assert [(await socket.receive())["id"] for socket in (first, second)] == ["1", "1"]


async def test_ended_subscription_makes_room_for_another(
    app: Starlette, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_SUBSCRIPTIONS", 1)
    admin = await world.admin_key()
    async with ticket_views(app, scene.organizer, scene.event.id) as views:
        next_view = asyncio.create_task(anext(views))
        await wait_for_subscribers(app)
        async with ticket_views(app, await world.key(scene.owner, KeyType.ORGANIZER), scene.event.id) as more:
            with pytest.raises(errors.TooManyOperations, match="An account can have at most 1 "):
                await anext(more)
        assert subscriber_count(app) == 1
        async with ticket_views(app, admin, scene.event.id) as admin_views:
            next_admin_view = asyncio.create_task(anext(admin_views))
            await wait_for_subscribers(app, 2)
            await scene.register()
            assert (await next_admin_view).kind == (await next_view).kind == TicketChangeKind.CREATED
    async with ticket_views(app, scene.organizer, scene.event.id) as views:
        next_view = asyncio.create_task(anext(views))
        await wait_for_subscribers(app)
        await scene.register()
        await next_view
    assert not app.state.services.connections._open


# Cost -----------------------------------------------------------------------------------------------------------


async def test_maximum_cost_of_a_subscription_is_lower_than_that_of_a_query(
    address: str, scene: Scene, app: Starlette
) -> None:
    """The maximum applies to each delivery, and each delivery contains it."""
    tickets = "ticket { event { tickets(limit: 100) { items { %s } } } }"
    expensive = "subscription($id: ID!) { ticketUpdated(eventId: $id) { %s } }" % (
        tickets % "id owner { id } event { name } code"
    )
    cheap = "subscription($id: ID!) { ticketUpdated(eventId: $id) { %s } }" % (tickets % "id code")
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        for identifier, query in (("1", expensive), ("2", cheap)):
            payload = {"query": query, "variables": {"id": scene.event.id}}
            await socket.send({"type": "subscribe", "id": identifier, "payload": payload})
        refused = await socket.receive()
        assert refused["payload"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
        assert str(MAX_DELIVERY_COST) in refused["payload"][0]["message"]
        await wait_for_subscribers(app)
        await scene.register()
        assert (await socket.receive())["payload"]["extensions"]["cost"]["maximum"] == MAX_DELIVERY_COST < MAX_COST
    answer = await scene.organizer.graphql(
        """query($id: ID!) {
            event(id: $id) { tickets(limit: 100) { items { id code ticketType { id } event { name } } } }
        }""",
        id=scene.event.id,
    )
    assert "errors" not in answer
    assert answer["extensions"]["cost"]["requested"] > MAX_DELIVERY_COST
    assert answer["extensions"]["cost"]["maximum"] == MAX_COST
