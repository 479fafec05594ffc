"""The sliding window in memory, under a manual clock. ``test_redis`` compares the limiter in Redis with it."""

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
from amarevents.settings import Settings
from tests.support.rate_limits import (
    MINUTE,
    SECOND,
    START,
    Admitted,
    Clock,
    admitted_attempts,
    adversarial_attempts,
    clocked_memory_limiter,
    fresh_quota,
    worst_minute,
)

SEEDS = range(5)


def verdict(quota: Quota, *, allowed: bool) -> Verdict:
    return Verdict(allowed=allowed, limit=quota.limit, used=0, remaining=0, reset_at=0, retry_after=0, stamp=0)


class FixedWindow(RateLimiter):
    """A negative control: counts in the calendar minutes of the clock."""

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
    """A negative control: adds a share of the minute before, as if its charges had been spread evenly."""

    weight = 1.0


def admitted_by_definition(quota: Quota, attempts: list[tuple[int, int]]) -> Admitted:
    """Return the charges that a naive implementation admits: those for which the last 60 seconds have room."""
    admitted: Admitted = []
    for now, units in attempts:
        if sum(held for then, held in admitted if now - then <= MINUTE) + units <= quota.limit:
            admitted.append((now, units))
    return admitted


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_minute_of_adversarial_charges_exceeds_the_limit(seed: int) -> None:
    quota = fresh_quota(60)
    admitted = await admitted_attempts(clocked_memory_limiter(), quota, adversarial_attempts(seed, 60))
    assert worst_minute(admitted) == 60


@pytest.mark.parametrize("estimating", [FixedWindow, TwoBuckets])
async def test_adversarial_charges_exceed_the_limit_of_estimating_limiters(estimating: type[FixedWindow]) -> None:
    quota = fresh_quota(60)
    admitted = await admitted_attempts(clocked_memory_limiter(estimating), quota, adversarial_attempts(0, 60))
    assert worst_minute(admitted) > 60


@pytest.mark.parametrize("seed", SEEDS)
async def test_charges_are_admitted_exactly_when_they_fit(seed: int) -> None:
    quota = fresh_quota(20)
    attempts = list(adversarial_attempts(seed, 20))
    assert await admitted_attempts(clocked_memory_limiter(), quota, attempts) == admitted_by_definition(quota, attempts)


@pytest.mark.parametrize("seed", SEEDS)
async def test_retry_after_is_the_first_second_that_succeeds(seed: int) -> None:
    quota, clock = fresh_quota(20), Clock()
    limiter = MemoryRateLimiter(clock=clock)
    refused = 0
    for now, units in adversarial_attempts(seed, 20):
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
    """Return whether the charge would succeed after ``seconds`` without other charges."""
    later_limiter, later_clock = deepcopy((limiter, clock))
    later_clock.now += seconds * SECOND
    return (await later_limiter.charge(quota, units)).allowed


async def test_verdict_has_the_remaining_units_and_the_reset_time() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(2)
    first = await clocked.charge_at(START, quota)
    second = await clocked.charge_at(START + 10 * SECOND, quota)
    third = await clocked.charge_at(START + 20 * SECOND, quota)
    start = START // SECOND
    assert first == Verdict(allowed=True, limit=2, used=1, remaining=1, reset_at=start + 61, retry_after=0, stamp=START)
    assert second == Verdict(
        allowed=True, limit=2, used=2, remaining=0, reset_at=start + 71, retry_after=0, stamp=START + 10 * SECOND
    )
    assert third == Verdict(allowed=False, limit=2, used=2, remaining=0, reset_at=start + 71, retry_after=41, stamp=0)


async def test_charge_exactly_one_window_ago_still_counts() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(1)
    await clocked.charge_at(START, quota)
    at_the_end = await clocked.charge_at(START + MINUTE, quota)
    assert not at_the_end.allowed
    assert at_the_end.retry_after == 1
    assert (await clocked.charge_at(START + MINUTE + 1, quota)).allowed


async def test_quota_sets_the_window() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(1, window=15 * 60.0)
    await clocked.charge_at(START, quota)
    assert (await clocked.charge_at(START + 14 * MINUTE, quota)).retry_after == 61
    assert (await clocked.charge_at(START + 15 * MINUTE + 1, quota)).allowed


