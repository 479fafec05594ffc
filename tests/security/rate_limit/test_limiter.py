"""The window itself, in memory, under a clock turned by hand. (Redis judges alike: test_rate_limit_redis.)"""

import asyncio
from collections import Counter
from copy import deepcopy
from dataclasses import replace

import pytest

from amarevents.security.rate_limit import (
    MemoryRateLimiter,
    Quota,
    RateLimiter,
    ResilientRateLimiter,
    Verdict,
    rate_limiter,
)
from amarevents.security.rate_limit.memory import steady_time
from amarevents.settings import Settings
from tests.support.rate_limits import (
    MINUTE,
    SECOND,
    START,
    Admitted,
    Clock,
    admitted_by,
    adversarial_hour,
    fresh_quota,
    memory_world,
    worst_minute,
)

SEEDS = range(5)


def verdict(quota: Quota, *, allowed: bool) -> Verdict:
    return Verdict(allowed=allowed, limit=quota.limit, used=0, remaining=0, reset_at=0, retry_after=0, stamp=0)


class FixedWindow(RateLimiter):
    """A control: counts by the minutes of the clock."""

    weight = 0.0

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.counts: Counter[int] = Counter()

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        minute, microsecond = divmod(self.clock.now, MINUTE)
        earlier = self.weight * self.counts[minute - 1] * (1 - microsecond / MINUTE)
        if self.counts[minute] + earlier + units > quota.limit:
            return verdict(quota, allowed=False)
        self.counts[minute] += units
        return verdict(quota, allowed=True)


class TwoBuckets(FixedWindow):
    """A control: adds what would remain of the minute before, had its charges been spread evenly."""

    weight = 1.0


class Interleaving(MemoryRateLimiter):
    """The control for simultaneous charges: looks first, and counts after others have had their turn."""

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        seen = await self.usage(quota)
        await asyncio.sleep(0)
        if seen.allowed:
            await super().charge(replace(quota, limit=10**6), units)
        return seen


def charged_by_the_definition(quota: Quota, attempts: list[tuple[int, int]]) -> Admitted:
    """What exactness means, written down naively: an attempt is let through if the last 60 s have room for it."""
    admitted: Admitted = []
    for now, units in attempts:
        if sum(held for then, held in admitted if now - then <= MINUTE) + units <= quota.limit:
            admitted.append((now, units))
    return admitted


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_minute_of_a_hostile_hour_exceeds_the_limit(seed: int) -> None:
    quota = fresh_quota(60)
    admitted = await admitted_by(memory_world(), quota, adversarial_hour(seed, 60))
    assert worst_minute(admitted) == 60


@pytest.mark.parametrize("estimating", [FixedWindow, TwoBuckets])
async def test_hostile_hour_defeats_limiters_that_estimate(estimating: type[FixedWindow]) -> None:
    quota = fresh_quota(60)
    admitted = await admitted_by(memory_world(estimating), quota, adversarial_hour(0, 60))
    assert worst_minute(admitted) > 60


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_fits_is_admitted_and_nothing_else(seed: int) -> None:
    quota = fresh_quota(20)
    attempts = list(adversarial_hour(seed, 20))
    assert await admitted_by(memory_world(), quota, attempts) == charged_by_the_definition(quota, attempts)


@pytest.mark.parametrize("seed", SEEDS)
async def test_retry_after_is_the_first_whole_second_that_succeeds(seed: int) -> None:
    quota, clock = fresh_quota(20), Clock()
    limiter = MemoryRateLimiter(clock=clock)
    refused = 0
    for now, units in adversarial_hour(seed, 20):
        clock.now = now
        answer = await limiter.charge(quota, units)
        if answer.allowed:
            continue
        refused += 1
        assert answer.retry_after >= 1
        assert await allowed_after(limiter, clock, quota, units, seconds=answer.retry_after)
        assert not await allowed_after(limiter, clock, quota, units, seconds=answer.retry_after - 1)
    assert refused > 100


async def allowed_after(limiter: MemoryRateLimiter, clock: Clock, quota: Quota, units: int, *, seconds: int) -> bool:
    """Whether the charge would succeed if nothing else were sent for so long."""
    later_limiter, later_clock = deepcopy((limiter, clock))
    later_clock.now += seconds * SECOND
    return (await later_limiter.charge(quota, units)).allowed


