"""What a rate limit is: quotas, verdicts, and the arithmetic that every store shares (decisions 3.1, 3.2).

The log of a bucket holds one microsecond stamp for each unit counted. A unit stops counting once more than the window
has passed since its stamp: the window is closed, so two units exactly 60 s apart share one.
"""

from dataclasses import dataclass
from typing import Protocol

WINDOW = 60.0
"""Seconds; the contract's limits are all per minute."""

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many units a bucket may be charged within any ``window`` seconds; a ``limit`` of 0 is off.

    ``bucket`` names what is counted, such as ``key:<digest>`` or ``address:203.0.113.9``. A bucket is always charged
    with the same window; its limit may change between charges.
    """

    bucket: str
    limit: int
    window: float = WINDOW

    @property
    def window_us(self) -> int:
        return round(self.window * MICROSECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a charge was counted, and what the response headers say about it (decisions 3.2)."""

    allowed: bool
    limit: int
    used: int
    """Units within the window; more than ``limit`` if that has been lowered meanwhile."""
    remaining: int
    reset_at: int
    """Unix seconds, rounded up, at which the window is empty if nothing more is sent; now if it is empty."""
    retry_after: int
    """Whole seconds, at least 1, after which the very same charge is allowed; 0 if it is allowed now."""
    stamp: int
    """The microsecond under which the units were counted; 0 if none were."""


class RateLimiter(Protocol):
    """Counts units against quotas. ``ValueError`` for less than one unit, or more than the limit could ever hold."""

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        """Count all of ``units`` or, where they do not fit, none."""
        ...

    async def release(self, quota: Quota, verdict: Verdict) -> None:
        """Give back one of the units that ``verdict`` counted, such as that of a login that turned out right."""
        ...

    async def usage(self, quota: Quota) -> Verdict:
        """What ``charge(quota)`` would answer, but counting nothing."""
        ...

    async def charged(self, prefix: str) -> list[str]:
        """The buckets whose names begin with ``prefix`` and that have been charged within ``WINDOW``, in any order."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a store saw and did, in microseconds of its clock; ``length`` and ``newest`` are the log's after it."""

    allowed: bool
    counted: bool
    now: int
    length: int
    newest: int
    """Means nothing if the log is empty."""
    blocker: int
    """The stamp of the last unit that has to leave before the charge fits; means nothing if it was allowed."""


def require_possible(quota: Quota, units: int) -> None:
    """Raise ValueError for a charge that no amount of waiting makes possible."""
    if units < 1:
        raise ValueError(f"A charge is of at least one unit, not {units}")
    if 0 < quota.limit < units:
        raise ValueError(f"{units} units never fit into a limit of {quota.limit}")


def verdict_of(quota: Quota, tally: Tally) -> Verdict:
    """The verdict that follows from a store's tally."""
    empty_at = tally.newest + quota.window_us + 1 if tally.length else tally.now
    wait = 0 if tally.allowed else tally.blocker + quota.window_us + 1 - tally.now
    return Verdict(
        allowed=tally.allowed,
        limit=quota.limit,
        used=tally.length,
        remaining=max(quota.limit - tally.length, 0),
        reset_at=_whole_seconds(empty_at),
        retry_after=_whole_seconds(wait),
        stamp=tally.now if tally.counted else 0,
    )


def unlimited(now: float) -> Verdict:
    """The verdict for a quota that is off, at ``now`` in Unix seconds."""
    now_us = round(now * MICROSECONDS)
    return Verdict(allowed=True, limit=0, used=0, remaining=0, reset_at=_whole_seconds(now_us), retry_after=0, stamp=0)


def _whole_seconds(microseconds: int) -> int:
    """Rounded up: a second too early would be a promise broken."""
    return -(-microseconds // MICROSECONDS)
