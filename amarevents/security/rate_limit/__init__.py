"""Rate limits with an exact sliding window: never more than the limit in any 60 seconds (decisions 3.1).

Only a log of all hits is exact. Counters per minute, weighted or not, and token buckets either admit more than the
limit at some moment or refuse requests within it. The log is stored in memory for a single process, and in Redis for
several.
"""

from amarevents.infra.redis import redis_client
from amarevents.security.rate_limit.fallback import ResilientRateLimiter
from amarevents.security.rate_limit.limiter import WINDOW, AccountCharge, Quota, RateLimiter, Verdict, Version, limited
from amarevents.security.rate_limit.memory import MemoryRateLimiter
from amarevents.security.rate_limit.redis import RedisRateLimiter
from amarevents.settings import Settings

__all__ = [
    "WINDOW",
    "AccountCharge",
    "MemoryRateLimiter",
    "Quota",
    "RateLimiter",
    "RedisRateLimiter",
    "ResilientRateLimiter",
    "Verdict",
    "Version",
    "limited",
    "rate_limiter",
]


def rate_limiter(settings: Settings) -> RateLimiter:
    """Return the limiter for the settings: in Redis if its URL is set, in memory otherwise."""
    if settings.redis_url is None:
        return MemoryRateLimiter()
    return ResilientRateLimiter(RedisRateLimiter(redis_client(settings.redis_url)), workers=settings.workers)
