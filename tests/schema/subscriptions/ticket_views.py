"""Raw views of ticketUpdated, pending tickets to change, and a counter of calls."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.models.enums import TicketStatus
from amarevents.resolvers.tickets import subscriptions
from tests.schema.subscriptions.conftest import Scene
from tests.support.subscribers import context_for
from tests.support.world import Caller, World

# Any: JSON, and views of several types.


@contextlib.asynccontextmanager
async def ticket_views(app: Starlette, caller: Caller, event_id: int) -> AsyncIterator[AsyncGenerator[Any, None]]:
    """Subscribe to tickets; the subscription starts when the test takes the first view."""
    views = subscriptions.ticket_updated(
        await context_for(app, caller), {"event_id": event_id}, on_started=lambda: None
    )
    async with contextlib.aclosing(views):
        yield views


async def create_pending_tickets(scene: Scene, world: World, number: int) -> list[int]:
    """Create pending tickets of the event, and return their IDs."""
    tickets = [
        await world.ticket(scene.event, scene.owner, ticket_type=scene.ticket_type, status=TicketStatus.PENDING)
        for _ in range(number)
    ]
    return [ticket.id for ticket in tickets]


class CallCounter:
    """A counter of the calls of an asynchronous function, which is still executed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self.calls = 0
        function: Callable[..., Awaitable[Any]] = getattr(owner, name)

        async def count(*arguments: Any) -> Any:
            self.calls += 1
            return await function(*arguments)

        monkeypatch.setattr(owner, name, count)