async def test_verdict_counts_down_and_says_when_the_window_is_empty() -> None:
    world, quota = memory_world(), fresh_quota(2)
    first = await world.charge_at(START, quota)
    second = await world.charge_at(START + 10 * SECOND, quota)
    third = await world.charge_at(START + 20 * SECOND, quota)
    start = START // SECOND
    assert first == Verdict(allowed=True, limit=2, used=1, remaining=1, reset_at=start + 61, retry_after=0, stamp=START)
    assert second == Verdict(
        allowed=True, limit=2, used=2, remaining=0, reset_at=start + 71, retry_after=0, stamp=START + 10 * SECOND
    )
    assert third == Verdict(allowed=False, limit=2, used=2, remaining=0, reset_at=start + 71, retry_after=41, stamp=0)


async def test_hit_exactly_a_window_ago_still_counts() -> None:
    world, quota = memory_world(), fresh_quota(1)
    await world.charge_at(START, quota)
    on_the_edge = await world.charge_at(START + MINUTE, quota)
    assert not on_the_edge.allowed
    assert on_the_edge.retry_after == 1
    assert (await world.charge_at(START + MINUTE + 1, quota)).allowed


async def test_window_is_the_quotas_own() -> None:
    world, quota = memory_world(), fresh_quota(1, window=15 * 60.0)
    await world.charge_at(START, quota)
    assert (await world.charge_at(START + 14 * MINUTE, quota)).retry_after == 61
    assert (await world.charge_at(START + 15 * MINUTE + 1, quota)).allowed


async def test_units_count_together_or_not_at_all() -> None:
    world, quota = memory_world(), fresh_quota(10)
    await world.charge_at(START, quota, 7)
    refused = await world.charge_at(START, quota, 4)
    assert (refused.allowed, refused.remaining) == (False, 3)
    assert (await world.charge_at(START, quota, 3)).allowed


async def test_refused_charges_do_not_count() -> None:
    world, quota = memory_world(), fresh_quota(1)
    await world.charge_at(START, quota)
    for second in range(1, 61):
        assert not (await world.charge_at(START + second * SECOND, quota)).allowed
    assert (await world.charge_at(START + MINUTE + 1, quota)).allowed


async def test_retry_after_waits_for_as_many_as_are_needed() -> None:
    world, quota = memory_world(), fresh_quota(3)
    for second in (0, 10, 20):
        await world.charge_at(START + second * SECOND, quota)
    waits = [(await world.charge_at(START + 30 * SECOND, quota, units)).retry_after for units in (1, 2, 3)]
    assert waits == [31, 41, 51]


async def test_lowered_limit_binds_at_once_and_waits_for_the_surplus_too() -> None:
    world, quota = memory_world(), fresh_quota(5)
    for second in range(5):
        await world.charge_at(START + second * SECOND, quota)
    lowered = replace(quota, limit=2)
    refused = await world.charge_at(START + 5 * SECOND, lowered)
    assert (refused.allowed, refused.remaining, refused.retry_after) == (False, 0, 59)
    assert not (await world.charge_at(START + 63 * SECOND, lowered)).allowed
    assert (await world.charge_at(START + 64 * SECOND, lowered)).allowed


