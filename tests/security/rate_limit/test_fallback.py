"""Redis lost, hanging and back: requests are served all along, within each process's share."""

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
LOST, BACK = "Redis is unavailable", "Redis is available again"


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    """A Redis of the test's own, to be stopped and started."""
    with private_redis() as server:
        yield server


@pytest.fixture
async def limiter(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ResilientRateLimiter]:
    """That of one worker among four, connected."""
    monkeypatch.setattr(module, "PROBE_INTERVAL", 0.05)
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(server.url)), workers=WORKERS)
    await limiter.charge(fresh_quota(1))
    yield limiter
    await limiter.aclose()


@contextmanager
def hanging(server: PrivateServer) -> Iterator[None]:
    """The server keeps its connections and answers nothing."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def notices(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The beginnings of the lines logged, in order."""
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [re.split(r" \(|;", line)[0] for line in lines]


async def wait_until_back(limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture) -> None:
    """Go on sending, as callers do, until the limiter has found Redis again."""
    async with asyncio.timeout(5):
        while BACK not in notices(caplog):
            await limiter.charge(fresh_quota(1))
            await asyncio.sleep(0.01)


async def charges(limiter: ResilientRateLimiter, quota: Quota, number: int) -> list[Verdict]:
    return [await limiter.charge(quota) for _ in range(number)]


def admitted(verdicts: list[Verdict]) -> int:
    return sum(verdict.allowed for verdict in verdicts)


