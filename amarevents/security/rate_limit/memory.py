"""The rate limiter of a single process, with its logs in memory."""

import time
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeAlias

from amarevents.security.rate_limit.limiter import (
    MICROSECONDS,
    WINDOW,
    AccountCharge,
    Quota,
    Tally,
    Verdict,
    Version,
    limited,
    require_possible,
    unlimited,
    verdict_of,
)

Log: TypeAlias = "array[int]"  # a string, because Python 3.11 cannot subscript it

_SWEEPS_PER_CHARGE = 4
"""Other buckets cleaned up by each charge. A charge adds at most one, so the number of buckets stays bounded."""

_ONLY_VERSION: Version = "memory"
"""The version of every account: the one process knows of all changes itself (``auth.principal_memory``)."""

_STARTED_AT = time.time() - time.monotonic()


def steady_time() -> float:
    """Return a Unix time that never jumps: the wall clock at import plus the time elapsed since.

    If the wall clock were set forward, the hits of the last minute would expire early and the limit be exceeded.
    """
    return _STARTED_AT + time.monotonic()


class MemoryRateLimiter:
    """Exact within one process. No charge awaits anything, so charges never interleave.

    Memory use is 8 bytes for each unit of the last window, and about 250 bytes for each bucket that has any.
    """

    def __init__(self, *, clock: Callable[[], float] = steady_time) -> None:
        self._clock = clock
        # By window in microseconds. Within a window, buckets are ordered by their latest charge, oldest first.
        self._logs: defaultdict[int, OrderedDict[str, Log]] = defaultdict(OrderedDict)

    def __len__(self) -> int:
        """Return the number of buckets in memory."""
        return sum(len(logs) for logs in self._logs.values())

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        [verdict] = await self.charge_all([quota], units)
        return verdict

    async def charge_all(self, quotas: Sequence[Quota], units: int = 1) -> list[Verdict]:
        for quota in quotas:
            require_possible(quota, units)
        now = round(self._clock() * MICROSECONDS)
        self._sweep(now)
        fits = all(self._excess(quota, units, now) <= 0 for quota in limited(quotas))
        return [self._evaluate(quota, units, now, count=fits) for quota in quotas]

    async def usage(self, quota: Quota) -> Verdict:
        return self._evaluate(quota, 1, round(self._clock() * MICROSECONDS), count=False)

    async def charge_account(self, _account_id: int, quotas: Sequence[Quota], units: int = 1) -> AccountCharge:
        return AccountCharge(await self.charge_all(quotas, units), _ONLY_VERSION)

    async def version_of(self, _account_id: int) -> Version:
        return _ONLY_VERSION

    async def release(self, quota: Quota, verdict: Verdict, units: int = 1) -> None:
        self.remove_units(quota, verdict.stamp, units)

    async def clear(self, quota: Quota) -> None:
        self._logs[quota.window_us].pop(quota.bucket, None)

    async def charged(self, prefix: str) -> list[str]:
        window = round(WINDOW * MICROSECONDS)
        since = round(self._clock() * MICROSECONDS) - window
        logs = self._logs[window].items()
        return [bucket for bucket, log in logs if bucket.startswith(prefix) and log and log[-1] >= since]

    def remove_units(self, quota: Quota, stamp: int, units: int) -> bool:
        """Remove units counted at ``stamp``; return False if the log has none."""
        log = self._logs[quota.window_us].get(quota.bucket)
        if log is None or stamp not in log:
            return False
        for _ in range(min(units, log.count(stamp))):
            log.remove(stamp)
        return True

    async def aclose(self) -> None:
        self._logs.clear()

    def _log(self, quota: Quota, now: int) -> Log:
        """Return the units of the window; a new log is not stored before it is charged."""
        log = self._logs[quota.window_us].get(quota.bucket, array("q"))
        _prune(log, now, quota.window_us)
        return log

    def _excess(self, quota: Quota, units: int, now: int) -> int:
        return len(self._log(quota, now)) + units - quota.limit

    def _evaluate(self, quota: Quota, units: int, now: int, *, count: bool) -> Verdict:
        if not quota.limit:
            return unlimited(now / MICROSECONDS)
        log, excess = self._log(quota, now), self._excess(quota, units, now)
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
        """Delete a few buckets that have become empty, because most are never charged again."""
        for window, logs in self._logs.items():
            for bucket, log in list(islice(logs.items(), _SWEEPS_PER_CHARGE)):
                if log and now - window <= log[-1] <= now:
                    break
                _prune(log, now, window)
                if log:
                    logs.move_to_end(bucket)
                else:
                    del logs[bucket]


def _prune(log: Log, now: int, window: int) -> None:
    """Remove the units that have left the window, and move timestamps from the future to now.

    A clock that was set back leaves timestamps in the future. Moved to now, they expire after one window at most.
    """
    settled = bisect_right(log, now)
    log[settled:] = array("q", [now] * (len(log) - settled))
    del log[: bisect_left(log, now - window)]
