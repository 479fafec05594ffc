"""A clock to turn by hand, an hour of callers who know the limit's edges, and the property that it has to keep."""

import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis

from amarevents.security.rate_limit import MemoryRateLimiter, Quota, RateLimiter, RedisRateLimiter, Verdict

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_795_392_000 * SECOND
"""The simulations' first microsecond: a whole minute, so that the edges of fixed windows lie on multiples of 60 s."""

Admitted = list[tuple[int, int]]
"""What was let through: microsecond and units."""


def fresh_quota(limit: int, window: float = 60.0) -> Quota:
    """A quota with a bucket that nothing has been charged to."""
    return Quota(bucket=f"test:{uuid4().hex}", limit=limit, window=window)


@dataclass
class Clock:
    """Says what it was set to, in microseconds; a call gives seconds."""

    now: int = START

    def __call__(self) -> float:
        return self.now / SECOND


@dataclass(frozen=True, kw_only=True)
class World:
    """A limiter whose time stands still unless it is set, in microseconds."""

    limiter: RateLimiter
    set_time: Callable[[int], Awaitable[None]]

    async def charge_at(self, now: int, quota: Quota, units: int = 1) -> Verdict:
        await self.set_time(now)
        return await self.limiter.charge(quota, units)


def memory_world(make: Callable[[Clock], RateLimiter] = lambda clock: MemoryRateLimiter(clock=clock)) -> World:
    clock = Clock()

    async def set_time(now: int) -> None:
        clock.now = now

    return World(limiter=make(clock), set_time=set_time)


def redis_world(client: Redis) -> World:
    """The production script under a clock that is a key."""
    key = f"test:clock:{uuid4().hex}"

    async def set_time(now: int) -> None:
        await client.set(key, now)

    clock = f"local now = tonumber(redis.call('GET', '{key}'))\n"
    return World(limiter=RedisRateLimiter(client, clock=clock), set_time=set_time)


def adversarial_hour(seed: int, limit: int) -> Iterator[tuple[int, int]]:
    """Attempts, as microsecond and units, in order: what is likeliest to slip through a limiter that only estimates."""
    dice = random.Random(seed)
    attempts: list[tuple[int, int]] = []
    for minute in range(60):
        edge = START + minute * MINUTE
        attempts += _minute_of_attempts(dice, minute % 6, edge, limit)
    return iter(sorted(attempts))


def _minute_of_attempts(dice: random.Random, kind: int, edge: int, limit: int) -> list[tuple[int, int]]:
    if kind == 0:  # all that is allowed just before the edge, and again just after it
        return [(edge + MINUTE - 1 - i, 1) for i in range(limit)] + [(edge + MINUTE + i, 1) for i in range(limit)]
    if kind == 1:  # hits that come again exactly a window later, a microsecond sooner or a microsecond after
        firsts = [edge + dice.randrange(MINUTE) for _ in range(limit // 2)]
        return [(first + gap, 1) for first in firsts for gap in (0, MINUTE - 1, MINUTE, MINUTE + 1)]
    if kind == 2:  # at the permitted pace, and then twice it
        return [(edge + i * MINUTE // limit, 1) for i in range(limit)] + [
            (edge + MINUTE // 2 + i * MINUTE // limit // 2, 1) for i in range(limit)
        ]
    if kind == 3:  # many units at once
        return [(edge + dice.randrange(MINUTE), dice.randint(1, limit)) for _ in range(limit)]
    if kind == 4:  # bursts at any moment
        return [(edge + burst + i, 1) for burst in dice.sample(range(MINUTE), 4) for i in range(limit // 2)]
    return [(edge + dice.randrange(MINUTE), dice.choice((1, 1, 1, 2, 5))) for _ in range(2 * limit)]


async def admitted_by(world: World, quota: Quota, attempts: Iterable[tuple[int, int]]) -> Admitted:
    return [(now, units) for now, units in attempts if (await world.charge_at(now, quota, units)).allowed]


def worst_minute(admitted: Admitted) -> int:
    """The most units within any 60 s, both ends included."""
    worst = held = first = 0
    for now, units in admitted:
        held += units
        while admitted[first][0] < now - MINUTE:
            held -= admitted[first][1]
            first += 1
        worst = max(worst, held)
    return worst
