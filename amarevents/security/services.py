"""The services that all requests of a process share."""

from dataclasses import dataclass

from aiocache.base import BaseCache

from amarevents.infra.count_cache import CountCache
from amarevents.infra.pubsub import Broker
from amarevents.security.auth.key_usage import KeyUsage
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.security.connection_limits import Connections
from amarevents.security.rate_limit import RateLimiter
from amarevents.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The settings and the long-lived objects, opened at startup and closed at shutdown (see ``app``).

    ``cache`` also stores the counts of ``count_cache``. It holds only what can be lost at any time.
    """

    settings: Settings
    limiter: RateLimiter
    hasher: PasswordHasher
    key_usage: KeyUsage
    cache: BaseCache
    count_cache: CountCache
    broker: Broker
    connections: Connections