async def test_limit_of_zero_is_off() -> None:
    world, quota = memory_world(), fresh_quota(0)
    answers = [await world.charge_at(START, quota, 1000) for _ in range(3)]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0].allowed
    assert (answers[0].limit, answers[0].remaining, answers[0].reset_at) == (0, 0, START // SECOND)


@pytest.mark.parametrize("units", [-1, 0, 11])
async def test_impossible_charge_is_a_mistake_of_the_caller(units: int) -> None:
    world, quota = memory_world(), fresh_quota(10)
    with pytest.raises(ValueError, match="unit"):
        await world.charge_at(START, quota, units)
    assert (await world.limiter.usage(quota)).remaining == 10


async def test_released_unit_is_free_again() -> None:
    world, quota = memory_world(), fresh_quota(2)
    first = await world.charge_at(START, quota)
    await world.charge_at(START + 1, quota)
    await world.limiter.release(quota, first)
    assert (await world.charge_at(START + 2, quota)).allowed
    assert not (await world.charge_at(START + 3, quota)).allowed


async def test_one_of_several_units_is_released() -> None:
    world, quota = memory_world(), fresh_quota(5)
    await world.limiter.release(quota, await world.charge_at(START, quota, 5))
    assert (await world.limiter.usage(quota)).remaining == 1


async def test_release_of_what_was_not_counted_changes_nothing() -> None:
    world, quota = memory_world(), fresh_quota(1)
    gone = await world.charge_at(START, quota)
    await world.charge_at(START + MINUTE + 1, quota)
    refused = await world.charge_at(START + MINUTE + 2, quota)
    await world.limiter.release(quota, gone)
    await world.limiter.release(quota, refused)
    assert not (await world.charge_at(START + MINUTE + 3, quota)).allowed


async def test_usage_counts_nothing() -> None:
    world, quota = memory_world(), fresh_quota(1)
    unused = await world.limiter.usage(quota)
    assert (unused.allowed, unused.remaining, unused.reset_at, unused.stamp) == (True, 1, START // SECOND, 0)
    await world.charge_at(START, quota)
    full = await world.limiter.usage(quota)
    assert (full.allowed, full.remaining, full.retry_after) == (False, 0, 61)


async def test_usage_of_emptied_buckets_leaves_the_limiter_working() -> None:
    world, quotas = memory_world(), [fresh_quota(1) for _ in range(20)]
    for quota in quotas:
        await world.charge_at(START, quota)
    await world.set_time(START + 2 * MINUTE)
    assert [(await world.limiter.usage(quota)).remaining for quota in reversed(quotas)] == [1] * 20
    assert (await world.limiter.charge(quotas[-1])).allowed


@pytest.mark.parametrize("back", [1, SECOND, 30 * SECOND, 60 * MINUTE])
async def test_clock_set_back_admits_no_more_and_locks_out_for_one_window_at_most(back: int) -> None:
    world, quota = memory_world(), fresh_quota(3)
    for microsecond in range(3):
        await world.charge_at(START + microsecond, quota)
    refused = await world.charge_at(START - back, quota)
    assert not refused.allowed
    assert refused.retry_after <= 61
    assert not (await world.charge_at(START - back + MINUTE, quota)).allowed
    assert (await world.charge_at(START - back + MINUTE + 1, quota)).allowed


def test_default_clock_is_unix_time_that_does_not_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    before = steady_time()
    monkeypatch.setattr("time.time", lambda: before + 3600)
    assert 0 <= steady_time() - before < 60


async def test_buckets_are_dropped_under_a_flood_of_others() -> None:
    clock = Clock()
    limiter = MemoryRateLimiter(clock=clock)
    for number in range(20_000):
        clock.now = START + number * 100_000  # ten strangers a second
        await limiter.charge(Quota(bucket=f"address:{number}", limit=5))
    assert len(limiter) <= 601


async def test_buckets_are_dropped_after_a_flood() -> None:
    clock, quota = Clock(), fresh_quota(1000)
    limiter = MemoryRateLimiter(clock=clock)
    for number in range(400):
        await limiter.charge(Quota(bucket=f"address:{number}", limit=5, window=60.0 if number % 2 else 900.0))
    clock.now += 16 * MINUTE
    for _ in range(200):
        await limiter.charge(quota)
    assert len(limiter) == 1


async def test_clock_set_back_does_not_keep_buckets_for_ever() -> None:
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


async def simultaneous(limiter: RateLimiter, quota: Quota) -> int:
    answers = await asyncio.gather(*(limiter.charge(quota) for _ in range(500)))
    return sum(answer.allowed for answer in answers)


async def test_simultaneous_charges_share_one_limit() -> None:
    assert await simultaneous(MemoryRateLimiter(), fresh_quota(60)) == 60


async def test_simultaneous_charges_defeat_a_limiter_that_awaits_between_look_and_count() -> None:
    assert await simultaneous(Interleaving(), fresh_quota(60)) > 60


async def test_without_redis_one_process_counts_in_memory() -> None:
    limiter = rate_limiter(Settings(redis_url=None))
    assert isinstance(limiter, MemoryRateLimiter)
    await limiter.aclose()


async def test_with_redis_all_processes_count_there() -> None:
    limiter = rate_limiter(Settings(redis_url="redis://127.0.0.1:1/0"))
    assert isinstance(limiter, ResilientRateLimiter)
    await limiter.aclose()
