"""Detection of an unavailable Redis by the rate limiter: failures, timeouts, probes and the recovery."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from amarevents.infra.redis import redis_client
from amarevents.security.rate_limit import Quota, RedisRateLimiter, ResilientRateLimiter, Verdict
from amarevents.security.rate_limit import fallback as module
from tests.security.rate_limit.conftest import WORKERS
from tests.support.rate_limits import fresh_quota
from tests.support.redis_failures import (
    AVAILABLE,
    UNAVAILABLE,
    charge_repeatedly,
    count_allowed,
    unresponsive,
    wait_until_available,
    warnings_in,
)
from tests.support.servers import PrivateServer

pytestmark = pytest.mark.backend("postgres")


async def test_redis_is_used_again_when_available_and_each_change_is_logged_once(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    quota = fresh_quota(10)
    server.stop()
    await charge_repeatedly(limiter, quota, 20)
    assert warnings_in(caplog) == [UNAVAILABLE]
    server.start()
    await wait_until_available(limiter, caplog)
    assert count_allowed(await charge_repeatedly(limiter, quota, 12)) == 10
    assert warnings_in(caplog) == [UNAVAILABLE, AVAILABLE]


async def test_restart_between_two_requests_is_not_a_failure(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    server.start()
    assert count_allowed(await charge_repeatedly(limiter, fresh_quota(10), 10)) == 10
    assert warnings_in(caplog) == []


async def test_redis_may_be_unavailable_at_startup(caplog: pytest.LogCaptureFixture) -> None:
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client("redis://127.0.0.1:1/0")), workers=1)
    assert count_allowed(await charge_repeatedly(limiter, fresh_quota(2), 3)) == 2
    assert warnings_in(caplog) == [UNAVAILABLE]
    await limiter.aclose()


class LogsEveryFailure(ResilientRateLimiter):
    """The negative control: treats every failure as the first."""

    def _record_failure(self, error: Exception, recoveries: int) -> None:
        self._unavailable = False
        super()._record_failure(error, recoveries)


@pytest.mark.parametrize(("kind", "lines"), [(ResilientRateLimiter, 1), (LogsEveryFailure, 30)])
async def test_simultaneous_failures_are_logged_once(
    server: PrivateServer, caplog: pytest.LogCaptureFixture, kind: type[ResilientRateLimiter], lines: int
) -> None:
    limiter, quota = kind(RedisRateLimiter(redis_client(server.url)), workers=WORKERS), fresh_quota(40)
    server.stop()
    verdicts = await asyncio.gather(*(limiter.charge(quota) for _ in range(30)))
    assert count_allowed(verdicts) == 10
    assert warnings_in(caplog) == [UNAVAILABLE] * lines
    await limiter.aclose()


async def test_unresponsive_redis_delays_requests_only_once(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    quota = fresh_quota(400)
    with unresponsive(server):
        started_at = time.monotonic()
        verdicts = await asyncio.gather(*(limiter.charge(quota) for _ in range(200)))
        first = time.monotonic() - started_at
        later = [await seconds_to_charge(limiter, quota) for _ in range(50)]
    assert count_allowed(verdicts) == 100
    assert 0.2 < first < 0.9
    assert max(later) < 0.1
    await wait_until_available(limiter, caplog)
    assert warnings_in(caplog) == [UNAVAILABLE, AVAILABLE]


async def test_unresponsive_redis_times_out_after_two_attempts(server: PrivateServer) -> None:
    client = redis_client(server.url)
    await client.ping()
    with unresponsive(server):
        started_at = time.monotonic()
        with pytest.raises(RedisTimeoutError):
            await client.ping()
        assert 0.4 < time.monotonic() - started_at < 2
    await client.aclose()


async def seconds_to_charge(limiter: ResilientRateLimiter, quota: Quota) -> float:
    """Return the seconds that a charge takes, then sleep so that probes become due and fail."""
    started_at = time.monotonic()
    await limiter.charge(quota)
    took = time.monotonic() - started_at
    await asyncio.sleep(0.01)
    return took


async def test_redis_that_refuses_writes_counts_as_unavailable(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    client = redis_client(server.url)
    await client.config_set("maxmemory", 1)
    for _ in range(30):
        await limiter.charge(fresh_quota(4))
        await asyncio.sleep(0.01)
    assert warnings_in(caplog) == [UNAVAILABLE]
    await client.config_set("maxmemory", 0)
    await client.aclose()
    await wait_until_available(limiter, caplog)


class FailsLate(RedisRateLimiter):
    """A limiter whose charges to one bucket fail when the test allows them to."""

    def __init__(self, url: str, bucket: str) -> None:
        super().__init__(redis_client(url))
        self.bucket = bucket
        self.may_fail = asyncio.Event()

    async def charge_all(self, quotas: Sequence[Quota], units: int = 1) -> list[Verdict]:
        if quotas[0].bucket == self.bucket:
            await self.may_fail.wait()
            raise RedisConnectionError("cut off")
        return await super().charge_all(quotas, units)


async def test_failure_from_before_the_recovery_is_ignored(
    server: PrivateServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PROBE_INTERVAL", 0.05)
    slow = fresh_quota(4)
    shared = FailsLate(server.url, slow.bucket)
    limiter = ResilientRateLimiter(shared, workers=WORKERS)
    pending = asyncio.create_task(limiter.charge(slow))
    await asyncio.sleep(0)
    server.stop()
    await limiter.charge(fresh_quota(1))
    server.start()
    await wait_until_available(limiter, caplog)
    shared.may_fail.set()
    assert (await pending).allowed
    assert count_allowed(await charge_repeatedly(limiter, fresh_quota(4), 4)) == 4
    assert warnings_in(caplog) == [UNAVAILABLE, AVAILABLE]
    await limiter.aclose()


async def test_closing_does_not_wait_for_an_unfinished_probe(
    server: PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(server.url)), workers=1)
    quota = fresh_quota(10)
    await limiter.charge(quota)
    with unresponsive(server):
        await limiter.charge(quota)
        await asyncio.sleep(module.PROBE_INTERVAL)
        await limiter.charge(quota)
        await asyncio.sleep(0)
        started_at = time.monotonic()
        await limiter.aclose()
        assert time.monotonic() - started_at < 0.2
    assert warnings_in(caplog) == [UNAVAILABLE]
