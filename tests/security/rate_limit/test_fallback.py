"""Rate limiting while Redis is unavailable: each process enforces its share of the limit."""

import asyncio
import logging
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from amarevents.infra.redis import redis_client
from amarevents.security.rate_limit import Quota, RedisRateLimiter, ResilientRateLimiter, Verdict
from amarevents.security.rate_limit import fallback as module
from tests.support.rate_limits import fresh_quota
from tests.support.servers import PrivateServer, private_redis

pytestmark = pytest.mark.backend("postgres")

WORKERS = 4
UNAVAILABLE, AVAILABLE = "Redis is unavailable", "Redis is available again"


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    """Start a Redis server that the test may stop and start."""
    with private_redis() as server:
        yield server


@pytest.fixture
async def limiter(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ResilientRateLimiter]:
    """Open the limiter of one worker among four, connected to Redis."""
    monkeypatch.setattr(module, "PROBE_INTERVAL", 0.05)
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(server.url)), workers=WORKERS)
    await limiter.charge(fresh_quota(1))
    yield limiter
    await limiter.aclose()


@contextmanager
def unresponsive(server: PrivateServer) -> Iterator[None]:
    """Stop the server from answering while its connections stay open."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the first clauses of the warnings logged, in order."""
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [re.split(r" \(|;", line)[0] for line in lines]


async def wait_until_available(limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture) -> None:
    """Charge until the limiter uses Redis again."""
    async with asyncio.timeout(5):
        while AVAILABLE not in warnings_in(caplog):
            await limiter.charge(fresh_quota(1))
            await asyncio.sleep(0.01)


async def charge_repeatedly(limiter: ResilientRateLimiter, quota: Quota, number: int) -> list[Verdict]:
    return [await limiter.charge(quota) for _ in range(number)]


def count_allowed(verdicts: list[Verdict]) -> int:
    return sum(verdict.allowed for verdict in verdicts)


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
        later = [await timed(limiter, quota) for _ in range(50)]
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


async def timed(limiter: ResilientRateLimiter, quota: Quota) -> float:
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
    """Fails the charge_repeatedly to one bucket, as late as the test wants."""

    def __init__(self, url: str, bucket: str) -> None:
        super().__init__(redis_client(url))
        self.bucket = bucket
        self.may_fail = asyncio.Event()

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        if quota.bucket == self.bucket:
            await self.may_fail.wait()
            raise RedisConnectionError("cut off")
        return await super().charge(quota, units)


async def test_failure_from_before_the_recovery_is_ignored(
    server: PrivateServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PROBE_INTERVAL", 0.05)
    monkeypatch.setattr(module, "RESPONSE_SECONDS", 10)
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
