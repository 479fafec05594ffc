"""Refused handshakes, which get a response and log no warnings."""

import logging
from collections.abc import Awaitable, Callable

import httpx
import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidStatus

from amarevents.models.enums import KeyType
from amarevents.server.websocket_protocol import WebSocketProtocol
from tests.schema.subscriptions.conftest import Scene
from tests.schema.transport.websocket.raw_connection import raw_connection
from tests.support.local_server import wait_until
from tests.support.websocket_client import open_socket
from tests.support.world import World

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

InvalidHeaders = Callable[[World, Scene], Awaitable[dict[str, str]]]


async def _invalid_key(world: World, scene: Scene) -> dict[str, str]:
    return {"Authorization": "Bearer ae_u_wrong"}


async def _key_of_a_demoted_account(world: World, scene: Scene) -> dict[str, str]:
    return (await world.key(await world.user(), KeyType.ORGANIZER)).headers


@pytest.mark.parametrize("invalid_headers", [_invalid_key, _key_of_a_demoted_account])
async def test_refused_handshake_logs_no_warnings(
    address: str, world: World, scene: Scene, caplog: pytest.LogCaptureFixture, invalid_headers: InvalidHeaders
) -> None:
    headers = await invalid_headers(world, scene)
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(address, headers):
            pass
    assert refused.value.response.body
    header_lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    async with raw_connection(address, header_lines) as (reader, _writer):
        await reader.read(-1)  # until the server closes the connection
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
        assert (await client.get("/healthz")).status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_stock_protocol_logs_refused_handshakes_as_errors(
    address: str, world: World, scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    monkeypatch.setattr(WebSocketProtocol, "send", WebSocketsSansIOProtocol.send)
    with pytest.raises(InvalidStatus):
        async with open_socket(address, await _invalid_key(world, scene)):
            pass
    await wait_until(lambda: any("without completing handshake" in record.getMessage() for record in caplog.records))