async def test_redis_counts_while_it_answers(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    quota, other = fresh_quota(10), RedisRateLimiter(redis_client(server.url))
    assert admitted(await charges(limiter, quota, 12)) == 10
    assert (await other.usage(quota)).remaining == 0
    await other.aclose()


async def test_lost_redis_leaves_each_worker_its_share(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    quota = fresh_quota(10)
    server.stop()
    verdicts = await charges(limiter, quota, 12)
    assert admitted(verdicts) == 3  # 10 among 4 workers, rounded up
    assert {verdict.limit for verdict in verdicts} == {10}
    assert [verdict.remaining for verdict in verdicts[:4]] == [2, 1, 0, 0]
    assert verdicts[-1].retry_after in {60, 61}


async def test_share_is_never_less_than_one(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    server.stop()
    assert admitted(await charges(limiter, fresh_quota(1), 3)) == 1


async def test_limit_of_zero_stays_off_while_redis_is_away(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
    server.stop()
    await limiter.charge(fresh_quota(1))
    assert (await limiter.charge(fresh_quota(0), 1000)).allowed


async def test_redis_is_used_again_when_it_is_back_with_one_line_each_way(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    quota = fresh_quota(10)
    server.stop()
    await charges(limiter, quota, 20)
    assert notices(caplog) == [LOST]
    server.start()
    await wait_until_back(limiter, caplog)
    assert admitted(await charges(limiter, quota, 12)) == 10
    assert notices(caplog) == [LOST, BACK]


async def test_restart_between_two_requests_is_not_even_noticed(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    server.start()
    assert admitted(await charges(limiter, fresh_quota(10), 10)) == 10
    assert notices(caplog) == []


async def test_redis_away_from_the_start_is_a_loss_like_any_other(caplog: pytest.LogCaptureFixture) -> None:
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client("redis://127.0.0.1:1/0")), workers=1)
    assert admitted(await charges(limiter, fresh_quota(2), 3)) == 2
    assert notices(caplog) == [LOST]
    await limiter.aclose()


class Forgetful(ResilientRateLimiter):
    """The control: takes every failure for the first."""

    def _record_failure(self, error: Exception, recoveries: int) -> None:
        self._unavailable = False
        super()._record_failure(error, recoveries)


@pytest.mark.parametrize(("kind", "lines"), [(ResilientRateLimiter, 1), (Forgetful, 30)])
async def test_simultaneous_failures_are_one_loss(
    server: PrivateServer, caplog: pytest.LogCaptureFixture, kind: type[ResilientRateLimiter], lines: int
) -> None:
    limiter, quota = kind(RedisRateLimiter(redis_client(server.url)), workers=WORKERS), fresh_quota(40)
    server.stop()
    verdicts = await asyncio.gather(*(limiter.charge(quota) for _ in range(30)))
    assert admitted(verdicts) == 10
    assert notices(caplog) == [LOST] * lines
    await limiter.aclose()


async def test_hanging_redis_costs_half_a_second_once(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    quota = fresh_quota(400)
    with hanging(server):
        began = time.monotonic()
        verdicts = await asyncio.gather(*(limiter.charge(quota) for _ in range(200)))
        first = time.monotonic() - began
        later = [await timed(limiter, quota) for _ in range(50)]
    assert admitted(verdicts) == 100
    assert 0.2 < first < 0.9
    assert max(later) < 0.1
    await wait_until_back(limiter, caplog)
    assert notices(caplog) == [LOST, BACK]


async def test_hanging_redis_is_an_error_of_the_client_after_two_attempts(server: PrivateServer) -> None:
    client = redis_client(server.url)
    await client.ping()
    with hanging(server):
        began = time.monotonic()
        with pytest.raises(RedisTimeoutError):
            await client.ping()
        assert 0.4 < time.monotonic() - began < 2
    await client.aclose()


async def timed(limiter: ResilientRateLimiter, quota: Quota) -> float:
    """The seconds that a charge takes; and a pause, so that probes come due and fail."""
    began = time.monotonic()
    await limiter.charge(quota)
    took = time.monotonic() - began
    await asyncio.sleep(0.01)
    return took


async def test_redis_that_refuses_to_write_is_lost_until_it_writes_again(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    client = redis_client(server.url)
    await client.config_set("maxmemory", 1)
    for _ in range(30):
        await limiter.charge(fresh_quota(4))
        await asyncio.sleep(0.01)
    assert notices(caplog) == [LOST]
    await client.config_set("maxmemory", 0)
    await client.aclose()
    await wait_until_back(limiter, caplog)


class Delayed(RedisRateLimiter):
    """Fails the charges to one bucket, as late as the test wants."""

    def __init__(self, url: str, bucket: str) -> None:
        super().__init__(redis_client(url))
        self.bucket = bucket
        self.may_fail = asyncio.Event()

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        if quota.bucket == self.bucket:
            await self.may_fail.wait()
            raise RedisConnectionError("cut off")
        return await super().charge(quota, units)


async def test_failure_from_before_the_recovery_is_no_new_loss(
    server: PrivateServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PROBE_INTERVAL", 0.05)
    monkeypatch.setattr(module, "RESPONSE_SECONDS", 10)
    slow = fresh_quota(4)
    shared = Delayed(server.url, slow.bucket)
    limiter = ResilientRateLimiter(shared, workers=WORKERS)
    pending = asyncio.create_task(limiter.charge(slow))
    await asyncio.sleep(0)
    server.stop()
    await limiter.charge(fresh_quota(1))
    server.start()
    await wait_until_back(limiter, caplog)
    shared.may_fail.set()
    assert (await pending).allowed
    assert admitted(await charges(limiter, fresh_quota(4), 4)) == 4
    assert notices(caplog) == [LOST, BACK]
    await limiter.aclose()


async def test_more_units_than_the_share_wait_for_redis(
    server: PrivateServer, limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    quota = fresh_quota(10)
    server.stop()
    refused = await limiter.charge(quota, 4)
    assert (refused.allowed, refused.limit, refused.remaining, refused.retry_after) == (False, 10, 3, 60)
    assert (await limiter.charge(quota, 3)).allowed
    server.start()
    await wait_until_back(limiter, caplog)
    assert (await limiter.charge(quota, 4)).allowed


async def test_more_units_than_the_limit_are_a_mistake_of_the_caller(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
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
    await wait_until_back(limiter, caplog)
    await limiter.charge(quota)
    await limiter.release(quota, own)
    assert (await limiter.usage(quota)).remaining == 7
    server.stop()
    assert admitted(await charges(limiter, quota, 3)) == 1


async def test_release_is_forgone_while_redis_is_away(server: PrivateServer, limiter: ResilientRateLimiter) -> None:
    quota = fresh_quota(8)
    shared = await limiter.charge(quota)
    server.stop()
    await limiter.release(quota, shared)
    assert (await limiter.usage(quota)).remaining == 2


async def test_usage_while_redis_is_away_is_that_of_the_share(
    server: PrivateServer, limiter: ResilientRateLimiter
) -> None:
    quota = fresh_quota(8)
    server.stop()
    await limiter.charge(quota)
    usage = await limiter.usage(quota)
    assert (usage.limit, usage.remaining) == (8, 1)


async def test_closing_does_not_wait_for_a_hanging_probe(
    server: PrivateServer, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(server.url)), workers=1)
    quota = fresh_quota(10)
    await limiter.charge(quota)
    with hanging(server):
        await limiter.charge(quota)
        await asyncio.sleep(module.PROBE_INTERVAL)
        await limiter.charge(quota)
        await asyncio.sleep(0)
        began = time.monotonic()
        await limiter.aclose()
        assert time.monotonic() - began < 0.2
    assert notices(caplog) == [LOST]
