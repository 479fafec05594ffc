"""Ticket changes to publish, and what a subscriber receives."""

from amarevents.infra.pubsub import Subscriber, TicketChange
from amarevents.models.enums import TicketChangeKind

CREATED = [TicketChange(TicketChangeKind.CREATED, 1)]
DELETED = [TicketChange(TicketChangeKind.DELETED, 1)]


async def received(subscriber: Subscriber, seconds: float = 2) -> list[TicketChange]:
    """Wait for changes, and return all that have arrived; none if nothing arrives within ``seconds``."""
    changes = []
    if await subscriber.wait(seconds):
        while (change := subscriber.pop()) is not None:
            changes.append(change)
    return changes
