"""Lists of the buckets charged within the last minute, in memory and in Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from amarevents.infra.redis import RedisClient, redis_client
from amarevents.security.rate_limit import MemoryRateLimiter, Quota, RedisRateLimiter, ResilientRateLimiter
from amarevents.security.rate_limit.redis import KEY_PREFIX
from tests.support.rate_limits import MINUTE, SECOND, START, clocked_memory_limiter
from tests.support.servers import PrivateServer

needs_redis = pytest.mark.backend("postgres")


def quota(bucket: str, *, limit: int = 10, window: float = 60.0) -> Quota:
    return Quota(bucket=bucket, limit=limit, window=window)


@pytest.fixture
async def client(server: PrivateServer) -> AsyncIterator[RedisClient]:
    client = redis_client(server.url)
    yield client
    await client.aclose()


@pytest.fixture
async def limiter(server: PrivateServer) -> AsyncIterator[ResilientRateLimiter]:
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(server.url)), workers=4)
    yield limiter
    await limiter.aclose()


# In memory ------------------------------------------------------------------------------------------------------


async def test_buckets_with_the_prefix_are_listed_once() -> None:
    clocked = clocked_memory_limiter()
    for bucket in ("key:a", "key:b", "key:a", "account:1", "keys:c", "a key:d"):
        await clocked.charge_at(START, quota(bucket))
    assert sorted(await clocked.limiter.charged("key:")) == ["key:a", "key:b"]
    assert await clocked.limiter.charged("nothing:") == []


@pytest.mark.parametrize(("age", "listed"), [(MINUTE - 1, True), (MINUTE, True), (MINUTE + 1, False)])
async def test_a_bucket_is_listed_until_its_last_unit_expires(age: int, listed: bool) -> None:
    clocked = clocked_memory_limiter()
    await clocked.charge_at(START - 30 * SECOND, quota("key:a"))
    await clocked.charge_at(START, quota("key:a"))
    await clocked.set_time(START + age)
    assert await clocked.limiter.charged("key:") == (["key:a"] if listed else [])
    assert ((await clocked.limiter.usage(quota("key:a"))).used > 0) is listed


async def test_a_bucket_whose_units_were_released_is_not_listed() -> None:
    clocked = clocked_memory_limiter()
    await clocked.limiter.release(quota("key:a"), await clocked.charge_at(START, quota("key:a")))
    assert await clocked.limiter.charged("key:") == []


async def test_refused_charges_and_disabled_limits_are_not_listed() -> None:
    clocked = clocked_memory_limiter()
    await clocked.charge_at(START, quota("key:off", limit=0))
    await clocked.charge_at(START, quota("key:a", limit=1))
    await clocked.charge_at(START + 50 * SECOND, quota("key:a", limit=1))
    assert await clocked.limiter.charged("key:") == ["key:a"]
    await clocked.set_time(START + MINUTE + 1)
    assert await clocked.limiter.charged("key:") == []


async def test_reading_the_usage_does_not_list_a_bucket() -> None:
    clocked = clocked_memory_limiter()
    await clocked.limiter.usage(quota("key:a"))
    assert await clocked.limiter.charged("key:") == []


async def test_used_may_exceed_a_limit_that_was_lowered() -> None:
    clocked = clocked_memory_limiter()
    await clocked.charge_at(START, quota("key:a"), 7)
    lowered = await clocked.limiter.usage(quota("key:a", limit=3))
    assert (lowered.used, lowered.remaining, lowered.allowed) == (7, 0, False)


# In Redis -------------------------------------------------------------------------------------------------------


@needs_redis
async def test_redis_lists_the_same_buckets_as_memory(client: Redis) -> None:
    redis, memory = RedisRateLimiter(client), MemoryRateLimiter()
    for limiter in (redis, memory):
        for bucket in ("key:a", "key:b", "key:a", "account:1", "keys:c", "a key:d"):
            await limiter.charge(quota(bucket))
        await limiter.usage(quota("key:looked at"))
        await limiter.release(quota("key:given back"), await limiter.charge(quota("key:given back")))
    assert sorted(await redis.charged("key:")) == sorted(await memory.charged("key:")) == ["key:a", "key:b"]


@needs_redis
async def test_redis_lists_each_of_thousands_of_buckets_once(client: Redis) -> None:
    names = [f"key:{number}" for number in range(3000)]
    pipeline = client.pipeline()
    for name in [*names, *(f"address:{number}" for number in range(3000))]:
        pipeline.rpush(KEY_PREFIX + name, START)
    await pipeline.execute()
    assert sorted(await RedisRateLimiter(client).charged("key:")) == sorted(names)


@needs_redis
async def test_redis_expires_a_bucket_soon_after_its_window(client: Redis) -> None:
    limiter = RedisRateLimiter(client)
    await limiter.charge(quota("key:a", window=0.1))
    assert await limiter.charged("key:") == ["key:a"]
    await asyncio.sleep(1.3)
    assert await limiter.charged("key:") == []


@needs_redis
async def test_without_redis_a_process_lists_its_own_buckets(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
    await limiter.charge(quota("key:shared"))
    assert await limiter.charged("key:") == ["key:shared"]
    server.stop()
    await limiter.charge(quota("key:own"))
    assert await limiter.charged("key:") == ["key:own"]


@needs_redis
async def test_the_first_call_after_redis_fails_is_answered(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
    await limiter.charge(quota("key:shared"))
    server.stop()
    assert await limiter.charged("key:") == []


@needs_redis
async def test_an_empty_answer_of_redis_does_not_fall_back(limiter: ResilientRateLimiter) -> None:
    await limiter._local.charge(quota("key:from an outage"))
    assert await limiter.charged("key:") == []


@needs_redis
async def test_without_redis_used_counts_the_charges_of_the_process(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
    await limiter.charge(quota("key:a", limit=60), 20)
    assert (await limiter.usage(quota("key:a", limit=60))).used == 20
    server.stop()
    await limiter.charge(quota("key:a", limit=60), 2)
    seen = await limiter.usage(quota("key:a", limit=60))
    assert (seen.limit, seen.used, seen.remaining) == (60, 2, 13)
