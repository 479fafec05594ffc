"""The interface of brokers, and the queue of a subscriber."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from amarevents import errors
from amarevents.models.enums import TicketChangeKind

MAX_QUEUED = 1_000
"""The capacity of a subscriber's queue. If it overflows, the queue is dropped and the subscriber gets an error."""


class TicketChange(NamedTuple):
    """What has happened to a ticket."""

    kind: TicketChangeKind
    ticket_id: int


class Subscriber:
    """The queue of one subscriber to an event, with at most ``MAX_QUEUED`` changes."""

    def __init__(self) -> None:
        self._changes: deque[TicketChange] = deque()
        self._has_missed = False
        self._has_news = asyncio.Event()

    def deliver(self, changes: Sequence[TicketChange]) -> None:
        """Queue changes of the event's tickets; none if only the event or its statistics have changed."""
        if len(self._changes) + len(changes) > MAX_QUEUED:
            self.mark_missed()
        elif not self._has_missed:
            self._changes.extend(changes)
        self._has_news.set()

    def mark_missed(self) -> None:
        """Record that an unknown number of changes has been lost, and drop the queued ones as incomplete."""
        self._changes.clear()
        self._has_missed = True
        self._has_news.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for something to be delivered; return False if nothing has been after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_news.wait()
        return self._has_news.is_set()

    def clear(self) -> None:
        """Empty the queue and forget lost changes, before reading the current state as a whole."""
        self._changes.clear()
        self._has_missed = False
        self._has_news.clear()

    def pop(self) -> TicketChange | None:
        """Return the oldest change, or None if the queue is empty. Raises UpdatesMissed if changes have been lost."""
        if self._has_missed:
            raise errors.UpdatesMissed
        if self._changes:
            return self._changes.popleft()
        self._has_news.clear()
        return None


class Broker(Protocol):
    """Delivers changes at least once. After a loss of unknown extent, marks all subscribers as having missed some."""

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        """Deliver changes to the subscribers of the event, after they have been committed.

        It neither waits for subscribers nor fails.
        """

    def subscribe(self, event_id: int) -> AbstractAsyncContextManager[Subscriber]:
        """Subscribe to the changes of the event while the block runs."""

    async def aclose(self) -> None:
        """Close all connections."""
