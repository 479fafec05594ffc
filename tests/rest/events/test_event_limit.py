"""The maximum number of events of an organization, which is never exceeded (decisions 4.4)."""

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


async def create_simultaneously(caller: Caller, organization: Organization, count: int) -> list[httpx.Response]:
    body = {"name": "x", "organization_id": organization.id}
    return await asyncio.gather(*(caller.post("/events", body) for _ in range(count)))


async def set_event_limit(organization: Organization, count: int | None) -> None:
    await Organization.filter(id=organization.id).update(eventcount=count)


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_event_beyond_the_limit_is_refused(stage: Stage, caller_name: str) -> None:
    await set_event_limit(stage.organization, 1)
    body = {"name": "x", "organization_id": stage.organization.id, "ticket_types": [{"name": "VIP"}]}
    await refused(getattr(stage, caller_name).post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")


async def test_null_is_unlimited_and_zero_allows_no_event(stage: Stage) -> None:
    body = {"name": "x", "organization_id": stage.organization.id}
    for _ in range(3):
        data_of(await stage.organizer.post("/events", body), 201)
    await set_event_limit(stage.organization, 0)
    await refused(stage.organizer.post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")


async def test_refused_creation_does_not_count_towards_the_limit(stage: Stage) -> None:
    await set_event_limit(stage.organization, 2)
    body = {"name": "x", "organization_id": stage.organization.id}
    await refused(stage.organizer.post("/events", body | {"ticket_types": [{}]}), 400, "VALIDATION_ERROR")
    data_of(await stage.organizer.post("/events", body), 201)
    await refused(stage.organizer.post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")


async def test_thirty_simultaneous_creations_do_not_exceed_the_limit(stage: Stage) -> None:
    await set_event_limit(stage.organization, 8)
    responses = await create_simultaneously(stage.organizer, stage.organization, 30)
    outcomes = Counter((response.status_code, response.json().get("code")) for response in responses)
    assert outcomes == {(201, None): 7, (403, "EVENT_SLOTS_EXHAUSTED"): 23}
    assert await Event.filter(organization_id=stage.organization.id).count() == 8
    assert (await Organization.get(id=stage.organization.id)).events_used == 8


async def test_counting_instead_of_claiming_would_exceed_the_limit(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replace the conditional update by a count of the events."""
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
    await set_event_limit(stage.organization, 8)
    await create_simultaneously(stage.organizer, stage.organization, 30)
    assert await Event.filter(organization_id=stage.organization.id).count() > 8
