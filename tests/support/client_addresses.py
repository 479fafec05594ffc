"""A limiter whose clock is turned by hand, and clients that come from anywhere."""

import dataclasses

import httpx
from starlette.applications import Starlette

from amarevents.security.rate_limit import MemoryRateLimiter
from tests.support.conformance import conforming_client
from tests.support.rate_limits import Clock


def stopped_clock(app: Starlette) -> Clock:
    """Put a limiter into the application whose time stands still until the clock is set."""
    clock = Clock()
    app.state.services = dataclasses.replace(app.state.services, limiter=MemoryRateLimiter(clock=clock))
    return clock


def client_from(app: Starlette, address: str) -> httpx.AsyncClient:
    """A client whose connection comes from ``address``."""
    return conforming_client(app, address)
