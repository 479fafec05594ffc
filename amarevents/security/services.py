"""What the process shares among its requests."""

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
    """Settings and the few long-lived objects; made at start, closed at the end (see ``app``).

    ``cache`` is the one in which ``count_cache`` keeps its counts, for whatever else can be done without.
    """

    settings: Settings
    limiter: RateLimiter
    hasher: PasswordHasher
    key_usage: KeyUsage
    cache: BaseCache
    count_cache: CountCache
    broker: Broker
    connections: Connections
