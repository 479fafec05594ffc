"""Somebody who follows an event, below what subscriptions are carried by."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.resolvers.core.subscription import Subscription
from amarevents.resolvers.tickets import subscriptions
from amarevents.security.auth.credentials import read_credential
from amarevents.security.auth.principals import identify
from amarevents.security.context import Context
from amarevents.security.rate_limit.quotas import anonymous_quota
from tests.support.listening import followers
from tests.support.world import Caller

# Any: views of several types.

PROMPTLY = 1.0  # seconds, from the answer of what changes to the delivery

FOLLOWED: list[Subscription[Any]] = [subscriptions.event_stats, subscriptions.ticket_updated]
BOTH = pytest.mark.parametrize("subscription", FOLLOWED, ids=lambda one: one.name)


async def context_for(app: Starlette, caller: Caller) -> Context:
    """What the middleware would make for a request of the caller."""
    header, cookie = caller.headers.get("Authorization"), caller.headers.get("Cookie")
    credential = read_credential([header] if header else [], cookie)
    services = app.state.services
    context = Context(services=services, request_id="x", address="x", credential=credential)
    context.set_quota(None, anonymous_quota("x", services.settings))
    context.principal = await identify(credential)
    return context


class Follower:
    """Somebody who takes what a subscription tells, one by one."""

    def __init__(self, views: AsyncGenerator[Any, None]) -> None:
        self._views = views

    async def next(self, seconds: float = PROMPTLY) -> Any:
        async with asyncio.timeout(seconds):
            return await anext(self._views)

    async def is_told_nothing(self, seconds: float = 0.4) -> bool:
        """Nothing for so long; can be asked once, last."""
        try:
            await self.next(seconds)
        except TimeoutError:
            return True
        return False


@contextlib.asynccontextmanager
async def following(
    app: Starlette, subscription: Subscription[Any], caller: Caller, event_id: int
) -> AsyncIterator[Follower]:
    """Ends well, or the test fails: the broker knows nobody any more."""
    before = followers(app)
    context = await context_for(app, caller)
    views = subscription(context, {"event_id": event_id}, on_started=lambda: None)
    async with contextlib.aclosing(views):
        yield Follower(views)
    assert followers(app) == before
