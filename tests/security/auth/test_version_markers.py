"""The versions of accounts in Redis, and the markers of changes (decisions 2.4)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from amarevents.infra.redis import redis_client
from amarevents.infra.redis_cluster import redis_commands
from amarevents.security.auth.account_versions import CHANGING_SECONDS, AccountVersions, new_version, version_key
from amarevents.security.auth.principal_memory import PrincipalMemory
from amarevents.security.rate_limit import RedisRateLimiter

pytestmark = pytest.mark.backend("postgres")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
async def limiter(redis: Redis, redis_url: str) -> AsyncIterator[RedisRateLimiter]:
    limiter = RedisRateLimiter(redis_client(redis_url))
    yield limiter
    await limiter.aclose()


@pytest.fixture
async def versions(redis_url: str) -> AsyncIterator[AccountVersions]:
    versions = AccountVersions(redis_commands(redis_client(redis_url)))
    yield versions
    await versions.aclose()


async def test_an_account_has_no_version_until_all_its_changes_have_ended(
    versions: AccountVersions, limiter: RedisRateLimiter
) -> None:
    first, second, before = new_version(), new_version(), await limiter.version_of(1)
    assert before is not None
    for step in (versions.begin(1, first), versions.begin(1, second), versions.end(1, first)):
        await step
        assert await limiter.version_of(1) is None
    await versions.end(1, second)
    assert await limiter.version_of(1) not in (None, before)


async def test_ending_a_change_twice_only_gives_another_version(
    versions: AccountVersions, limiter: RedisRateLimiter
) -> None:
    token = new_version()
    await versions.begin(1, token)
    await versions.end(1, token)
    between = await limiter.version_of(1)
    await versions.end(1, token)
    assert await limiter.version_of(1) not in (None, between)


async def test_the_marker_of_a_process_that_has_died_expires(versions: AccountVersions, redis: Redis) -> None:
    await versions.begin(1, new_version())
    assert 0 < await redis.ttl(version_key(1)) <= CHANGING_SECONDS


async def test_versions_of_accounts_that_are_not_used_expire(limiter: RedisRateLimiter, redis: Redis) -> None:
    await limiter.version_of(1)
    assert await redis.ttl(version_key(1)) > 0


async def test_a_cancelled_change_leaves_no_marker(versions: AccountVersions, limiter: RedisRateLimiter) -> None:
    started = asyncio.Event()

    async def change() -> None:
        async with PrincipalMemory(seconds=1, versions=versions).changing(1):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(change())
    await started.wait()
    assert await limiter.version_of(1) is None
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await limiter.version_of(1) is not None
