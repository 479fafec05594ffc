"""Fixtures of the rate limit tests: a Redis server that may be stopped, and a limiter that uses it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from amarevents.infra.redis import redis_client
from amarevents.security.rate_limit import RedisRateLimiter, ResilientRateLimiter
from amarevents.security.rate_limit import fallback as module
from tests.support.rate_limits import fresh_quota
from tests.support.redis_server import private_redis
from tests.support.servers import PrivateServer

WORKERS = 4


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    """Start a Redis server that the test may stop and start."""
    with private_redis() as server:
        yield server


@pytest.fixture
async def limiter(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ResilientRateLimiter]:
    """Open the limiter of one worker among four, connected to Redis."""
    monkeypatch.setattr(module, "PROBE_INTERVAL", 0.05)
    limiter = ResilientRateLimiter(RedisRateLimiter(redis_client(server.url)), workers=WORKERS)
    await limiter.charge(fresh_quota(1))
    yield limiter
    await limiter.aclose()
