"""Who is told when the tickets of an event change, in this process and in all others.

Told is only *that* something has changed; whoever is told reads anew what it may see. In memory for one process; for
many through Redis's publish and subscribe, which keeps nothing for those who are away.
"""

from amarevents.infra.pubsub.base import Broker, Subscriber, TicketChange
from amarevents.infra.pubsub.memory import MemoryBroker
from amarevents.infra.pubsub.redis import RedisBroker
from amarevents.settings import Settings

__all__ = ["Broker", "MemoryBroker", "RedisBroker", "Subscriber", "TicketChange", "broker_for"]


def broker_for(settings: Settings) -> Broker:
    """The broker that a deployment needs: through Redis if there is one, in memory otherwise."""
    return MemoryBroker() if settings.redis_url is None else RedisBroker(settings.redis_url)
