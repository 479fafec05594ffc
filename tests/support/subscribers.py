"""Subscriptions to an event without a transport: their views, taken one at a time."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers

from amarevents.resolvers.core.subscription import Subscription
from amarevents.resolvers.tickets import subscriptions
from amarevents.security.auth.credentials import read_credential
from amarevents.security.auth.principals import identify
from amarevents.security.context import Context
from amarevents.security.rate_limit.quotas import anonymous_quota
from tests.support.local_server import subscriber_count
from tests.support.world import Caller

# Any: views of several types.

DELIVERY_SECONDS = 1.0  # the longest time between the response to a change and its delivery

EVENT_SUBSCRIPTIONS: list[Subscription[Any]] = [subscriptions.event_stats, subscriptions.ticket_updated]
EACH_SUBSCRIPTION = pytest.mark.parametrize("subscription", EVENT_SUBSCRIPTIONS, ids=lambda one: one.name)


async def context_for(app: Starlette, caller: Caller) -> Context:
    """Return the context that the middleware would create for a request by the caller."""
    credential = read_credential(Headers(caller.headers))
    services = app.state.services
    context = Context(services=services, request_id="x", address="x", credential=credential)
    context.set_quota(None, anonymous_quota("x", services.settings))
    context.principal = await identify(credential)
    return context


class ViewStream:
    """The views that a subscription delivers, one at a time."""

    def __init__(self, views: AsyncGenerator[Any, None]) -> None:
        self._views = views

    async def next(self, seconds: float = DELIVERY_SECONDS) -> Any:
        async with asyncio.timeout(seconds):
            return await anext(self._views)

    async def stays_silent(self, seconds: float = 0.4) -> bool:
        """Return whether no view arrives within ``seconds``. Ends the stream, so call it last."""
        try:
            await self.next(seconds)
        except TimeoutError:
            return True
        return False


@contextlib.asynccontextmanager
async def open_subscription(
    app: Starlette, subscription: Subscription[Any], caller: Caller, event_id: int
) -> AsyncIterator[ViewStream]:
    """Subscribe for the length of the block, and require that the broker has forgotten the subscriber afterwards."""
    before = subscriber_count(app)
    context = await context_for(app, caller)
    views = subscription(context, {"event_id": event_id}, on_started=lambda: None)
    async with contextlib.aclosing(views):
        yield ViewStream(views)
    assert subscriber_count(app) == before
