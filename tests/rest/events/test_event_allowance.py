"""An organization's allowance of events is never exceeded (decisions 4.4)."""

import asyncio
from collections import Counter

import httpx
import pytest

from amarevents import errors
from amarevents.models import Event, Organization
from amarevents.resolvers.core import permissions
from amarevents.resolvers.events import mutations
from amarevents.security.context import Context
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import Caller


async def create_at_once(caller: Caller, organization: Organization, count: int) -> list[httpx.Response]:
    body = {"name": "x", "organization_id": organization.id}
    return await asyncio.gather(*(caller.post("/events", body) for _ in range(count)))


async def allow_events(organization: Organization, count: int | None) -> None:
    await Organization.filter(id=organization.id).update(eventcount=count)


@pytest.mark.parametrize("who", ["organizer", "admin"])
async def test_at_the_allowance_nobody_creates_a_further_event(stage: Stage, who: str) -> None:
    await allow_events(stage.organization, 1)
    body = {"name": "x", "organization_id": stage.organization.id, "ticket_types": [{"name": "VIP"}]}
    await refused(getattr(stage, who).post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")


async def test_an_allowance_of_none_is_unlimited_and_of_zero_is_none_at_all(stage: Stage) -> None:
    body = {"name": "x", "organization_id": stage.organization.id}
    for _ in range(3):
        data_of(await stage.organizer.post("/events", body), 201)
    await allow_events(stage.organization, 0)
    await refused(stage.organizer.post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")


async def test_a_refused_creation_uses_nothing_up(stage: Stage) -> None:
    await allow_events(stage.organization, 2)
    body = {"name": "x", "organization_id": stage.organization.id}
    await refused(stage.organizer.post("/events", body | {"ticket_types": [{}]}), 400, "VALIDATION_ERROR")
    data_of(await stage.organizer.post("/events", body), 201)
    await refused(stage.organizer.post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")


async def test_thirty_at_once_do_not_exceed_the_allowance(stage: Stage) -> None:
    await allow_events(stage.organization, 8)
    answers = await create_at_once(stage.organizer, stage.organization, 30)
    outcomes = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert outcomes == {(201, None): 7, (403, "EVENT_SLOTS_EXHAUSTED"): 23}
    assert await Event.filter(organization_id=stage.organization.id).count() == 8
    assert (await Organization.get(id=stage.organization.id)).events_used == 8


async def test_counting_first_would_exceed_the_allowance(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the conditional update is for: the same thirty, let in by a count."""
    require = permissions.require_organization_manager

    async def require_and_count(ctx: Context, organization_id: int) -> Organization:
        organization = await require(ctx, organization_id)
        if await Event.filter(organization_id=organization_id).count() >= (organization.eventcount or 0):
            raise errors.EventSlotsExhausted
        await asyncio.sleep(0.1)
        return organization

    async def claim_nothing(_organization: Organization) -> None: ...

    monkeypatch.setattr(mutations, "require_organization_manager", require_and_count)
    monkeypatch.setattr(mutations, "claim_slot", claim_nothing)
    await allow_events(stage.organization, 8)
    await create_at_once(stage.organizer, stage.organization, 30)
    assert await Event.filter(organization_id=stage.organization.id).count() > 8
