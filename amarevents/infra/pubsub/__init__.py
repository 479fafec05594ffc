"""Publish and subscribe for the ticket changes of events, within one process and between several.

A message says only *that* something has changed: subscribers then read what they are allowed to see. Messages are
passed on in memory within one process, and through Redis between several. Redis does not keep messages for subscribers
that are disconnected.
"""

from amarevents.infra.pubsub.base import Broker, Subscriber, TicketChange
from amarevents.infra.pubsub.memory import MemoryBroker
from amarevents.infra.pubsub.redis import RedisBroker
from amarevents.settings import Settings

__all__ = ["Broker", "MemoryBroker", "RedisBroker", "Subscriber", "TicketChange", "broker_for"]


def broker_for(settings: Settings) -> Broker:
    """Return the broker for the settings: through Redis if its URL is set, in memory otherwise."""
    return MemoryBroker() if settings.redis_url is None else RedisBroker(settings.redis_url)
