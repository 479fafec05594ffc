"""Quotas, verdicts and the arithmetic that all stores of rate limits share (decisions 3.1, 3.2).

The log of a bucket holds one timestamp in microseconds for each unit counted. A unit leaves the window when more time
than the window's length has passed. The window includes both ends: two units exactly 60 s apart share one.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

WINDOW = 60.0
"""The default window in seconds: all limits of the contract are per minute."""

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The number of units that may be charged to a bucket within any ``window`` seconds; 0 means unlimited.

    ``bucket`` identifies the log, such as ``key:<digest>`` or ``address:203.0.113.9``. The window of a bucket never
    changes; its limit may change between charges.
    """

    bucket: str
    limit: int
    window: float = WINDOW

    @property
    def window_us(self) -> int:
        """The window in microseconds."""
        return round(self.window * MICROSECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of a charge, with the values of the rate limit headers (decisions 3.2)."""

    allowed: bool
    limit: int
    used: int
    """Units within the window; more than ``limit`` if the limit has been lowered since."""
    remaining: int
    reset_at: int
    """The Unix time, in whole seconds rounded up, at which the window is empty if no more units are charged."""
    retry_after: int
    """Whole seconds, at least 1, after which the quota allows the same charge; 0 if it allows it now."""
    stamp: int
    """The timestamp of the units in the log, in microseconds; 0 if none were counted."""


Version: TypeAlias = Hashable
"""The version of an account (``auth.account_versions``); None while it is being changed or cannot be found out."""


def account_bucket(account_id: int) -> str:
    """Return the bucket of all keys of an account.

    All buckets of an account contain its ID in braces: a Redis cluster then stores them in one slot, together with the
    version of the account, so that one script reaches all of them.
    """
    return f"account:{{{account_id}}}"


class AccountCharge(NamedTuple):
    """The outcome of a charge to quotas of an account, and the version of the account at that moment."""

    verdicts: list[Verdict]
    version: Version


class RateLimiter(Protocol):
    """Counts units against quotas. Raises ValueError for less than one unit, or more than the limit can ever allow."""

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        """Count all of the units or, if they exceed the limit, none."""
        ...

    async def charge_all(self, quotas: Sequence[Quota], units: int = 1) -> list[Verdict]:
        """Count the units against every quota or, if they exceed one of the limits, against none.

        Each verdict says what its own quota allows; the units were counted if all of them allow it.
        """
        ...

    async def charge_account(self, account_id: int, /, quotas: Sequence[Quota], units: int = 1) -> AccountCharge:
        """Do what ``charge_all`` does, and answer the version of the account in the same round trip."""
        ...

    async def version_of(self, account_id: int, /) -> Version:
        """Return the version of an account without charging anything."""
        ...

    async def release(self, quota: Quota, verdict: Verdict, units: int = 1) -> None:
        """Remove some of the units counted by the charge of ``verdict``, for example after a successful login."""
        ...

    async def clear(self, quota: Quota) -> None:
        """Forget everything that was charged to a bucket."""
        ...

    async def usage(self, quota: Quota) -> Verdict:
        """Return what ``charge(quota)`` would return, without counting anything."""
        ...

    async def charged(self, prefix: str) -> list[str]:
        """Return the buckets with this prefix that were charged within the last ``WINDOW`` seconds, in any order."""
        ...

    async def aclose(self) -> None:
        """Release all resources."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The state of a log after a charge, in microseconds of the store's clock.

    A charge that its quota allows is not counted if another quota of the same charge refuses it.
    """

    allowed: bool
    counted: bool
    now: int
    length: int
    newest: int
    """The newest timestamp; undefined if the log is empty."""
    blocker: int
    """The timestamp of the last unit that must leave the window before the charge fits; undefined if it was allowed."""


def require_possible(quota: Quota, units: int) -> None:
    """Raise ValueError for a charge that can never succeed."""
    if units < 1:
        raise ValueError(f"A charge must be at least one unit, not {units}")
    if 0 < quota.limit < units:
        raise ValueError(f"A charge of {units} units exceeds the limit of {quota.limit}")


def verdict_of(quota: Quota, tally: Tally) -> Verdict:
    """Return the verdict on a charge after which the log is in this state."""
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


def limited(quotas: Sequence[Quota]) -> list[Quota]:
    """Return the quotas that have a limit."""
    return [quota for quota in quotas if quota.limit]


def unlimited(now: float) -> Verdict:
    """Return the verdict for a quota without a limit at ``now``, a Unix time in seconds."""
    now_us = round(now * MICROSECONDS)
    return Verdict(allowed=True, limit=0, used=0, remaining=0, reset_at=_whole_seconds(now_us), retry_after=0, stamp=0)


def _whole_seconds(microseconds: int) -> int:
    """Round up, because a client that waits this long must succeed."""
    return -(-microseconds // MICROSECONDS)
