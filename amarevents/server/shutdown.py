"""Hearing of the process's end while there is time to end well."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def run_on_shutdown_signal(end: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Await ``end`` when a signal asks the server to stop, before the server itself hears of it.

    It would cut WebSockets off, wait for streams, which do not end by themselves, and tell the application last.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, before = asyncio.get_running_loop(), {one: signal.getsignal(one) for one in _SIGNALS}
    ending = set[asyncio.Task[None]]()

    async def end_first(number: int) -> None:
        await end()
        servers_own = before[signal.Signals(number)]
        assert callable(servers_own)  # noqa: S101 - for the type checker; others are left alone
        servers_own(number, None)

    def heed(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(lambda: ending.add(loop.create_task(end_first(number))))

    heeded = [one for one in _SIGNALS if callable(before[one])]
    for one in heeded:
        signal.signal(one, heed)
    try:
        yield
    finally:
        for one in heeded:
            signal.signal(one, before[one])
