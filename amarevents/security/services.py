"""The services that all requests of a process share."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiocache.base import BaseCache

from amarevents.infra.cache import shared_cache
from amarevents.infra.count_cache import CountCache
from amarevents.infra.pubsub import Broker
from amarevents.security.auth.key_usage import KeyUsage
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.security.connection_limits import Connections
from amarevents.security.rate_limit import RateLimiter
from amarevents.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The settings and the long-lived objects, opened at startup and closed at shutdown by ``open_services``.

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


@contextlib.asynccontextmanager
async def open_services(settings: Settings, *, limiter: RateLimiter, broker: Broker) -> AsyncIterator[Services]:
    """Make the services and close each of them at the end, even if another one fails to close."""
    async with contextlib.AsyncExitStack() as closing:
        cache = shared_cache(settings)
        services = Services(
            settings=settings,
            limiter=limiter,
            hasher=PasswordHasher(settings),
            key_usage=KeyUsage(),
            cache=cache,
            count_cache=CountCache(cache, seconds=settings.totals_seconds),
            broker=broker,
            connections=Connections(),
        )
        closing.push_async_callback(services.limiter.aclose)
        closing.push_async_callback(services.count_cache.aclose)
        closing.push_async_callback(services.broker.aclose)
        closing.callback(services.hasher.close)
        closing.push_async_callback(services.key_usage.flush)
        yield services
