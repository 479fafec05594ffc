"""Turns: a process works on few registrations at once, because all want the same row, and lets a bounded number wait.

Those for one event have their turns in the order in which they came. Events alternate, so that registrations for others
do not wait behind the crowd of a hot one.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from amarevents import errors

Left = Callable[[], Awaitable[None]] | None
"""A function that returns once the client has left; None if that cannot be known."""

_Turn = asyncio.Future[None]
_WEIGHT = 0.05  # of the latest turn in the average duration


class Turns:
    """The turns of a process. ``at_once`` and ``waiting`` are maximum numbers; 0 means no limit."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._at_once = at_once
        self._max_waiting = waiting
        self._running = 0
        self._waiting = 0
        self._queues: dict[object, deque[_Turn]] = {}
        """Those that wait, by their key. The first key has the next turn."""
        self._seconds = 0.0
        """The average duration of a turn."""

    def require_room(self) -> None:
        """Raise Overloaded if no more can wait."""
        if self._max_waiting and self._waiting >= self._max_waiting:
            # By then, those that wait now should have had their turns.
            raise errors.Overloaded(max(1, math.ceil(self._waiting * self._seconds / max(self._at_once, 1))))

    @asynccontextmanager
    async def turn(self, key: object, left: Left = None) -> AsyncIterator[None]:
        """Wait for a turn, and have it while the block runs.

        Raises Overloaded. A caller that is cancelled, or whose client leaves, while it waits has no turn.
        """
        if self._at_once and self._running >= self._at_once:
            self.require_room()
            await self._wait(key, left)
        else:
            self._running += 1
        started = time.monotonic()
        try:
            yield
        finally:
            self._seconds += _WEIGHT * (time.monotonic() - started - self._seconds)
            self._pass_on()

    async def _wait(self, key: object, left: Left) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(turn)
        self._waiting += 1
        watch = None if left is None else asyncio.ensure_future(left())
        if watch is not None:
            watch.add_done_callback(lambda _: turn.cancel())
        try:
            await turn
        except asyncio.CancelledError:
            self._give_up(key, turn)
            if watch is not None and watch.done():
                raise errors.Overloaded(1) from None  # which no one receives
            raise
        finally:
            self._waiting -= 1
            if watch is not None:
                watch.cancel()

    def _give_up(self, key: object, turn: _Turn) -> None:
        """Leave the queue, or pass on a turn that came just before the caller was cancelled."""
        if turn.done() and not turn.cancelled():
            self._pass_on()
        elif turn in (queue := self._queues.get(key, deque())):
            queue.remove(turn)
            if not queue:
                del self._queues[key]

    def _pass_on(self) -> None:
        """Give a turn that has ended to the first that waits for the next key, which then becomes the last key."""
        while self._queues:
            key, queue = next(iter(self._queues.items()))
            turn = queue.popleft()
            del self._queues[key]
            if queue:
                self._queues[key] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1
