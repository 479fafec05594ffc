"""Limits that outlive Redis: each process goes on with its share, and returns by itself."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from redis.exceptions import RedisError

from amarevents.security.rate_limit.limiter import Quota, Verdict, require_possible
from amarevents.security.rate_limit.memory import MemoryRateLimiter
from amarevents.security.rate_limit.redis import RedisRateLimiter

RESPONSE_SECONDS = 0.5
"""Seconds that a request may lose to a server that hangs, the waiting for a connection included."""

PROBE_INTERVAL = 1.0
"""Seconds between two questions whether the server is back."""

_PROBE = Quota(bucket="probe", limit=1000, window=1.0)
"""Charged to find out whether Redis is back: a server may answer a PING and still refuse to write."""

_AWAY = (RedisError, OSError)  # the latter includes TimeoutError

_Answer = TypeVar("_Answer")

logger = logging.getLogger(__name__)


class ResilientRateLimiter:
    """Redis while it answers; otherwise this process's share of each limit, counted in memory.

    After the first failure no request waits for Redis any more: a probe in the background, at most one every
    ``PROBE_INTERVAL``, finds out when it is back. The share is the limit divided by ``workers``, rounded up. The two
    logs do not know of each other: a minute in which Redis is lost or comes back may see both used up.
    """

    def __init__(self, shared: RedisRateLimiter, *, workers: int) -> None:
        self._shared = shared
        self._own = MemoryRateLimiter()
        self._workers = workers
        self._lost = False
        self._recoveries = 0
        self._probed_at = 0.0
        self._probing = False
        self._tasks: set[asyncio.Task[Any]] = set()  # Any: their answers are of several types

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        require_possible(quota, units)
        verdict = await self._ask(lambda: self._shared.charge(quota, units))
        return verdict or await self._charge_share(quota, units)

    async def usage(self, quota: Quota) -> Verdict:
        verdict = await self._ask(lambda: self._shared.usage(quota))
        return verdict or replace(await self._own.usage(self._share(quota)), limit=quota.limit)

    async def charged(self, prefix: str) -> list[str]:
        """While Redis is away, those that this process has counted."""
        buckets = await self._ask(lambda: self._shared.charged(prefix))
        return await self._own.charged(prefix) if buckets is None else buckets

    async def release(self, quota: Quota, verdict: Verdict) -> None:
        """Give one unit back to the log that counted it; what Redis counted stays so while it is away."""
        if not self._own.give_back(quota, verdict.stamp):
            await self._ask(lambda: self._shared.release(quota, verdict))

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._own.aclose()
        await self._shared.aclose()

    def _share(self, quota: Quota) -> Quota:
        return replace(quota, limit=math.ceil(quota.limit / self._workers))

    async def _charge_share(self, quota: Quota, units: int) -> Verdict:
        share = self._share(quota)
        if units <= share.limit or not quota.limit:
            return replace(await self._own.charge(share, units), limit=quota.limit)
        # More than the share will ever hold, yet within the limit: for Redis to decide, whenever it is back.
        seen = await self._own.usage(share)
        return replace(seen, allowed=False, limit=quota.limit, retry_after=math.ceil(quota.window))

    async def _ask(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer | None:
        """The answer of Redis, or None while it is away."""
        if self._lost:
            self._probe_if_due()
            return None
        recoveries = self._recoveries
        # In a task of its own, which is left to end by itself: cancelled, by a time-out or with its request, the wait
        # for one of the client's connections may go on all the same.
        attempt = self._start(self._attempt(question, recoveries))
        done, _ = await asyncio.wait([attempt], timeout=RESPONSE_SECONDS)
        if done:
            return attempt.result()
        self._note_loss(TimeoutError(f"no answer within {RESPONSE_SECONDS} s"), recoveries)
        return None

    async def _attempt(self, question: Callable[[], Awaitable[_Answer]], recoveries: int) -> _Answer | None:
        try:
            return await question()
        except _AWAY as error:
            self._note_loss(error, recoveries)
            return None

    def _start(self, work: Coroutine[Any, Any, _Answer]) -> asyncio.Task[_Answer]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _note_loss(self, error: Exception, recoveries: int) -> None:
        # A failure from before the last recovery says nothing about the server of now.
        if self._lost or recoveries != self._recoveries:
            return
        self._lost = True
        self._probed_at = time.monotonic()
        logger.warning(
            "Redis is lost (%s: %s); each process counts its share of the rate limits until it is back",
            type(error).__name__,
            error,
        )

    def _probe_if_due(self) -> None:
        if self._probing or time.monotonic() - self._probed_at < PROBE_INTERVAL:
            return
        self._probing = True
        self._start(self._probe())

    async def _probe(self) -> None:
        try:
            await self._shared.charge(_PROBE)
        except _AWAY as error:
            logger.debug("Redis is still away (%s)", type(error).__name__)
        else:
            self._lost = False
            self._recoveries += 1
            logger.warning("Redis is back; the rate limits are shared again")
        finally:
            self._probed_at = time.monotonic()
            self._probing = False
