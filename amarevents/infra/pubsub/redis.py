"""The broker for deployments with several processes, through one Redis channel.

Each process publishes to the channel, and reads it from its first subscription on.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from amarevents.infra.pubsub.base import Subscriber, TicketChange
from amarevents.infra.pubsub.channel import RedisChannel
from amarevents.infra.pubsub.memory import MemoryBroker
from amarevents.models.enums import TicketChangeKind

CONNECT_SECONDS = 1.0
"""How long a new subscriber waits for the connection; without it, it receives the changes of this process only."""

logger = logging.getLogger(__name__)


class RedisBroker(RedisChannel):
    """Delivers changes within this process at once, and to other processes while Redis is available.

    After a loss, the subscribers of the processes that it may concern are marked as having missed changes.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, "changes")
        self._local = MemoryBroker()

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        self._local.deliver(event_id, changes)
        if self._publisher_failed:
            return
        # In a separate task, which continues if the request is cancelled.
        items = [[kind, ticket_id] for kind, ticket_id in changes]
        await asyncio.wait([self._start(self._send(event_id, items))])

    @contextlib.asynccontextmanager
    async def subscribe(self, event_id: int) -> AsyncIterator[Subscriber]:
        self._start_reading()
        if not self._reader_failed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._is_reading.wait()
        async with self._local.subscribe(event_id) as subscriber:
            yield subscriber

    async def aclose(self) -> None:
        await super().aclose()
        await self._local.aclose()

    def _on_message(self, event_id: int, items: list[tuple[str, int]]) -> None:
        changes = [TicketChange(TicketChangeKind(kind), ticket_id) for kind, ticket_id in items]
        self._local.deliver(event_id, changes)

    def _on_loss(self) -> None:
        self._local.mark_all_missed()

    def _on_availability(self, error: Exception | None) -> None:
        if error is None:
            logger.warning("Redis is available again; subscriptions receive the changes of all processes")
        else:
            logger.warning(
                "Redis is unavailable (%s: %s); subscriptions receive the changes of their own process only",
                type(error).__name__,
                error,
            )
