"""A broker for the only process of a deployment."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from amarevents.infra.pubsub.base import Listener, TicketChange


class MemoryBroker:
    """Tells those in this process."""

    def __init__(self) -> None:
        self._listeners: dict[int, set[Listener]] = {}

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        self.tell(event_id, changes)

    def tell(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        for listener in self._listeners.get(event_id, ()):
            listener.tell(changes)

    def miss(self) -> None:
        """Whoever follows whatever event may have missed something."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.miss()

    @contextlib.asynccontextmanager
    async def subscribe(self, event_id: int) -> AsyncIterator[Listener]:
        listener = Listener()
        self._listeners.setdefault(event_id, set()).add(listener)
        try:
            yield listener
        finally:
            self._listeners[event_id].discard(listener)
            if not self._listeners[event_id]:
                del self._listeners[event_id]

    async def aclose(self) -> None:
        self._listeners.clear()
