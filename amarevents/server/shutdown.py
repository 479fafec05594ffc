"""Orderly shutdown of long-lived connections when the process receives a signal."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def run_on_shutdown_signal(shut_down: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Await ``shut_down`` on SIGTERM or SIGINT while the block runs, then call the server's own signal handler.

    uvicorn's handler would drop WebSockets, wait for event streams that never end by themselves, and notify the
    application only afterwards.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    # The server's handlers; signals that are ignored or have the default action are left alone.
    handlers = {number: handler for number in _SIGNALS if callable(handler := signal.getsignal(number))}
    tasks = set[asyncio.Task[None]]()

    async def shut_down_and_forward(number: int) -> None:
        await shut_down()
        handlers[signal.Signals(number)](number, None)

    def handle(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(lambda: tasks.add(loop.create_task(shut_down_and_forward(number))))

    for number in handlers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
