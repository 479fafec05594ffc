"""A manual clock, an hour of adversarial charges, and the property that a rate limiter must have."""

import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis

from amarevents.security.rate_limit import MemoryRateLimiter, Quota, RateLimiter, RedisRateLimiter, Verdict

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_795_392_000 * SECOND
"""The first microsecond of the simulations: a whole minute, so that fixed windows start at multiples of 60 s."""

Admitted = list[tuple[int, int]]
"""The admitted charges: microsecond and units."""


def fresh_quota(limit: int, window: float = 60.0) -> Quota:
    """Return a quota with an unused bucket."""
    return Quota(bucket=f"test:{uuid4().hex}", limit=limit, window=window)


@dataclass
class Clock:
    """A manual clock, set in microseconds; a call returns seconds."""

    now: int = START

    def __call__(self) -> float:
        return self.now / SECOND


@dataclass(frozen=True, kw_only=True)
class ClockedLimiter:
    """A limiter with a manual clock, set in microseconds."""

    limiter: RateLimiter
    set_time: Callable[[int], Awaitable[None]]

    async def charge_at(self, now: int, quota: Quota, units: int = 1) -> Verdict:
        await self.set_time(now)
        return await self.limiter.charge(quota, units)


def clocked_memory_limiter(
    make: Callable[[Clock], RateLimiter] = lambda clock: MemoryRateLimiter(clock=clock),
) -> ClockedLimiter:
    clock = Clock()

    async def set_time(now: int) -> None:
        clock.now = now

    return ClockedLimiter(limiter=make(clock), set_time=set_time)


def clocked_redis_limiter(client: Redis) -> ClockedLimiter:
    """Return a limiter with the production script, whose clock is a Redis key."""
    key = f"test:clock:{uuid4().hex}"

    async def set_time(now: int) -> None:
        await client.set(key, now)

    clock = f"local now = tonumber(redis.call('GET', '{key}'))\n"
    return ClockedLimiter(limiter=RedisRateLimiter(client, clock=clock), set_time=set_time)


def adversarial_attempts(seed: int, limit: int) -> Iterator[tuple[int, int]]:
    """Return an hour of attempts (microsecond and units, in order) that exceed the limit of estimating limiters."""
    dice = random.Random(seed)
    attempts: list[tuple[int, int]] = []
    for minute in range(60):
        edge = START + minute * MINUTE
        attempts += _minute_of_attempts(dice, minute % 6, edge, limit)
    return iter(sorted(attempts))


def _minute_of_attempts(dice: random.Random, kind: int, edge: int, limit: int) -> list[tuple[int, int]]:
    if kind == 0:  # the whole limit just before a minute ends, and again just after
        return [(edge + MINUTE - 1 - i, 1) for i in range(limit)] + [(edge + MINUTE + i, 1) for i in range(limit)]
    if kind == 1:  # repeated a window later, one microsecond earlier, and one later
        firsts = [edge + dice.randrange(MINUTE) for _ in range(limit // 2)]
        return [(first + gap, 1) for first in firsts for gap in (0, MINUTE - 1, MINUTE, MINUTE + 1)]
    if kind == 2:  # at the allowed rate, then at twice the rate
        return [(edge + i * MINUTE // limit, 1) for i in range(limit)] + [
            (edge + MINUTE // 2 + i * MINUTE // limit // 2, 1) for i in range(limit)
        ]
    if kind == 3:  # many units in one charge
        return [(edge + dice.randrange(MINUTE), dice.randint(1, limit)) for _ in range(limit)]
    if kind == 4:  # bursts at random times
        return [(edge + burst + i, 1) for burst in dice.sample(range(MINUTE), 4) for i in range(limit // 2)]
    return [(edge + dice.randrange(MINUTE), dice.choice((1, 1, 1, 2, 5))) for _ in range(2 * limit)]


async def admitted_attempts(clocked: ClockedLimiter, quota: Quota, attempts: Iterable[tuple[int, int]]) -> Admitted:
    return [(now, units) for now, units in attempts if (await clocked.charge_at(now, quota, units)).allowed]


def worst_minute(admitted: Admitted) -> int:
    """Return the most units within any 60 seconds, including both ends."""
    worst = units_in_window = first = 0
    for now, units in admitted:
        units_in_window += units
        while admitted[first][0] < now - MINUTE:
            units_in_window -= admitted[first][1]
            first += 1
        worst = max(worst, units_in_window)
    return worst
