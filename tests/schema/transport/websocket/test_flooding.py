"""Floods: clients that send cheap frames without end, or never read, are disconnected without harm to others."""

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from amarevents.schema.transport import websocket
from amarevents.security import connection_limits
from amarevents.server import websocket_protocol
from amarevents.server.websocket_protocol import WebSocketProtocol
from tests.schema.transport.websocket.raw_connection import HANDSHAKE, raw_connection
from tests.support.local_server import serve_in_process, wait_until
from tests.support.websocket_client import open_socket

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

DISCONNECT_SECONDS = 5.0  # generous, because a shared machine can be slow
BURST = 262_144  # bytes, the most that one read returns
TEXT, CONTINUED, PING, PONG, FINAL = 0x1, 0x0, 0x9, 0xA, 0x80


def frame(head: int, data: bytes = b"") -> bytes:
    """Return a frame of a client, with a mask of zeros."""
    assert len(data) <= 125
    return bytes([head, 0x80 | len(data)]) + bytes(4) + data


EMPTY_PINGS = frame(FINAL | PING) * (BURST // 6)
FULL_PINGS = frame(FINAL | PING, b"x" * 125) * (BURST // 131)
PONGS = frame(FINAL | PONG) * (BURST // 6)
FRAGMENTS = frame(TEXT) + frame(CONTINUED) * (BURST // 6)
MESSAGES = frame(FINAL | TEXT, b'{"type":"ping"}') * (BURST // 21)
COMPLETES = frame(FINAL | TEXT, b'{"type":"complete","id":"1"}') * (BURST // 34)
AFTER_AN_ERROR = frame(FINAL | TEXT, b"{") + EMPTY_PINGS
FLOODS = {
    "empty pings": EMPTY_PINGS,
    "full pings": FULL_PINGS,
    "pongs": PONGS,
    "fragments": FRAGMENTS,
    "messages": MESSAGES,
    "completes": COMPLETES,
    "after an error": AFTER_AN_ERROR,
}


@pytest.fixture
def server_protocols(monkeypatch: pytest.MonkeyPatch) -> list[WebSocketProtocol]:
    """The server's protocol objects, one for each connection."""
    protocols: list[WebSocketProtocol] = []
    connection_made = WebSocketProtocol.connection_made

    def record(self: WebSocketProtocol, transport: asyncio.BaseTransport) -> None:
        protocols.append(self)
        connection_made(self, transport)

    monkeypatch.setattr(WebSocketProtocol, "connection_made", record)
    return protocols


@pytest.fixture
def unlimited_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lift the limit on messages."""
    monkeypatch.setattr(connection_limits, "FREE_MESSAGES", 10**9)


async def _read_until(words: bytes, reader: asyncio.StreamReader) -> None:
    received = b""
    async with asyncio.timeout(DISCONNECT_SECONDS):
        while words not in received:
            chunk = await reader.read(65_536)
            assert chunk, "the connection was closed first"
            received = received[-len(words) :] + chunk


async def _wait_until(condition: Callable[[], bool]) -> None:
    await wait_until(condition, DISCONNECT_SECONDS)


@pytest.mark.parametrize("flood", FLOODS.values(), ids=list(FLOODS))
async def test_flood_is_disconnected_soon_and_others_are_served(
    address: str, server_protocols: list[WebSocketProtocol], flood: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_socket(address) as other, raw_connection(address) as (_reader, writer):
        await other.initialize()
        writer.write(frame(FINAL | TEXT, b'{"type":"connection_init"}') + flood)
        await _wait_until(lambda: server_protocols[1].transport.is_closing())
        assert server_protocols[1].transport.get_write_buffer_size() == 0
        await other.send({"type": "ping"})
        assert await other.receive() == {"type": "pong"}
        await _wait_until(lambda: server_protocols[1].disconnected)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("flood", [EMPTY_PINGS, FRAGMENTS, MESSAGES], ids=["pings", "fragments", "messages"])
async def test_flood_is_closed_with_a_reason(address: str, flood: bytes) -> None:
    async with raw_connection(address) as (reader, writer):
        writer.write(frame(FINAL | TEXT, b'{"type":"connection_init"}') + flood[:4_000])
        await _read_until(struct.pack("!H", 1008) + b"Too many ", reader)


async def test_flood_during_the_handshake_is_disconnected(
    address: str, server_protocols: list[WebSocketProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = address.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    answered = asyncio.Event()

    async def wait(*_handshake: object) -> None:
        await answered.wait()

    monkeypatch.setattr("amarevents.security.middleware.authenticate_handshake", wait)
    writer.write(HANDSHAKE.format(host=address, more="").encode())
    await _wait_until(lambda: bool(server_protocols))
    writer.write(EMPTY_PINGS)
    try:
        await _wait_until(lambda: server_protocols[0].disconnected)
    finally:
        answered.set()
        writer.transport.abort()


async def test_flood_is_not_disconnected_without_the_limit(
    address: str, server_protocols: list[WebSocketProtocol], unlimited_messages: None
) -> None:
    """Negative control: all pings are answered."""
    async with raw_connection(address) as (reader, writer):
        writer.write(EMPTY_PINGS)
        async with asyncio.timeout(DISCONNECT_SECONDS):
            assert set(await reader.readexactly(BURST // 6 * 2)) == {FINAL | PONG, 0}
        assert not server_protocols[0].transport.is_closing()


# Memory ---------------------------------------------------------------------------------------------------------


async def _largest_buffer(address: str, server_protocols: list[WebSocketProtocol]) -> int:
    """Return the most bytes that the server buffers for a client that pings continuously and does not read."""
    largest = 0
    async with raw_connection(address) as (_reader, writer):
        for _ in range(60):
            writer.write(FULL_PINGS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await writer.drain()
            largest = max(largest, server_protocols[-1].transport.get_write_buffer_size())
    return largest


async def test_buffer_for_a_client_that_does_not_read_is_bounded(
    app: Starlette, server_protocols: list[WebSocketProtocol], unlimited_messages: None
) -> None:
    async with serve_in_process(app, send_buffer=16_384) as address:
        high_water = 65_536
        assert (
            high_water < await _largest_buffer(address, server_protocols) <= high_water + 2 * websocket_protocol.SLICE
        )


async def test_buffer_is_not_bounded_if_every_ping_is_answered(
    app: Starlette, server_protocols: list[WebSocketProtocol], unlimited_messages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    monkeypatch.setattr(WebSocketProtocol, "handle_ping", WebSocketsSansIOProtocol.handle_ping)
    async with serve_in_process(app, send_buffer=16_384) as address:
        assert await _largest_buffer(address, server_protocols) > 1_000_000


async def test_latest_ping_is_answered_when_the_client_reads(
    app: Starlette, server_protocols: list[WebSocketProtocol], unlimited_messages: None
) -> None:
    async with serve_in_process(app, send_buffer=16_384) as address, raw_connection(address) as (reader, writer):
        for _ in range(30):
            writer.write(FULL_PINGS)
            await _wait_until(lambda: not writer.transport.get_write_buffer_size())
        assert not server_protocols[0].writable.is_set()
        writer.write(frame(FINAL | PING, b"the latest"))
        await _read_until(b"the latest", reader)
    await _wait_until(lambda: server_protocols[0].disconnected)


async def test_messages_are_not_parsed_faster_than_they_are_handled(
    address: str, app: Starlette, server_protocols: list[WebSocketProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    continued = asyncio.Event()

    async def wait(*_message: object) -> None:
        await continued.wait()

    monkeypatch.setattr(websocket, "authenticate_connection_init", wait)
    async with raw_connection(address) as (_reader, writer):
        writer.write(frame(FINAL | TEXT, b'{"type":"connection_init"}') + MESSAGES)
        await _wait_until(lambda: server_protocols[0].read_paused and server_protocols[0].queue.empty() is False)
        await asyncio.sleep(0.05)
        assert server_protocols[0].queue.qsize() <= websocket_protocol.SLICE // 21 + 1
        continued.set()
        await _wait_until(lambda: server_protocols[0].disconnected)


async def test_client_that_does_not_read_the_close_frame_is_disconnected(
    app: Starlette, server_protocols: list[WebSocketProtocol], unlimited_messages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.5)
    async with serve_in_process(app, send_buffer=16_384) as address, raw_connection(address) as (_reader, writer):
        server_protocols[0].close_timeout = 0.3
        for _ in range(30):
            writer.write(FULL_PINGS)
        await _wait_until(lambda: not server_protocols[0].writable.is_set())
        await _wait_until(lambda: server_protocols[0].disconnected)


# Well-behaved clients -------------------------------------------------------------------------------------------


async def test_pings_within_the_limit_are_answered(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pings of several minutes, during which the clock advances by a second with each."""
    clock = [0.0]
    monkeypatch.setattr("amarevents.security.connection_limits.time.monotonic", lambda: clock[0])
    async with open_socket(address) as socket:
        await socket.initialize()
        for _ in range(400):
            clock[0] += 1
            await (await socket.connection.ping())
            await socket.send({"type": "ping"})
            assert await socket.receive() == {"type": "pong"}


async def test_message_in_large_fragments_is_not_a_flood(address: str) -> None:
    async with open_socket(address) as socket:
        await socket.initialize()
        for _ in range(5):
            await socket.connection.send(['{"type": "ping"', *[" " * 1_024] * 60, "}"])
            assert await socket.receive() == {"type": "pong"}
