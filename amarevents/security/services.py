"""The services that all requests of a process share."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiocache.base import BaseCache

from amarevents.infra.answer_cache import AnswerCache
from amarevents.infra.cache import shared_cache
from amarevents.infra.count_cache import CountCache
from amarevents.infra.pubsub import Broker
from amarevents.infra.replica import Replica, replica_for
from amarevents.infra.shared_versions import versions_for
from amarevents.infra.versions import Versions
from amarevents.models.seeding import with_confirm_email
from amarevents.security.auth.key_usage import KeyUsage
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.security.auth.principal_memory import PrincipalMemory, principal_memory
from amarevents.security.connection_limits import Connections
from amarevents.security.rate_limit import RateLimiter
from amarevents.security.turns import Turns
from amarevents.settings import Settings
from amarevents.tasks import BackgroundTasks


@dataclass(frozen=True, slots=True)
class Services:
    """The settings and the long-lived objects, opened at startup and closed at shutdown by ``open_services``.

    ``cache`` holds only what can be lost at any time. ``versions`` say whether what is kept in memory is current.
    """

    settings: Settings
    limiter: RateLimiter
    hasher: PasswordHasher
    key_usage: KeyUsage
    principals: PrincipalMemory
    cache: BaseCache
    versions: Versions
    replica: Replica | None
    count_cache: CountCache
    answers: AnswerCache
    broker: Broker
    connections: Connections
    turns: Turns
    background: BackgroundTasks


@contextlib.asynccontextmanager
async def open_services(settings: Settings, *, limiter: RateLimiter, broker: Broker) -> AsyncIterator[Services]:
    """Make the services of the open database, and close each of them at the end, even if another fails to close."""
    async with contextlib.AsyncExitStack() as closing:
        settings = await with_confirm_email(settings)
        versions = versions_for(settings)
        services = Services(
            settings=settings,
            limiter=limiter,
            hasher=PasswordHasher(settings),
            key_usage=KeyUsage(),
            principals=principal_memory(settings),
            cache=shared_cache(settings),
            versions=versions,
            replica=replica_for(settings, versions),
            count_cache=CountCache(versions, seconds=settings.totals_seconds),
            answers=AnswerCache(versions, seconds=settings.public_cache_seconds),
            broker=broker,
            connections=Connections(),
            turns=Turns(at_once=settings.registration_concurrency, waiting=settings.registration_queue),
            background=BackgroundTasks(),
        )
        closing.push_async_callback(services.limiter.aclose)
        closing.push_async_callback(services.principals.aclose)
        closing.push_async_callback(services.cache.close)
        closing.push_async_callback(services.versions.aclose)
        if services.replica is not None:
            closing.push_async_callback(services.replica.aclose)
        closing.push_async_callback(services.broker.aclose)
        closing.callback(services.hasher.close)
        closing.push_async_callback(services.key_usage.flush)
        closing.push_async_callback(services.background.wait)
        yield services
