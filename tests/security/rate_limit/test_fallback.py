"""Rate limiting while Redis is unavailable: each process enforces its share of the limit."""

import pytest

from amarevents.infra.redis import redis_client
from amarevents.security.rate_limit import RedisRateLimiter, ResilientRateLimiter
from tests.support.rate_limits import fresh_quota
from tests.support.redis_failures import (
    charge_repeatedly,
    count_allowed,
    wait_until_available,
)
from tests.support.servers import PrivateServer

pytestmark = pytest.mark.backend("postgres")


async def test_redis_counts_while_it_is_available(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    quota, other = fresh_quota(10), RedisRateLimiter(redis_client(server.url))
    assert count_allowed(await charge_repeatedly(limiter, quota, 12)) == 10
    assert (await other.usage(quota)).remaining == 0
    await other.aclose()


async def test_without_redis_each_worker_has_its_share(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    quota = fresh_quota(10)
    server.stop()
    verdicts = await charge_repeatedly(limiter, quota, 12)
    assert count_allowed(verdicts) == 3  # 10 among 4 workers, rounded up
    assert {verdict.limit for verdict in verdicts} == {10}
    assert [verdict.remaining for verdict in verdicts[:4]] == [2, 1, 0, 0]
    assert verdicts[-1].retry_after in {60, 61}


async def test_share_is_at_least_one(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    server.stop()
    assert count_allowed(await charge_repeatedly(limiter, fresh_quota(1), 3)) == 1


async def test_limit_of_zero_stays_disabled_without_redis(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    server.stop()
    await limiter.charge(fresh_quota(1))
    assert (await limiter.charge(fresh_quota(0), 1000)).allowed


async def test_more_units_than_the_share_are_refused_until_redis_is_available(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    quota = fresh_quota(10)
    server.stop()
    refused = await limiter.charge(quota, 4)
    assert (refused.allowed, refused.limit, refused.remaining, refused.retry_after) == (False, 10, 3, 60)
    assert (await limiter.charge(quota, 3)).allowed
    server.start()
    await wait_until_available(limiter, caplog)
    assert (await limiter.charge(quota, 4)).allowed


async def test_more_units_than_the_limit_are_an_error(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    server.stop()
    with pytest.raises(ValueError, match="exceeds the limit"):
        await limiter.charge(fresh_quota(10), 11)


async def test_unit_is_released_where_it_was_counted(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    quota = fresh_quota(8)
    shared = await limiter.charge(quota)
    await limiter.release(quota, shared)
    assert (await limiter.usage(quota)).remaining == 8
    server.stop()
    own = await limiter.charge(quota)
    await limiter.charge(quota)
    server.start()
    await wait_until_available(limiter, caplog)
    await limiter.charge(quota)
    await limiter.release(quota, own)
    assert (await limiter.usage(quota)).remaining == 7
    server.stop()
    assert count_allowed(await charge_repeatedly(limiter, quota, 3)) == 1


async def test_release_is_skipped_without_redis(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    quota = fresh_quota(8)
    shared = await limiter.charge(quota)
    server.stop()
    await limiter.release(quota, shared)
    assert (await limiter.usage(quota)).remaining == 2


async def test_usage_without_redis_is_that_of_the_share(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    quota = fresh_quota(8)
    server.stop()
    await limiter.charge(quota)
    usage = await limiter.usage(quota)
    assert (usage.limit, usage.remaining) == (8, 1)