async def test_units_are_charged_all_or_nothing() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(10)
    await clocked.charge_at(START, quota, 7)
    refused = await clocked.charge_at(START, quota, 4)
    assert (refused.allowed, refused.remaining) == (False, 3)
    assert (await clocked.charge_at(START, quota, 3)).allowed


async def test_refused_charges_do_not_count() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(1)
    await clocked.charge_at(START, quota)
    for second in range(1, 61):
        assert not (await clocked.charge_at(START + second * SECOND, quota)).allowed
    assert (await clocked.charge_at(START + MINUTE + 1, quota)).allowed


async def test_retry_after_depends_on_the_units() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(3)
    for second in (0, 10, 20):
        await clocked.charge_at(START + second * SECOND, quota)
    waits = [(await clocked.charge_at(START + 30 * SECOND, quota, units)).retry_after for units in (1, 2, 3)]
    assert waits == [31, 41, 51]


async def test_lowered_limit_applies_to_earlier_charges() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(5)
    for second in range(5):
        await clocked.charge_at(START + second * SECOND, quota)
    lowered = replace(quota, limit=2)
    refused = await clocked.charge_at(START + 5 * SECOND, lowered)
    assert (refused.allowed, refused.remaining, refused.retry_after) == (False, 0, 59)
    assert not (await clocked.charge_at(START + 63 * SECOND, lowered)).allowed
    assert (await clocked.charge_at(START + 64 * SECOND, lowered)).allowed


async def test_limit_of_zero_is_disabled() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(0)
    answers = [await clocked.charge_at(START, quota, 1000) for _ in range(3)]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0].allowed
    assert (answers[0].limit, answers[0].remaining, answers[0].reset_at) == (0, 0, START // SECOND)


@pytest.mark.parametrize("units", [-1, 0, 11])
async def test_impossible_number_of_units_is_an_error(units: int) -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(10)
    with pytest.raises(ValueError, match="unit"):
        await clocked.charge_at(START, quota, units)
    assert (await clocked.limiter.usage(quota)).remaining == 10


async def test_released_unit_can_be_charged_again() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(2)
    first = await clocked.charge_at(START, quota)
    await clocked.charge_at(START + 1, quota)
    await clocked.limiter.release(quota, first)
    assert (await clocked.charge_at(START + 2, quota)).allowed
    assert not (await clocked.charge_at(START + 3, quota)).allowed


async def test_one_of_several_units_is_released() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(5)
    await clocked.limiter.release(quota, await clocked.charge_at(START, quota, 5))
    assert (await clocked.limiter.usage(quota)).remaining == 1


async def test_release_of_a_charge_that_does_not_count_changes_nothing() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(1)
    gone = await clocked.charge_at(START, quota)
    await clocked.charge_at(START + MINUTE + 1, quota)
    refused = await clocked.charge_at(START + MINUTE + 2, quota)
    await clocked.limiter.release(quota, gone)
    await clocked.limiter.release(quota, refused)
    assert not (await clocked.charge_at(START + MINUTE + 3, quota)).allowed


async def test_usage_does_not_charge() -> None:
    clocked, quota = clocked_memory_limiter(), fresh_quota(1)
    unused = await clocked.limiter.usage(quota)
    assert (unused.allowed, unused.remaining, unused.reset_at, unused.stamp) == (True, 1, START // SECOND, 0)
    await clocked.charge_at(START, quota)
    full = await clocked.limiter.usage(quota)
    assert (full.allowed, full.remaining, full.retry_after) == (False, 0, 61)


async def test_without_redis_url_the_limiter_counts_in_memory() -> None:
    limiter = rate_limiter(Settings(redis_url=None))
    assert isinstance(limiter, MemoryRateLimiter)
    await limiter.aclose()


async def test_with_redis_url_the_limiter_counts_in_redis() -> None:
    limiter = rate_limiter(Settings(redis_url="redis://127.0.0.1:1/0"))
    assert isinstance(limiter, ResilientRateLimiter)
    await limiter.aclose()
