"""An event with its organizer and subscribers, and the application on a socket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.models import ApiKey, Event, TicketType, User
from amarevents.models.enums import KeyType
from amarevents.resolvers.core import subscription
from amarevents.resolvers.tickets import subscriptions
from tests.support.local_server import has_nothing_open, serve_in_process, wait_for_subscribers, wait_until_nothing_open
from tests.support.rest_answers import data_of
from tests.support.subscribers import ViewStream, open_subscription
from tests.support.world import Caller, World

# Any: views of several types.


@dataclass
class Scene:
    """An event with one free ticket type; ``organizer`` owns it, ``buyer`` registers for it."""

    event: Event
    ticket_type: TicketType
    owner: User
    organizer: Caller
    buyer: Caller

    @property
    def key(self) -> ApiKey:
        assert self.organizer.key is not None
        return self.organizer.key

    async def register(self) -> int:
        """Register the buyer, and return the ID of the new ticket."""
        body = {"event_id": self.event.id, "ticket_type_id": self.ticket_type.id}
        return int(data_of(await self.buyer.post("/tickets", body), 201)["id"])


@pytest.fixture
async def scene(world: World) -> Scene:
    owner = await world.organizer(username="owner")
    event = await world.event(owner)
    ticket_type = await world.ticket_type(event)
    return Scene(
        event, ticket_type, owner, await world.key(owner, KeyType.ORGANIZER), await world.user_key(username="buyer")
    )


@pytest.fixture
async def address(app: Starlette) -> AsyncIterator[str]:
    """Serve the application, yield ``host:port``, and require that the test leaves nothing open."""
    async with serve_in_process(app) as address:
        assert has_nothing_open(app)
        yield address
        await wait_until_nothing_open(app)


@pytest.fixture
def checked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the authorization of subscribers several times a second, because the tests wait for it."""
    monkeypatch.setattr(subscription, "CHECK_SECONDS", 0.1)


@pytest.fixture
async def stats(app: Starlette, scene: Scene) -> AsyncIterator[ViewStream]:
    async with open_subscription(app, subscriptions.event_stats, scene.organizer, scene.event.id) as views:
        yield views


@pytest.fixture
async def tickets(app: Starlette, scene: Scene) -> AsyncIterator[tuple[ViewStream, "asyncio.Task[Any]"]]:
    """A subscription to tickets, and a task that waits for its first view."""
    async with open_subscription(app, subscriptions.ticket_updated, scene.organizer, scene.event.id) as views:
        first = asyncio.create_task(views.next(5))
        await wait_for_subscribers(app)
        yield views, first
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
