"""Redis failures for the tests of rate limits: an unresponsive server, the warnings logged, and the recovery."""

import asyncio
import logging
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from amarevents.security.rate_limit import Quota, ResilientRateLimiter, Verdict
from tests.support.rate_limits import fresh_quota
from tests.support.servers import PrivateServer

UNAVAILABLE, AVAILABLE = "Redis is unavailable", "Redis is available again"


@contextmanager
def unresponsive(server: PrivateServer) -> Iterator[None]:
    """Stop the server from answering while its connections stay open."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the first clauses of the warnings logged, in order."""
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [re.split(r" \(|;", line)[0] for line in lines]


async def wait_until_available(limiter: ResilientRateLimiter, caplog: pytest.LogCaptureFixture) -> None:
    """Charge until the limiter uses Redis again."""
    async with asyncio.timeout(5):
        while AVAILABLE not in warnings_in(caplog):
            await limiter.charge(fresh_quota(1))
            await asyncio.sleep(0.01)


async def charge_repeatedly(limiter: ResilientRateLimiter, quota: Quota, number: int) -> list[Verdict]:
    return [await limiter.charge(quota) for _ in range(number)]


def count_allowed(verdicts: list[Verdict]) -> int:
    return sum(verdict.allowed for verdict in verdicts)
