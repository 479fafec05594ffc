"""The application of the tests on a real socket, in their own process: what it keeps can be looked at meanwhile."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import orjson
import uvicorn
from gql.transport.websockets import WebsocketsTransport
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from amarevents.server.websocket_protocol import websocket_options
from tests.support.servers import HOST

PROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0  # seconds: a shared machine may be slow

# Any below: JSON values.


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are pytest's."""
        yield


@contextlib.asynccontextmanager
async def listening(app: Starlette, *, send_buffer: int | None = None) -> AsyncIterator[str]:
    """Serve on a free port for the length of the block, WebSockets as the command line does; yields ``host:port``.

    ``send_buffer``: bytes that the system keeps for a client that does not read; some hundred thousand otherwise.
    """
    with socket.socket() as listener:
        if send_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        listener.bind((HOST, 0))
        options = websocket_options(app.state.services.settings.max_body_bytes)
        config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=5, **options)
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await _until(lambda: server.started)
        try:
            yield f"{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


class Socket:
    """A client that says what the test says, well or badly formed."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, message: Any) -> None:
        """``message`` as JSON, or a text or bytes as they are."""
        await self.connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())

    async def hear(self, seconds: float = PATIENCE) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            message: dict[str, Any] = orjson.loads(await self.connection.recv())
        return message

    async def begin(self, payload: dict[str, Any] | None = None) -> None:
        """The initialisation, which is acknowledged."""
        await self.say({"type": "connection_init", "payload": payload or {}})
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, query: str, operation: str = "1", /, **variables: Any) -> None:
        """``operation``: the id of the message, by which its answers are known."""
        await self.say({"id": operation, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    async def closed(self, seconds: float = PATIENCE) -> tuple[int, str]:
        """The code and the reason with which the server closes, whatever it says before."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.connection.recv()
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


@contextlib.asynccontextmanager
async def connected(address: str, headers: dict[str, str] | None = None, **options: Any) -> AsyncIterator[Socket]:
    """A WebSocket to the server. Raises InvalidStatus where the handshake is refused."""
    protocols = {"subprotocols": [Subprotocol(PROTOCOL)], "proxy": None, **options}
    async with connect(f"ws://{address}/graphql", additional_headers=headers or {}, **protocols) as connection:
        yield Socket(connection)


def gql_transport(address: str, headers: dict[str, str], *, in_handshake: bool) -> WebsocketsTransport:
    """How gql comes over a WebSocket; without headers in the handshake, as in browsers, its first message has them."""
    shown: dict[str, Any] = {"headers" if in_handshake else "init_payload": headers}
    return WebsocketsTransport(f"ws://{address}/graphql", subprotocols=[Subprotocol(PROTOCOL)], **shown)


def followers(app: Starlette) -> int:
    """How many subscriptions the application's broker knows of."""
    broker = app.state.services.broker
    own = getattr(broker, "_local", broker)
    return sum(map(len, own._subscribers.values()))


async def until_followed(app: Starlette, number: int = 1) -> None:
    await _until(lambda: followers(app) == number)


def nothing_open(app: Starlette) -> bool:
    """No subscription and no connection is left."""
    return not followers(app) and not app.state.services.connections._open


async def until_nothing_open(app: Starlette) -> None:
    await _until(lambda: nothing_open(app))


async def until_ended_but(before: set[asyncio.Task[Any]]) -> None:
    """Until nothing goes on in this process that had not begun then."""
    await _until(lambda: asyncio.all_tasks() <= before)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.005)
