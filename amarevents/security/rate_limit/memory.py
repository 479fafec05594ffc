"""The log of hits in the memory of one process."""

import time
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from itertools import islice
from typing import TypeAlias

from amarevents.security.rate_limit.limiter import (
    MICROSECONDS,
    WINDOW,
    Quota,
    Tally,
    Verdict,
    require_possible,
    unlimited,
    verdict_of,
)

Log: TypeAlias = "array[int]"  # a string, because Python 3.11 cannot subscript it

_SWEPT_PER_CHARGE = 4
"""Other buckets looked at by each charge. A charge adds one at most, so any number above 1 wins against a flood."""

_STARTED_AT = time.time() - time.monotonic()


def steady_time() -> float:
    """Unix seconds that never jump: what the wall clock said at import, and the time that has passed since.

    A wall clock set forward would let the hits of the last minute look old, and admit as many again.
    """
    return _STARTED_AT + time.monotonic()


class MemoryRateLimiter:
    """Exact for the one process that it lives in; nothing in it awaits, so charges never interleave.

    Memory: 8 bytes for each unit of the last window, and about 250 for each bucket that has any.
    """

    def __init__(self, *, clock: Callable[[], float] = steady_time) -> None:
        self._clock = clock
        # By window in microseconds; within one, the buckets charged longest ago stand first.
        self._logs: defaultdict[int, OrderedDict[str, Log]] = defaultdict(OrderedDict)

    def __len__(self) -> int:
        """The number of buckets in memory."""
        return sum(len(logs) for logs in self._logs.values())

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        require_possible(quota, units)
        return self._judge(quota, units, count=True)

    async def usage(self, quota: Quota) -> Verdict:
        return self._judge(quota, 1, count=False)

    async def release(self, quota: Quota, verdict: Verdict) -> None:
        self.give_back(quota, verdict.stamp)

    async def charged(self, prefix: str) -> list[str]:
        window = round(WINDOW * MICROSECONDS)
        since = round(self._clock() * MICROSECONDS) - window
        logs = self._logs[window].items()
        return [bucket for bucket, log in logs if bucket.startswith(prefix) and log and log[-1] >= since]

    def give_back(self, quota: Quota, stamp: int) -> bool:
        """Forget one unit counted at ``stamp``; False if there is none (any more)."""
        log = self._logs[quota.window_us].get(quota.bucket)
        if log is None or stamp not in log:
            return False
        log.remove(stamp)
        return True

    async def aclose(self) -> None:
        self._logs.clear()

    def _judge(self, quota: Quota, units: int, *, count: bool) -> Verdict:
        if not quota.limit:
            return unlimited(self._clock())
        now = round(self._clock() * MICROSECONDS)
        self._sweep(now)
        log = self._logs[quota.window_us].get(quota.bucket, array("q"))
        _settle(log, now, quota.window_us)
        excess = len(log) + units - quota.limit
        allowed = excess <= 0
        blocker = 0 if allowed else log[excess - 1]
        if counted := allowed and count:
            self._append(quota, log, now, units)
        newest = log[-1] if log else 0
        return verdict_of(
            quota,
            Tally(allowed=allowed, counted=counted, now=now, length=len(log), newest=newest, blocker=blocker),
        )

    def _append(self, quota: Quota, log: Log, now: int, units: int) -> None:
        log.extend([now] * units)
        logs = self._logs[quota.window_us]
        logs[quota.bucket] = log
        logs.move_to_end(quota.bucket)

    def _sweep(self, now: int) -> None:
        """Drop buckets that have emptied, whoever they belong to: most are never asked about again."""
        for window, logs in self._logs.items():
            for bucket, log in list(islice(logs.items(), _SWEPT_PER_CHARGE)):
                if log and now - window <= log[-1] <= now:
                    break
                _settle(log, now, window)
                if log:
                    logs.move_to_end(bucket)
                else:
                    del logs[bucket]


def _settle(log: Log, now: int, window: int) -> None:
    """Remove what has left the window. Stamps that a clock set back has left in the future count as of now.

    So they block for one window at most, instead of until the clock has caught up with them.
    """
    settled = bisect_right(log, now)
    log[settled:] = array("q", [now] * (len(log) - settled))
    del log[: bisect_left(log, now - window)]
