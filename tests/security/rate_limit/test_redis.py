"""The sliding window in Redis: the verdicts of the one in memory, for any number of clients and processes."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from amarevents.infra import redis
from amarevents.infra.redis import RedisClient, redis_client
from amarevents.security.rate_limit import Quota, RedisRateLimiter, Verdict
from amarevents.security.rate_limit.redis import KEY_PREFIX
from tests.support.rate_limits import (
    MINUTE,
    SECOND,
    START,
    ClockedLimiter,
    admitted_attempts,
    adversarial_attempts,
    clocked_memory_limiter,
    clocked_redis_limiter,
    fresh_quota,
    worst_minute,
)
from tests.support.redis_server import private_redis
from tests.support.sizes import sized

pytestmark = pytest.mark.backend("postgres")

TIMEOUT = 30.0  # seconds
IN_ANOTHER_PROCESS = """
import asyncio, sys
from amarevents.security.rate_limit import Quota, RedisRateLimiter
from amarevents.infra import redis

redis.SOCKET_TIMEOUT = redis.POOL_TIMEOUT = 30.0

async def charge_often(url: str, bucket: str) -> None:
    limiter = RedisRateLimiter(redis.redis_client(url))
    quota = Quota(bucket=bucket, limit=60)
    answers = await asyncio.gather(*(limiter.charge(quota) for _ in range(170)))
    await limiter.aclose()
    print(sum(answer.allowed for answer in answers))

