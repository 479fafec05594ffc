"""The broker for deployments with a single process."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from amarevents.infra.pubsub.base import Subscriber, TicketChange


class MemoryBroker:
    """Delivers changes to the subscribers in this process."""

    def __init__(self) -> None:
        self._subscribers: dict[int, set[Subscriber]] = {}

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        self.deliver(event_id, changes)

    def deliver(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        """Deliver changes to the subscribers of the event."""
        for subscriber in self._subscribers.get(event_id, ()):
            subscriber.deliver(changes)

    def mark_all_missed(self) -> None:
        """Mark all subscribers, of whichever event, as having missed changes."""
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                subscriber.mark_missed()

    @contextlib.asynccontextmanager
    async def subscribe(self, event_id: int) -> AsyncIterator[Subscriber]:
        subscriber = Subscriber()
        self._subscribers.setdefault(event_id, set()).add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers[event_id].discard(subscriber)
            if not self._subscribers[event_id]:
                del self._subscribers[event_id]

    async def aclose(self) -> None:
        self._subscribers.clear()
