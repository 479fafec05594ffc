"""Charges to several quotas at once: all of them count the units, or none."""

import asyncio
import random

import pytest
from redis.asyncio import Redis

from amarevents.security.rate_limit import MemoryRateLimiter, Quota, RateLimiter, RedisRateLimiter, ResilientRateLimiter
from tests.support.rate_limits import START, clocked_memory_limiter, clocked_redis_limiter, fresh_quota
from tests.support.servers import PrivateServer


@pytest.fixture
def store(shared_redis: Redis | None) -> RateLimiter:
    """Return the limiter in memory or, on the other back end, in Redis."""
    return MemoryRateLimiter() if shared_redis is None else RedisRateLimiter(shared_redis)


async def used(limiter: RateLimiter, *quotas: Quota) -> list[int]:
    return [(await limiter.usage(quota)).used for quota in quotas]


async def test_every_quota_counts_the_units(store: RateLimiter) -> None:
    quotas = [fresh_quota(5), fresh_quota(9, window=900.0)]
    verdicts = await store.charge_all(quotas, 3)
    assert [(verdict.allowed, verdict.used, verdict.remaining) for verdict in verdicts] == [(True, 3, 2), (True, 3, 6)]
    assert await used(store, *quotas) == [3, 3]


@pytest.mark.parametrize("full", [0, 1, 2])
async def test_no_quota_counts_what_one_of_them_refuses(store: RateLimiter, full: int) -> None:
    quotas = [fresh_quota(5) for _ in range(3)]
    await store.charge(quotas[full], 5)
    verdicts = await store.charge_all(quotas)
    assert [verdict.allowed for verdict in verdicts] == [index != full for index in range(3)]
    assert [verdict.retry_after > 0 for verdict in verdicts] == [index == full for index in range(3)]
    assert [verdict.stamp for verdict in verdicts] == [0, 0, 0]
    assert await used(store, *quotas) == [5 if index == full else 0 for index in range(3)]


async def test_quotas_without_a_limit_allow_everything(store: RateLimiter) -> None:
    unlimited, limited = fresh_quota(0), fresh_quota(1)
    verdicts = [await store.charge_all([unlimited, limited, unlimited]) for _ in range(2)]
    assert [[verdict.allowed for verdict in answer] for answer in verdicts] == [[True] * 3, [True, False, True]]
    assert all(verdict.allowed for verdict in await store.charge_all([unlimited, unlimited], 1000))


async def test_more_units_than_one_of_the_limits_are_an_error(store: RateLimiter) -> None:
    small, large = fresh_quota(1), fresh_quota(9)
    with pytest.raises(ValueError, match="exceeds the limit of 1"):
        await store.charge_all([large, small], 2)
    assert await used(store, large) == [0]


async def test_units_of_each_quota_are_released_alone(store: RateLimiter) -> None:
    quotas = [fresh_quota(5), fresh_quota(5)]
    verdicts = await store.charge_all(quotas)
    await store.release(quotas[1], verdicts[1])
    assert await used(store, *quotas) == [1, 0]


async def test_a_cleared_bucket_is_empty(store: RateLimiter) -> None:
    quota, other = fresh_quota(2), fresh_quota(2)
    await store.charge_all([quota, other], 2)
    await store.clear(quota)
    assert await used(store, quota, other) == [0, 2]
    await store.clear(fresh_quota(1))


async def test_simultaneous_charges_never_exceed_the_shared_quota(store: RateLimiter) -> None:
    shared, own = fresh_quota(20), [fresh_quota(4) for _ in range(10)]
    verdicts = await asyncio.gather(*(store.charge_all([quota, shared]) for quota in own for _ in range(6)))
    assert sum(all(verdict.allowed for verdict in answer) for answer in verdicts) == 20
    assert sum(await used(store, *own)) == 20


@pytest.mark.backend("postgres")
@pytest.mark.parametrize("seed", range(3))
async def test_redis_gives_the_verdicts_of_memory(shared_redis: Redis, seed: int) -> None:
    dice = random.Random(seed)
    quotas = [fresh_quota(limit, window=window) for limit, window in ((3, 60.0), (7, 60.0), (5, 900.0), (0, 60.0))]
    memory, shared = clocked_memory_limiter(), clocked_redis_limiter(shared_redis)
    now = START
    for _ in range(200):
        now += dice.randrange(20_000_000)
        chosen, units = dice.sample(quotas, dice.randint(1, 4)), dice.randint(1, 3)
        for clocked in (memory, shared):
            await clocked.set_time(now)
        in_memory, in_redis = [await clocked.limiter.charge_all(chosen, units) for clocked in (memory, shared)]
        pairs = [(a, b) for quota, a, b in zip(chosen, in_memory, in_redis, strict=True) if quota.limit]
        assert all(a == b for a, b in pairs)


@pytest.mark.backend("postgres")
async def test_without_redis_each_worker_has_its_share_of_both(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
    first, second = fresh_quota(40), fresh_quota(8)
    server.stop()
    verdicts = [await limiter.charge_all([first, second]) for _ in range(3)]
    assert [all(verdict.allowed for verdict in answer) for answer in verdicts] == [True, True, False]
    assert [verdict.limit for verdict in verdicts[-1]] == [40, 8]
    refused = await limiter.charge_all([first, second], 5)  # more than the share of the second
    assert not any(verdict.allowed for verdict in refused)
