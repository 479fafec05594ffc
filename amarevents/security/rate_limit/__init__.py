"""Rate limits by an exact sliding window: never more than the limit in any 60 s (decisions 3.1).

Only a log of the hits is exact: counters per minute, weighted or not, and token buckets all admit more than the limit
at some moment, or refuse what would fit. One algorithm, two stores: ``memory`` for one process, ``shared``
for many.
"""

from amarevents.infra.redis import redis_client
from amarevents.security.rate_limit.fallback import ResilientRateLimiter
from amarevents.security.rate_limit.limiter import WINDOW, Quota, RateLimiter, Verdict
from amarevents.security.rate_limit.memory import MemoryRateLimiter
from amarevents.security.rate_limit.redis import RedisRateLimiter
from amarevents.settings import Settings

__all__ = [
    "WINDOW",
    "MemoryRateLimiter",
    "Quota",
    "RateLimiter",
    "RedisRateLimiter",
    "ResilientRateLimiter",
    "Verdict",
    "rate_limiter",
]


def rate_limiter(settings: Settings) -> RateLimiter:
    """The limiter that a deployment needs: in Redis if there is one, in memory otherwise."""
    if settings.redis_url is None:
        return MemoryRateLimiter()
    return ResilientRateLimiter(RedisRateLimiter(redis_client(settings.redis_url)), workers=settings.workers)
