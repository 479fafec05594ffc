"""An event with its organizer, and the application on a socket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette

from amarevents.models import ApiKey, Event, TicketType, User
from amarevents.models.enums import KeyType
from tests.listening import listening, nothing_open, until_nothing_open
from tests.rest.answers import data_of
from tests.world import Caller, World


@dataclass
class Scene:
    """An event with one free ticket type; ``organizer`` owns it, ``buyer`` registers for it."""

    event: Event
    kind: TicketType
    owner: User
    organizer: Caller
    buyer: Caller

    @property
    def key(self) -> ApiKey:
        assert self.organizer.key is not None
        return self.organizer.key

    async def register(self) -> int:
        """The id of a new ticket."""
        body = {"event_id": self.event.id, "ticket_type_id": self.kind.id}
        return int(data_of(await self.buyer.post("/tickets", body), 201)["id"])


@pytest.fixture
async def scene(world: World) -> Scene:
    owner = await world.organizer(username="owner")
    event = await world.event(owner)
    kind = await world.ticket_type(event)
    return Scene(event, kind, owner, await world.key(owner, KeyType.ORGANIZER), await world.user_key(username="buyer"))


@pytest.fixture
async def address(app: Starlette) -> AsyncIterator[str]:
    """Where the application listens; whatever a test has opened is to leave nothing behind."""
    async with listening(app) as address:
        assert nothing_open(app)
        yield address
        await until_nothing_open(app)
