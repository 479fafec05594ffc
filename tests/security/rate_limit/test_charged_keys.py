"""Which buckets have been charged within the last minute: the same answer of every store."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from amarevents.infra.redis import redis_client
from amarevents.security.rate_limit import MemoryRateLimiter, Quota, RedisRateLimiter, ResilientRateLimiter
from amarevents.security.rate_limit.redis import KEY_PREFIX
from tests.support.rate_limits import MINUTE, SECOND, START, memory_world
from tests.support.servers import PrivateServer, private_redis

of_redis = pytest.mark.backend("postgres")


def quota(bucket: str, *, limit: int = 10, window: float = 60.0) -> Quota:
    return Quota(bucket=bucket, limit=limit, window=window)


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    """A Redis of the test's own: nothing else has been charged in it."""
    with private_redis() as server:
        yield server


@pytest.fixture
async def client(server: PrivateServer) -> AsyncIterator[Redis]:
    client = redis_client(server.url)
    yield client
    await client.aclose()


@pytest.fixture
async def limiter(server: PrivateServer) -> AsyncIterator[ResilientRateLimiter]:
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(server.url)), workers=4)
    yield limiter
    await limiter.aclose()


# In memory ------------------------------------------------------------------------------------------------------


async def test_buckets_with_the_prefix_are_named_once() -> None:
    world = memory_world()
    for bucket in ("key:a", "key:b", "key:a", "account:1", "keys:c", "a key:d"):
        await world.charge_at(START, quota(bucket))
    assert sorted(await world.limiter.charged("key:")) == ["key:a", "key:b"]
    assert await world.limiter.charged("nothing:") == []


@pytest.mark.parametrize(("age", "named"), [(MINUTE - 1, True), (MINUTE, True), (MINUTE + 1, False)])
async def test_a_bucket_is_named_for_as_long_as_its_last_unit_counts(age: int, named: bool) -> None:
    world = memory_world()
    await world.charge_at(START - 30 * SECOND, quota("key:a"))
    await world.charge_at(START, quota("key:a"))
    await world.set_time(START + age)
    assert await world.limiter.charged("key:") == (["key:a"] if named else [])
    assert ((await world.limiter.usage(quota("key:a"))).used > 0) is named


async def test_what_has_been_given_back_is_not_named() -> None:
    world = memory_world()
    await world.limiter.release(quota("key:a"), await world.charge_at(START, quota("key:a")))
    assert await world.limiter.charged("key:") == []


async def test_refused_charges_and_limits_that_are_off_name_nothing_new() -> None:
    world = memory_world()
    await world.charge_at(START, quota("key:off", limit=0))
    await world.charge_at(START, quota("key:a", limit=1))
    await world.charge_at(START + 50 * SECOND, quota("key:a", limit=1))
    assert await world.limiter.charged("key:") == ["key:a"]
    await world.set_time(START + MINUTE + 1)
    assert await world.limiter.charged("key:") == []


async def test_looking_does_not_name() -> None:
    world = memory_world()
    await world.limiter.usage(quota("key:a"))
    assert await world.limiter.charged("key:") == []


async def test_used_goes_on_counting_what_a_lowered_limit_no_longer_allows() -> None:
    world = memory_world()
    await world.charge_at(START, quota("key:a"), 7)
    lowered = await world.limiter.usage(quota("key:a", limit=3))
    assert (lowered.used, lowered.remaining, lowered.allowed) == (7, 0, False)


# In Redis -------------------------------------------------------------------------------------------------------


@of_redis
async def test_redis_names_what_memory_names(client: Redis) -> None:
    redis, memory = RedisRateLimiter(client), MemoryRateLimiter()
    for limiter in (redis, memory):
        for bucket in ("key:a", "key:b", "key:a", "account:1", "keys:c", "a key:d"):
            await limiter.charge(quota(bucket))
        await limiter.usage(quota("key:looked at"))
        await limiter.release(quota("key:given back"), await limiter.charge(quota("key:given back")))
    assert sorted(await redis.charged("key:")) == sorted(await memory.charged("key:")) == ["key:a", "key:b"]


@of_redis
async def test_redis_names_thousands_each_once(client: Redis) -> None:
    names = [f"key:{number}" for number in range(3000)]
    pipeline = client.pipeline()
    for name in [*names, *(f"address:{number}" for number in range(3000))]:
        pipeline.rpush(KEY_PREFIX + name, START)
    await pipeline.execute()
    assert sorted(await RedisRateLimiter(client).charged("key:")) == sorted(names)


@of_redis
async def test_redis_forgets_a_bucket_soon_after_its_window(client: Redis) -> None:
    limiter = RedisRateLimiter(client)
    await limiter.charge(quota("key:a", window=0.1))
    assert await limiter.charged("key:") == ["key:a"]
    await asyncio.sleep(1.3)
    assert await limiter.charged("key:") == []


@of_redis
async def test_while_redis_is_away_a_process_names_its_own(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
    await limiter.charge(quota("key:shared"))
    assert await limiter.charged("key:") == ["key:shared"]
    server.stop()
    await limiter.charge(quota("key:own"))
    assert await limiter.charged("key:") == ["key:own"]


@of_redis
async def test_the_first_to_miss_redis_is_answered_too(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    await limiter.charge(quota("key:shared"))
    server.stop()
    assert await limiter.charged("key:") == []


@of_redis
async def test_an_empty_answer_of_redis_is_an_answer(limiter: ResilientRateLimiter) -> None:
    await limiter._local.charge(quota("key:from an outage"))
    assert await limiter.charged("key:") == []


@of_redis
async def test_used_is_what_the_process_has_counted_itself(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
    await limiter.charge(quota("key:a", limit=60), 20)
    assert (await limiter.usage(quota("key:a", limit=60))).used == 20
    server.stop()
    await limiter.charge(quota("key:a", limit=60), 2)
    seen = await limiter.usage(quota("key:a", limit=60))
    assert (seen.limit, seen.used, seen.remaining) == (60, 2, 13)
