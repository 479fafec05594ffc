"""Storage of the limiter in memory: clocks, expired buckets and simultaneous charges."""

import asyncio
from dataclasses import replace

import pytest

from amarevents.security.rate_limit import (
    MemoryRateLimiter,
    Quota,
    RateLimiter,
    Verdict,
)
from amarevents.security.rate_limit.memory import steady_time
from tests.support.rate_limits import (
    MINUTE,
    SECOND,
    START,
    Clock,
    clocked_memory_limiter,
    fresh_quota,
)


class Interleaving(MemoryRateLimiter):
    """A negative control for simultaneous charges: other tasks run between its check and its count."""

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        seen = await self.usage(quota)
        await asyncio.sleep(0)
        if seen.allowed:
            await super().charge(replace(quota, limit=10**6), units)
        return seen


async def test_usage_of_expired_buckets_keeps_the_limiter_working() -> None:
    clocked, quotas = clocked_memory_limiter(), [fresh_quota(1) for _ in range(20)]
    for quota in quotas:
        await clocked.charge_at(START, quota)
    await clocked.set_time(START + 2 * MINUTE)
    assert [(await clocked.limiter.usage(quota)).remaining for quota in reversed(quotas)] == [1] * 20
    assert (await clocked.limiter.charge(quotas[-1])).allowed


@pytest.mark.parametrize("step", [1, SECOND, 30 * SECOND, 60 * MINUTE])
async def test_clock_set_back_refuses_for_one_window_at_most(step: int) -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(3)
    for microsecond in range(3):
        await clocked.charge_at(START + microsecond, quota)
    refused = await clocked.charge_at(START - step, quota)
    assert not refused.allowed
    assert refused.retry_after <= 61
    assert not (await clocked.charge_at(START - step + MINUTE, quota)).allowed
    assert (await clocked.charge_at(START - step + MINUTE + 1, quota)).allowed


def test_default_clock_is_monotonic_unix_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = steady_time()
    monkeypatch.setattr("time.time", lambda: before + 3600)
    assert 0 <= steady_time() - before < 60


async def test_expired_buckets_are_removed_during_a_flood_of_others() -> None:
    clock = Clock()
    limiter = MemoryRateLimiter(clock=clock)
    for number in range(20_000):
        clock.now = START + number * 100_000  # ten addresses a second
        await limiter.charge(Quota(bucket=f"address:{number}", limit=5))
    assert len(limiter) <= 601


async def test_expired_buckets_are_removed_after_a_flood() -> None:
    clock, quota = Clock(), fresh_quota(1000)
    limiter = MemoryRateLimiter(clock=clock)
    for number in range(400):
        await limiter.charge(Quota(bucket=f"address:{number}", limit=5, window=60.0 if number % 2 else 900.0))
    clock.now += 16 * MINUTE
    for _ in range(200):
        await limiter.charge(quota)
    assert len(limiter) == 1


async def test_buckets_are_removed_after_the_clock_was_set_back() -> None:
    clock, quota = Clock(), fresh_quota(1000)
    limiter = MemoryRateLimiter(clock=clock)
    for number in range(100):
        await limiter.charge(Quota(bucket=f"address:{number}", limit=5))
    clock.now -= 60 * MINUTE
    for _ in range(100):
        await limiter.charge(quota)
    clock.now += MINUTE + 1
    for _ in range(100):
        await limiter.charge(quota)
    assert len(limiter) == 1


async def charge_simultaneously(limiter: RateLimiter, quota: Quota) -> int:
    answers = await asyncio.gather(*(limiter.charge(quota) for _ in range(500)))
    return sum(answer.allowed for answer in answers)


async def test_simultaneous_charges_share_one_limit() -> None:
    assert await charge_simultaneously(MemoryRateLimiter(), fresh_quota(60)) == 60


async def test_simultaneous_charges_exceed_the_limit_of_the_interleaving_limiter() -> None:
    assert await charge_simultaneously(Interleaving(), fresh_quota(60)) > 60
