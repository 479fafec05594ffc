"""The scene of most API tests, and fixtures that change the clock and the cache of totals."""

import datetime
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest
from starlette.applications import Starlette

from amarevents.infra.count_cache import CountCache
from amarevents.infra.shared_versions import versions_for
from amarevents.infra.versions import Versions
from amarevents.models import Event, Organization, User
from amarevents.models.enums import KeyType
from amarevents.security import middleware
from amarevents.settings import Settings
from tests.support.versions import wait_until_informed
from tests.support.world import Caller, World

CacheTotals = Callable[[Settings], None]


@dataclass
class Stage:
    """A public event, with the keys of its organizer, a buyer, another organizer (the rival) and an admin."""

    organization: Organization
    event: Event
    organizer: Caller
    buyer: Caller
    rival: Caller
    admin: Caller
    buyer_account: User

    @property
    def organizer_key_id(self) -> int:
        assert self.organizer.key is not None
        return self.organizer.key.id


@pytest.fixture
async def stage(world: World) -> Stage:
    owner = await world.organizer(username="owner")
    buyer = await world.user(username="buyer")
    organization = await world.organization(owner)
    return Stage(
        organization=organization,
        event=await world.event(organization),
        organizer=await world.key(owner, KeyType.ORGANIZER),
        buyer=await world.key(buyer),
        rival=await world.organizer_key(username="rival"),
        admin=await world.admin_key(username="boss"),
        buyer_account=buyer,
    )


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime.datetime], None]:
    """``set_clock(instant)`` sets the time of all later requests."""
    new_context = middleware._new_context

    def set_to(instant: datetime.datetime) -> None:
        def new_context_at_instant(*arguments: object) -> object:
            context = new_context(*arguments)  # type: ignore[arg-type] # unchanged arguments
            context.now = instant
            return context

        monkeypatch.setattr(middleware, "_new_context", new_context_at_instant)

    return set_to


@pytest.fixture
async def cache_totals(app: Starlette, deployment: Settings) -> AsyncIterator[CacheTotals]:
    """``cache_totals(settings)`` makes the application cache totals for a minute, with the Redis of the settings."""
    opened: list[Versions] = []

    def start(settings: Settings) -> None:
        opened.append(versions_for(settings))
        totals = CountCache(opened[-1], seconds=60)
        app.state.services = replace(app.state.services, versions=opened[-1], count_cache=totals)

    start(deployment)
    await wait_until_informed(opened[0])
    yield start
    for versions in opened:
        await versions.aclose()
