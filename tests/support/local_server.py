"""The application under test on a real socket, served by this process so that tests can inspect its state."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette

from amarevents.server.websocket_protocol import websocket_options
from tests.support.servers import HOST

TIMEOUT_SECONDS = 10.0  # generous, because a shared machine can be slow


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handling of signals to pytest."""
        yield


@contextlib.asynccontextmanager
async def serve_in_process(app: Starlette, *, send_buffer: int | None = None) -> AsyncIterator[str]:
    """Serve the application on a free port, with the WebSocket options of the command line, and yield ``host:port``.

    ``send_buffer`` is the size in bytes of the system's buffer for a client that does not read, which is several
    hundred kilobytes by default.
    """
    with socket.socket() as listener:
        if send_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        listener.bind((HOST, 0))
        options = websocket_options(app.state.services.settings.graphql_max_bytes)
        config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=5, **options)
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await wait_until(lambda: server.started)
        try:
            yield f"{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def subscriber_count(app: Starlette) -> int:
    """Return the number of subscribers that are registered with the application's broker."""
    broker = app.state.services.broker
    own = getattr(broker, "_local", broker)
    return sum(map(len, own._subscribers.values()))


async def wait_for_subscribers(app: Starlette, number: int = 1) -> None:
    await wait_until(lambda: subscriber_count(app) == number)


def has_nothing_open(app: Starlette) -> bool:
    """Return whether the application has no subscribers and no open connections."""
    return not subscriber_count(app) and not app.state.services.connections._open


async def wait_until_nothing_open(app: Starlette) -> None:
    await wait_until(lambda: has_nothing_open(app))


async def wait_for_new_tasks(before: set[asyncio.Task[Any]]) -> None:  # Any: tasks of any result
    """Wait until every task that was started after ``before`` was recorded has ended."""
    await wait_until(lambda: asyncio.all_tasks() <= before)


async def wait_until(condition: Callable[[], bool], seconds: float = TIMEOUT_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)
