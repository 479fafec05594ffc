"""Clients with chosen addresses, and a limiter with a manual clock."""

import dataclasses

import httpx
from starlette.applications import Starlette

from amarevents.security.rate_limit import MemoryRateLimiter
from tests.support.conformance import conforming_client
from tests.support.rate_limits import Clock


def use_manual_clock(app: Starlette) -> Clock:
    """Give the application a limiter whose time only changes when the clock is set, and return the clock."""
    clock = Clock()
    app.state.services = dataclasses.replace(app.state.services, limiter=MemoryRateLimiter(clock=clock))
    return clock


def client_from(app: Starlette, address: str) -> httpx.AsyncClient:
    """Return a client whose connection comes from ``address``."""
    return conforming_client(app, address)
