"""WebSocket clients: the client of gql, and clients that do not read what they are sent."""

import asyncio
import contextlib
import socket as sockets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from starlette.applications import Starlette

from amarevents.schema.transport import websocket
from tests.schema.subscriptions.conftest import Scene
from tests.support.local_server import serve_in_process, wait_for_subscribers, wait_until_nothing_open
from tests.support.websocket_client import WebSocketClient, gql_transport, open_socket
from tests.support.world import World

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total } }"
TICKETS = "subscription($id: ID!) { ticketUpdated(eventId: $id) { kind ticket { name } } }"

# Any: JSON.


@pytest.mark.parametrize("in_handshake", [True, False])
async def test_gql_client_can_subscribe(address: str, app: Starlette, scene: Scene, in_handshake: bool) -> None:
    transport = gql_transport(address, scene.organizer.headers, in_handshake=in_handshake)
    async with Client(transport=transport) as session:
        stats = session.subscribe(GraphQLRequest(STATS, variable_values={"id": scene.event.id}))
        assert await anext(stats) == {"eventStats": {"total": 0}}
        tickets = session.subscribe(GraphQLRequest(TICKETS, variable_values={"id": scene.event.id}))
        first = asyncio.create_task(anext(tickets))
        await wait_for_subscribers(app, 2)
        await scene.register()
        async with asyncio.timeout(1):
            assert await anext(stats) == {"eventStats": {"total": 1}}
            assert await first == {"ticketUpdated": {"kind": "CREATED", "ticket": {"name": "buyer"}}}
        answer = await session.execute(GraphQLRequest("{ me { username } }"))
        assert answer == {"me": {"username": "owner"}}
        await stats.aclose()
        await wait_for_subscribers(app, 1)
        await tickets.aclose()
    await wait_until_nothing_open(app)


# Clients that do not read ---------------------------------------------------------------------------------------

SMALL = 4096  # bytes in the system's buffers
_TYPES = "byTicketType { name total approved pending failed refunded revenue price capacity }"
_MANY_TIMES = " ".join(f"a{number}: {_TYPES}" for number in range(21))
LONG = f"subscription($id: ID!) {{ eventStats(eventId: $id) {{ total {_MANY_TIMES} }} }}"


@contextlib.asynccontextmanager
async def _open_narrow_socket(address: str, scene: Scene) -> AsyncIterator[WebSocketClient]:
    """Open a WebSocket whose receive buffer is small."""
    host, port = address.split(":")
    narrow = sockets.socket()
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, SMALL)
    narrow.connect((host, int(port)))
    narrow.setblocking(False)
    async with open_socket(address, scene.organizer.headers, sock=narrow, max_queue=1, compression=None) as socket:
        yield socket


@pytest.fixture
async def narrow_address(app: Starlette) -> AsyncIterator[str]:
    async with serve_in_process(app, send_buffer=SMALL) as address:
        yield address


async def _subscribe_to_long_views(socket: WebSocketClient, scene: Scene) -> None:
    await socket.initialize()
    await socket.subscribe(LONG, id=scene.event.id)
    assert (await socket.receive())["type"] == "next"


async def _require_prompt_delivery(narrow_address: str, app: Starlette, world: World, scene: Scene) -> None:
    """Require that one client receives each registration promptly until another, which never reads, is disconnected."""
    for number in range(49):
        await world.ticket_type(scene.event, name=f"Kind {number} {'of place ' * 15}")
    async with _open_narrow_socket(narrow_address, scene) as idle, _open_narrow_socket(narrow_address, scene) as quick:
        await _subscribe_to_long_views(idle, scene)
        await _subscribe_to_long_views(quick, scene)
        for total in range(1, 12):
            await scene.register()
            message = await quick.receive(2)
            assert message["payload"]["data"]["eventStats"]["total"] == total
        await wait_for_subscribers(app, 1)
        assert app.state.services.connections._open.total() == 3  # an address, an account and a subscription


async def test_client_that_does_not_read_is_disconnected_and_does_not_delay_others(
    narrow_address: str, app: Starlette, world: World, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "SEND_SECONDS", 0.5)
    await _require_prompt_delivery(narrow_address, app, world, scene)


async def test_client_that_does_not_read_delays_others_if_messages_are_sent_in_turn(
    narrow_address: str, app: Starlette, world: World, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the buffers of the client that does not read fill up, and sending to it blocks."""
    send, in_turn = websocket._Connection._send, asyncio.Lock()

    async def send_in_turn(connection: websocket._Connection, message: dict[str, Any]) -> None:
        async with in_turn:
            await send(connection, message)

    monkeypatch.setattr(websocket._Connection, "_send", send_in_turn)
    with pytest.raises(TimeoutError):
        await _require_prompt_delivery(narrow_address, app, world, scene)
