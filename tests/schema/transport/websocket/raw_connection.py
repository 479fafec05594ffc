"""Connections below the WebSocket protocol: a handshake, and then the bytes that the test writes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n{more}\r\n"
)


@contextlib.asynccontextmanager
async def raw_connection(
    address: str, more: str = ""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection and complete its handshake; nothing more is read unless the test does so."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1_024)
    writer.write(HANDSHAKE.format(host=address, more=more).encode())
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
