"""Hearing of the process's end while there is time to end well."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` in the event loop when a signal asks the server to stop, beside what the server does itself.

    It tells the application only once all that is open has ended, which streams would not do by themselves.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, before = asyncio.get_running_loop(), {one: signal.getsignal(one) for one in _SIGNALS}

    def heed(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        servers_own = before[signal.Signals(number)]
        assert callable(servers_own)  # noqa: S101 - for the type checker; others are left alone
        servers_own(number, frame)

    heeded = [one for one in _SIGNALS if callable(before[one])]
    for one in heeded:
        signal.signal(one, heed)
    try:
        yield
    finally:
        for one in heeded:
            signal.signal(one, before[one])
