"""A WebSocket client that sends exactly what a test gives it, valid or not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
from gql.transport.websockets import WebsocketsTransport
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.local_server import TIMEOUT_SECONDS

PROTOCOL = "graphql-transport-ws"

# Any below: JSON values.


class WebSocketClient:
    """One connection, and the messages of graphql-transport-ws."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        """Send ``message`` as JSON, or unchanged if it is text or bytes."""
        await self.connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())

    async def receive(self, seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            message: dict[str, Any] = orjson.loads(await self.connection.recv())
        return message

    async def initialize(self, payload: dict[str, Any] | None = None) -> None:
        """Send ``connection_init`` and require its acknowledgement."""
        await self.send({"type": "connection_init", "payload": payload or {}})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, query: str, operation: str = "1", /, **variables: Any) -> None:
        """Send a ``subscribe`` message; ``operation`` is the ID that its results carry."""
        await self.send({"id": operation, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    async def wait_closed(self, seconds: float = TIMEOUT_SECONDS) -> tuple[int, str]:
        """Return the code and the reason with which the server closes, after discarding any messages before."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.connection.recv()
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


@contextlib.asynccontextmanager
async def open_socket(
    address: str, headers: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[WebSocketClient]:
    """Open a WebSocket to the server. Raises InvalidStatus if the handshake is refused."""
    protocols = {"subprotocols": [Subprotocol(PROTOCOL)], "proxy": None, **options}
    async with connect(f"ws://{address}/graphql", additional_headers=headers or {}, **protocols) as connection:
        yield WebSocketClient(connection)


def gql_transport(address: str, headers: dict[str, str], *, in_handshake: bool) -> WebsocketsTransport:
    """Return a WebSocket transport for gql; without ``in_handshake`` the headers are sent in the first message."""
    credentials: dict[str, Any] = {"headers" if in_handshake else "init_payload": headers}
    return WebsocketsTransport(f"ws://{address}/graphql", subprotocols=[Subprotocol(PROTOCOL)], **credentials)


async def username_over(socket: WebSocketClient) -> str:
    """Return the username of the caller, as the ``me`` query returns it over the connection."""
    await socket.subscribe("{ me { username } }")
    answer = await socket.receive()
    assert await socket.receive() == {"id": "1", "type": "complete"}
    assert answer["payload"]["data"]["me"], answer
    return str(answer["payload"]["data"]["me"]["username"])
