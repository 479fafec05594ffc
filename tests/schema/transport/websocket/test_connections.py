"""WebSocket connections: their maximum numbers, and their cleanup when clients leave."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from amarevents.security import connection_limits
from tests.schema.subscriptions.conftest import Scene
from tests.support.local_server import wait_for_new_tasks, wait_for_subscribers
from tests.support.websocket_client import open_socket
from tests.support.world import World

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total approved } }"


async def test_connections_per_address_are_limited(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "MAX_PER_ADDRESS", 2)
    async with open_socket(address), open_socket(address):
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(address):
                pass
    response = refused.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (429, "5")
    assert b"TOO_MANY_CONNECTIONS" in (response.body or b"")


async def test_connections_per_account_are_limited_across_its_keys(
    address: str, world: World, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_PER_ACCOUNT", 1)
    other = await world.key(scene.owner)
    async with (
        open_socket(address) as first,
        open_socket(address) as second,
        open_socket(address) as third,
    ):
        await first.initialize(dict(scene.organizer.headers))
        await second.send({"type": "connection_init", "payload": other.headers})
        assert (await second.wait_closed())[0] == 1013
        await third.initialize(dict(scene.buyer.headers))


async def _refused_after(address: str, headers: dict[str, str], number: int) -> None:
    """Require that the handshake after so many others is refused by the rate limit."""
    for _ in range(number):
        async with open_socket(address, headers):
            pass
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(address, headers):
            pass
    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) > 50


async def test_handshakes_count_towards_the_rate_limit_of_the_address(
    address: str, configure: Callable[..., None]
) -> None:
    configure(rate_limit_anonymous=2)
    await _refused_after(address, {}, 2)


async def test_handshakes_with_a_credential_count_for_it_alone(
    address: str, configure: Callable[..., None], scene: Scene, world: World
) -> None:
    configure(rate_limit_anonymous=1, rate_limit_organizer=3, rate_limit_session=2)
    await _refused_after(address, scene.organizer.headers, 3)
    await _refused_after(address, (await world.session(scene.owner)).headers, 2)
    await _refused_after(address, {}, 1)


async def test_subscriptions_end_when_the_client_closes_the_connection(
    address: str, app: Starlette, scene: Scene
) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        for number in range(5):
            await socket.subscribe(STATS, str(number), id=scene.event.id)
        await wait_for_subscribers(app, 5)
        await socket.send({"type": "complete", "id": "2"})
        await wait_for_subscribers(app, 4)
    await wait_for_subscribers(app, 0)


async def test_subscriptions_end_when_the_connection_is_lost(address: str, app: Starlette, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        await socket.subscribe(STATS, id=scene.event.id)
        await wait_for_subscribers(app)
        socket.connection.transport.abort()
        await wait_for_subscribers(app, 0)


async def test_client_that_leaves_during_the_handshake_logs_no_warnings(
    address: str, app: Starlette, scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    before, (host, port) = asyncio.all_tasks(), address.split(":")
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    head = f"GET /graphql HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}"
    credential = f"Authorization: {scene.organizer.headers['Authorization']}\r\n"
    for headers in ["", "Sec-WebSocket-Protocol: graphql-transport-ws\r\n"] * 10:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{head}{headers}{credential}\r\n".encode())
        await writer.drain()
        await asyncio.sleep(0)
        writer.transport.abort()
    async with open_socket(address) as last:  # which is served after those before it
        await last.initialize()
    await wait_for_new_tasks(before)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_other_paths_refuse_websockets(address: str) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://{address}/api/events", proxy=None):
            pass


async def test_shutdown_closes_connections_with_1001(address: str, app: Starlette, scene: Scene) -> None:
    shutting_down = app.state.services.connections.shutting_down
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        await socket.subscribe(STATS, id=scene.event.id)
        await wait_for_subscribers(app)
        shutting_down.set()
        try:
            assert (await socket.wait_closed())[0] == 1001
        finally:
            shutting_down.clear()
