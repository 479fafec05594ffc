"""The queue for the connections of a pool, which passes a connection on to the next caller without the pool.

asyncpg's pool takes longer to take a connection back and hand it out again than a small statement takes. So it only
connects, and closes what is broken; from then on, connections go from one caller to the next.
"""

import asyncio
from collections import deque
from typing import Generic, TypeVar

C = TypeVar("C")


class ConnectionQueue(Generic[C]):
    """Up to ``size`` connections, and the callers that wait for one, who are served in their order.

    ``used`` counts the connections that callers hold, that wait to be taken, and that are being opened.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.used = 0
        self._free: list[C] = []
        self._waiters: deque[asyncio.Future[C | None]] = deque()

    def take(self) -> C | None:
        """Return a free connection: the one that was used last, whose server process is still warm."""
        return self._free.pop() if self._free else None

    def reserve(self) -> bool:
        """Count one more connection, for the caller to open, unless there are ``size`` already."""
        if self.used >= self._size:
            return False
        self.used += 1
        return True

    async def wait(self, deadline: float) -> C | None:
        """Wait for a connection, or for None: there is room for another one, which the caller may open.

        Raises TimeoutError at the deadline, in seconds of the clock of the event loop.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[C | None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_at(deadline, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._pass_on(waiter.result())  # it was served before it was cancelled
            raise
        finally:
            timer.cancel()

    def put_back(self, connection: C) -> None:
        """Pass a connection on to the next caller."""
        self._pass_on(connection)

    def remove(self) -> None:
        """Stop counting a connection that has been closed, or could not be opened."""
        self.used -= 1
        self._pass_on(None)

    def _pass_on(self, connection: C | None) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection is not None:
            self._free.append(connection)


def _give_up(waiter: "asyncio.Future[C | None]") -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
