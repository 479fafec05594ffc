"""What a broker does, and the queue of one who is told."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from amarevents import errors
from amarevents.models.enums import TicketChangeKind

MAX_QUEUED = 1_000
"""Changes that wait for one who is slow to take them; beyond, they are dropped and it is told so."""


class TicketChange(NamedTuple):
    """One ticket, and what has happened to it."""

    kind: TicketChangeKind
    ticket_id: int


class Subscriber:
    """What one follower of an event has not taken yet; never more than ``MAX_QUEUED``, however slow it is."""

    def __init__(self) -> None:
        self._changes: deque[TicketChange] = deque()
        self._has_missed = False
        self._woken = asyncio.Event()

    def deliver(self, changes: Sequence[TicketChange]) -> None:
        """Changes to the event; none at all where only what its numbers are made of has changed."""
        if len(self._changes) + len(changes) > MAX_QUEUED:
            self.mark_missed()
        elif not self._has_missed:
            self._changes.extend(changes)
        self._woken.set()

    def mark_missed(self) -> None:
        """Some changes have been lost, nobody knows which: those that wait are of no use either."""
        self._changes.clear()
        self._has_missed = True
        self._woken.set()

    async def wait(self, seconds: float) -> bool:
        """Whether anything has happened that has not been taken; False after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        return self._woken.is_set()

    def clear(self) -> None:
        """Take everything, for those who read all anew."""
        self._changes.clear()
        self._has_missed = False
        self._woken.clear()

    def pop(self) -> TicketChange | None:
        """The oldest change, None where nothing waits. Raises UpdatesMissed where some have been lost."""
        if self._has_missed:
            raise errors.UpdatesMissed
        if self._changes:
            return self._changes.popleft()
        self._woken.clear()
        return None


class Broker(Protocol):
    """At least once: a change may be told again. After a loss that nobody can know the extent of, all are told so."""

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        """Tell everybody who follows the event, once what has changed can be read. Waits for nobody, never fails."""

    def subscribe(self, event_id: int) -> AbstractAsyncContextManager[Subscriber]:
        """Be told what happens to the event from the block's beginning to its end."""

    async def aclose(self) -> None:
        """Let go of what is shared with other processes."""
