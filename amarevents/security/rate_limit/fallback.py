"""The rate limiter that falls back to memory while Redis is unavailable."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from redis.exceptions import RedisError

from amarevents.security.rate_limit.limiter import (
    AccountCharge,
    Quota,
    Verdict,
    Version,
    account_bucket,
    limited,
    require_possible,
)
from amarevents.security.rate_limit.memory import MemoryRateLimiter
from amarevents.security.rate_limit.redis import RedisRateLimiter, in_slot_of

PROBE_INTERVAL = 1.0
"""Seconds between two attempts to find out whether Redis is available again."""

_UNAVAILABLE = (RedisError, OSError)  # OSError includes TimeoutError

_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)


class ResilientRateLimiter:
    """Uses Redis while it is available; otherwise, counts this process's share of each limit in memory.

    After the first failure, requests no longer wait for Redis. A probe in the background, at most one every
    ``PROBE_INTERVAL`` seconds, detects its recovery. The share is the limit divided by ``workers``, rounded up. The
    logs in Redis and in memory are independent: in a minute in which Redis fails or recovers, a caller may use up both.
    """

    def __init__(self, shared: RedisRateLimiter, *, workers: int) -> None:
        self._shared = shared
        self._local = MemoryRateLimiter()
        self._workers = workers
        self._unavailable = False
        self._recoveries = 0
        self._failed_bucket = ""
        self._probed_at = 0.0
        self._probing: asyncio.Task[None] | None = None

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        [verdict] = await self.charge_all([quota], units)
        return verdict

    async def charge_all(self, quotas: Sequence[Quota], units: int = 1) -> list[Verdict]:
        for quota in quotas:
            require_possible(quota, units)
        verdicts = await self._call(lambda: self._shared.charge_all(quotas, units), quotas[0].bucket)
        return verdicts or await self._charge_shares(quotas, units)

    async def charge_account(self, account_id: int, quotas: Sequence[Quota], units: int = 1) -> AccountCharge:
        for quota in quotas:
            require_possible(quota, units)
        charge = await self._call(
            lambda: self._shared.charge_account(account_id, quotas, units), account_bucket(account_id)
        )
        if charge is None:
            return AccountCharge(await self._charge_shares(quotas, units), None)
        return AccountCharge(charge.verdicts, self._since_recovery(charge.version))

    async def version_of(self, account_id: int) -> Version:
        version = await self._call(lambda: self._shared.version_of(account_id), account_bucket(account_id))
        return self._since_recovery(version)

    async def usage(self, quota: Quota) -> Verdict:
        verdict = await self._call(lambda: self._shared.usage(quota), quota.bucket)
        return verdict or replace(await self._local.usage(self._share(quota)), limit=quota.limit)

    async def charged(self, prefix: str) -> list[str]:
        """Return the charged buckets; while Redis is unavailable, only those of this process."""
        buckets = await self._call(lambda: self._shared.charged(prefix), prefix)
        return await self._local.charged(prefix) if buckets is None else buckets

    async def release(self, quota: Quota, verdict: Verdict, units: int = 1) -> None:
        """Remove units from the log that counted them; units in Redis stay counted while it is unavailable."""
        if not self._local.remove_units(quota, verdict.stamp, units):
            await self._call(lambda: self._shared.release(quota, verdict, units), quota.bucket)

    async def clear(self, quota: Quota) -> None:
        """Forget what was charged; units in Redis stay counted while it is unavailable."""
        await self._local.clear(quota)
        await self._call(lambda: self._shared.clear(quota), quota.bucket)

    async def aclose(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
        await self._local.aclose()
        await self._shared.aclose()

    def _since_recovery(self, version: Version) -> Version:
        """Return a version that differs from those before an outage, in which changes may not have been announced."""
        return None if version is None else (version, self._recoveries)

    def _share(self, quota: Quota) -> Quota:
        return replace(quota, limit=math.ceil(quota.limit / self._workers))

    async def _charge_shares(self, quotas: Sequence[Quota], units: int) -> list[Verdict]:
        shares = [self._share(quota) for quota in quotas]
        if all(units <= share.limit for share in limited(shares)):
            verdicts = await self._local.charge_all(shares, units)
            return [replace(verdict, limit=quota.limit) for quota, verdict in zip(quotas, verdicts, strict=True)]
        # More than a share allows at once, but within the limit: refuse until Redis is available again.
        return [await self._refuse(quota) for quota in quotas]

    async def _refuse(self, quota: Quota) -> Verdict:
        usage = await self._local.usage(self._share(quota))
        return replace(usage, allowed=False, limit=quota.limit, retry_after=math.ceil(quota.window))

    async def _call(self, call: Callable[[], Awaitable[_Result]], bucket: str) -> _Result | None:
        """Return the result of a call to Redis about a bucket, or None while Redis is unavailable."""
        if self._unavailable:
            self._probe_if_due()
            return None
        recoveries = self._recoveries
        try:
            return await call()
        except _UNAVAILABLE as error:
            self._failed_bucket = bucket
            self._record_failure(error, recoveries)
            return None

    def _record_failure(self, error: Exception, recoveries: int) -> None:
        # A call that started before the last recovery says nothing about the server now.
        if self._unavailable or recoveries != self._recoveries:
            return
        self._unavailable = True
        self._probed_at = time.monotonic()
        logger.warning(
            "Redis is unavailable (%s: %s); each process enforces its share of the rate limits until Redis recovers",
            type(error).__name__,
            error,
        )

    def _probe_if_due(self) -> None:
        if self._probing is None and time.monotonic() - self._probed_at >= PROBE_INTERVAL:
            self._probing = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        try:
            await self._shared.charge(_probe(self._failed_bucket))
        except _UNAVAILABLE as error:
            logger.debug("Redis is still unavailable (%s)", type(error).__name__)
        else:
            self._unavailable = False
            self._recoveries += 1
            logger.warning("Redis is available again; rate limits are shared between processes")
        finally:
            self._probed_at = time.monotonic()
            self._probing = None


def _probe(bucket: str) -> Quota:
    """Return a quota that is charged to find out whether Redis is available: a server may only refuse writes.

    In a cluster, its bucket is on the node that has failed for the other bucket.
    """
    return Quota(bucket=in_slot_of(bucket, "probe"), limit=1000, window=1.0)