asyncio.run(charge_often(*sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def long_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the timeouts of Redis, so that a busy machine does not fail the tests."""
    for limit in ("SOCKET_TIMEOUT", "POOL_TIMEOUT"):
        monkeypatch.setattr(redis, limit, TIMEOUT)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[RedisClient]:
    client = redis_client(redis_url)
    yield client
    await client.aclose()


@pytest.mark.parametrize("seed", range(sized(1, deep=2)))
async def test_no_minute_of_adversarial_charges_exceeds_the_limit(client: Redis, seed: int) -> None:
    admitted = await admitted_attempts(clocked_redis_limiter(client), fresh_quota(12), adversarial_attempts(seed, 12))
    assert worst_minute(admitted) == 12


async def verdict_of_both(both: Sequence[ClockedLimiter], now: int, quota: Quota, units: int) -> Verdict:
    """Charge and read the usage in both stores at the same time, check that they agree, and return the verdict."""
    charged = [await clocked.charge_at(now, quota, units) for clocked in both]
    seen = [await clocked.limiter.usage(quota) for clocked in both]
    assert charged[0] == charged[1]
    assert seen[0] == seen[1]
    return charged[0]


@pytest.mark.parametrize("limit", [3, 8, 20])
async def test_redis_and_memory_give_the_same_verdicts(client: Redis, limit: int) -> None:
    """With bursts, pauses, changed limits, and a clock that is sometimes set back."""
    dice, now, answers = random.Random(limit), START, Counter[bool]()
    both, quota = (clocked_redis_limiter(client), clocked_memory_limiter()), fresh_quota(limit)
    steps = (0, 1, 1000, SECOND, 7 * SECOND, 20 * SECOND, MINUTE, MINUTE + 1, -1, -3 * SECOND, -90 * SECOND)
    for _ in range(sized(150, deep=400)):
        now += dice.choice(steps)
        current = replace(quota, limit=dice.randint(limit // 2 + 1, limit))
        units = dice.randint(1, current.limit) if dice.random() < 0.3 else 1
        answers[(await verdict_of_both(both, now, current, units)).allowed] += 1
    assert min(answers[True], answers[False]) > 20


async def test_only_the_released_unit_can_be_charged_again(client: Redis) -> None:
    clocked, quota = clocked_redis_limiter(client), fresh_quota(5)
    verdict = await clocked.charge_at(START, quota, 4)
    refused = await clocked.charge_at(START, quota, 2)
    await clocked.limiter.release(quota, verdict)
    await clocked.limiter.release(quota, refused)
    assert (await clocked.limiter.usage(quota)).remaining == 2


async def test_clock_set_back_by_an_hour_refuses_for_one_window_at_most(client: Redis) -> None:
    clocked, quota, earlier = clocked_redis_limiter(client), fresh_quota(3), START - 60 * MINUTE
    await clocked.charge_at(START, quota, 3)
    refused = await clocked.charge_at(earlier, quota)
    assert (refused.allowed, refused.retry_after) == (False, 61)
    assert not (await clocked.charge_at(earlier + MINUTE, quota)).allowed
    assert (await clocked.charge_at(earlier + MINUTE + 1, quota)).allowed


async def test_time_is_that_of_the_server(client: Redis) -> None:
    limiter, quota = RedisRateLimiter(client), fresh_quota(2, window=0.2)
    before = await client.time()
    verdict = await limiter.charge(quota, 2)
    after = await client.time()
    assert before[0] * SECOND + before[1] <= verdict.stamp <= after[0] * SECOND + after[1]
    assert not (await limiter.charge(quota)).allowed
    await asyncio.sleep(0.25)
    assert (await limiter.charge(quota)).allowed


async def test_every_key_expires_soon_after_its_window(client: Redis) -> None:
    limiter, quota = RedisRateLimiter(client), fresh_quota(60)
    await limiter.charge(quota)
    remaining = await client.pttl(KEY_PREFIX + quota.bucket)
    assert 60_000 < remaining <= 61_000


async def test_limit_of_zero_sends_no_command() -> None:
    limiter = RedisRateLimiter(redis_client("redis://127.0.0.1:1/0"))
    assert (await limiter.charge(fresh_quota(0), 1000)).allowed
    await limiter.aclose()


async def test_charge_is_one_round_trip(client: Redis) -> None:
    limiter, quota = RedisRateLimiter(client), fresh_quota(60)
    await limiter.charge(quota)
    before = await commands_received(client)
    for _ in range(50):
        await limiter.charge(quota)
    assert await commands_received(client) - before == 50 + 1  # 1 for the first INFO


async def commands_received(client: Redis) -> int:
    """Return the number of commands that the server has received, without those called by scripts."""
    statistics = await client.info("commandstats")
    inside_scripts = {f"cmdstat_{name}" for name in ("time", "lindex", "llen", "rpush", "rpop", "lpop", "pexpire")}
    return sum(values["calls"] for name, values in statistics.items() if name not in inside_scripts)


async def test_flushed_script_is_loaded_again(client: Redis) -> None:
    limiter, quota = RedisRateLimiter(client), fresh_quota(2)
    await limiter.charge(quota)
    await client.script_flush()
    assert (await limiter.charge(quota)).remaining == 0


async def charge_simultaneously(redis_url: str, charge: Callable[[RedisClient, Quota], Awaitable[bool]]) -> int:
    """Send 500 simultaneous charges from four clients to a limit of 60, and return how many are allowed."""
    quota, clients = fresh_quota(60), [redis_client(redis_url) for _ in range(4)]
    answers = await asyncio.gather(*(charge(clients[number % 4], quota) for number in range(500)))
    for client in clients:
        await client.aclose()
    return sum(answers)


async def test_simultaneous_charges_of_several_clients_share_one_limit(redis_url: str) -> None:
    async def charge(client: RedisClient, quota: Quota) -> bool:
        return (await RedisRateLimiter(client).charge(quota)).allowed

    assert await charge_simultaneously(redis_url, charge) == 60


async def test_simultaneous_charges_exceed_a_limit_that_is_checked_first(redis_url: str) -> None:
    all_have_looked = asyncio.Barrier(500)

    async def charge(client: RedisClient, quota: Quota) -> bool:
        limiter = RedisRateLimiter(client)
        seen = await limiter.usage(quota)
        await all_have_looked.wait()  # the worst order, possible only if check and count are separate
        if seen.allowed:
            await limiter.charge(replace(quota, limit=1000))
        return seen.allowed

    assert await charge_simultaneously(redis_url, charge) > 60


async def test_several_processes_share_one_limit(redis_url: str) -> None:
    bucket = fresh_quota(60).bucket
    assert sum(await asyncio.gather(*(charge_in_another_process(redis_url, bucket) for _ in range(3)))) == 60


async def test_processes_with_different_buckets_have_separate_limits(redis_url: str) -> None:
    assert (
        sum(await asyncio.gather(*(charge_in_another_process(redis_url, fresh_quota(60).bucket) for _ in range(2))))
        == 120
    )


async def charge_in_another_process(redis_url: str, bucket: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IN_ANOTHER_PROCESS, redis_url, bucket, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return int(output)


async def test_the_client_works_after_cancelled_charges(client: Redis) -> None:
    """The answer to a cancelled request must not be read by the next one on the connection."""
    limiter, dice = RedisRateLimiter(client), random.Random(1)
    for number in range(200):
        cancelled = asyncio.create_task(limiter.charge(Quota(bucket=f"cancelled:{number}", limit=7777)))
        await asyncio.sleep(dice.uniform(0, 0.0006))
        cancelled.cancel()
        with suppress(asyncio.CancelledError):
            await cancelled
        quota = fresh_quota(5)
        assert (await limiter.charge(quota, 2)).remaining == 3
    assert (await client.ping()) is True


async def test_burst_larger_than_the_pool_waits_for_connections() -> None:
    with private_redis() as server:  # on which nothing else opens connections
        async with redis_client(server.url) as client:
            limiter, quota = RedisRateLimiter(client), fresh_quota(1000)
            answers = await asyncio.gather(*(limiter.charge(quota) for _ in range(300)))
            assert all(answer.allowed for answer in answers)
            assert int((await client.info("clients"))["connected_clients"]) <= redis.MAX_CONNECTIONS


async def test_unavailable_server_is_an_error() -> None:
    limiter = RedisRateLimiter(redis_client("redis://127.0.0.1:1/0"))
    with pytest.raises(RedisError):
        await limiter.charge(fresh_quota(1))
    await limiter.aclose()
