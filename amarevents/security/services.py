"""What the requests of a process share."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiocache.base import BaseCache

from amarevents.models.totals import Totals
from amarevents.security.broker import Broker
from amarevents.security.cache import shared_cache
from amarevents.security.connections import Connections
from amarevents.security.key_usage import KeyUsage
from amarevents.security.passwords import PasswordHasher
from amarevents.security.rate_limit import RateLimiter
from amarevents.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Settings and the few long-lived objects, made and closed by ``open_services``.

    ``cache`` is the one in which ``totals`` are remembered, for whatever else can be done without.
    """

    settings: Settings
    limiter: RateLimiter
    hasher: PasswordHasher
    key_usage: KeyUsage
    cache: BaseCache
    totals: Totals
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
            totals=Totals(cache, seconds=settings.totals_seconds),
            broker=broker,
            connections=Connections(),
        )
        closing.push_async_callback(services.limiter.aclose)
        closing.push_async_callback(services.totals.aclose)
        closing.push_async_callback(services.broker.aclose)
        closing.callback(services.hasher.close)
        closing.push_async_callback(services.key_usage.flush)
        yield services
