"""Duplications of events at the same time as each other, as changes of the original, and as its deletion."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import CustomField, Event, Organization, TicketType
from amarevents.resolvers.core import permissions
from amarevents.resolvers.core.permissions import EventOwner
from amarevents.resolvers.events import duplication
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.copies import complete_event, duplicating
from tests.support.event_parts import CREATE_FIELD
from tests.support.graphql_answers import Request, error_code, run_concurrently
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of
from tests.support.world import World

# The event limit of the organization ----------------------------------------------------------------------------


async def duplicate_at_once(stage: Stage, *, count: int, limit: int) -> Counter[str | None]:
    """Return how often each code was returned; the organization has one event before."""
    await Organization.filter(id=stage.organization.id).update(eventcount=limit)
    return await run_concurrently(*(duplicating(stage.organizer, stage.event, name=f"Copy {n}") for n in range(count)))


@pytest.mark.parametrize(("count", "limit"), [(2, 2), (20, 6)])
async def test_duplications_at_once_keep_the_event_limit(stage: Stage, count: int, limit: int) -> None:
    created = limit - 1
    happened = await duplicate_at_once(stage, count=count, limit=limit)
    assert happened == {None: created, "EVENT_SLOTS_EXHAUSTED": count - created}
    assert await Event.all().count() == (await Organization.get(id=stage.organization.id)).events_used == limit


async def test_creations_and_duplications_at_once_share_the_event_limit(stage: Stage) -> None:
    await Organization.filter(id=stage.organization.id).update(eventcount=4)
    body = {"name": "x", "organization_id": stage.organization.id}
    requests: list[Request] = [
        *(stage.organizer.post("/events", body) for _ in range(6)),
        *(duplicating(stage.organizer, stage.event) for _ in range(6)),
    ]
    await asyncio.gather(*requests)
    assert await Event.all().count() == 4
    assert await find_inconsistencies() == {}


async def test_counting_first_would_exceed_the_event_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same two, admitted by a count before the transaction."""
    require_event_manager = permissions.require_event_manager

    async def require_and_count(*arguments: Any) -> EventOwner:  # Any: passed on as they are
        event = await require_event_manager(*arguments)
        organization = await Organization.get(id=event.organization_id)
        if await Event.all().count() >= (organization.eventcount or 0):
            raise errors.EventSlotsExhausted
        await asyncio.sleep(0.3)
        return event

    async def claim_nothing(_organization_id: int) -> None: ...

    monkeypatch.setattr(duplication, "require_event_manager", require_and_count)
    monkeypatch.setattr(duplication, "claim_slot", claim_nothing)
    assert await duplicate_at_once(stage, count=2, limit=2) == {None: 2}
    assert await Event.all().count() == 3


# One key --------------------------------------------------------------------------------------------------------


async def test_twenty_requests_with_one_key_at_once_make_one_copy(world: World, stage: Stage) -> None:
    event = await complete_event(world, stage)
    answers = await asyncio.gather(*(duplicating(stage.organizer, event, key="k1") for _ in range(20)))
    assert {error_code(answer) for answer in answers} == {None}
    assert len({answer.json()["data"]["duplicateEvent"]["id"] for answer in answers}) == 1
    assert await Event.filter(name="Copy").count() == 1
    assert await find_inconsistencies() == {}


# Deletion of the original ---------------------------------------------------------------------------------------


async def copied_parts() -> tuple[int, int, int]:
    """Return the numbers of copies, of their ticket types and of their custom fields."""
    parts = [await model.filter(event__name="Copy").count() for model in (TicketType, CustomField)]
    return await Event.filter(name="Copy").count(), parts[0], parts[1]


async def delete_after_the_permission_check(
    stage: Stage, event: Event, monkeypatch: pytest.MonkeyPatch, path: str
) -> str | None:
    pause = Pause(monkeypatch)
    pause.stop_after(duplication, "require_event_manager")
    answer, other = await pause.during(duplicating(stage.admin, event), stage.admin.delete(path))
    data_of(other)
    return error_code(answer)


async def test_event_that_was_deleted_in_the_meantime_is_not_found(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await complete_event(world, stage)
    path = f"/events/{event.id}"
    assert await delete_after_the_permission_check(stage, event, monkeypatch, path) == "NOT_FOUND"
    assert await copied_parts() == (0, 0, 0)
    assert await find_inconsistencies() == {}


async def test_event_that_was_deleted_with_its_owner_in_the_meantime_is_not_found(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await complete_event(world, stage)
    path = f"/admin/users/{stage.organization.user_id}"
    assert await delete_after_the_permission_check(stage, event, monkeypatch, path) == "NOT_FOUND"
    assert await Event.all().count() == await Organization.all().count() == 0
    assert await find_inconsistencies() == {}


async def test_without_reading_the_event_again_a_copy_without_parts_would_be_made(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the two tests above."""
    event = await complete_event(world, stage)

    async def read_before(_event_id: int) -> Event:
        return event

    monkeypatch.setattr(duplication, "_lock_event", read_before)
    path = f"/events/{event.id}"
    assert await delete_after_the_permission_check(stage, event, monkeypatch, path) is None
    assert await copied_parts() == (1, 0, 0)


async def change_while_duplicating(
    stage: Stage, event: Event, monkeypatch: pytest.MonkeyPatch, change: Request, *, key: str | None = None
) -> str | None:
    """Start a change after the event was read and before anything is written; return the code of the duplication."""
    pause = Pause(monkeypatch)
    pause.stop_before(duplication, "claim_slot")

    async def start() -> asyncio.Task[httpx.Response]:
        task = asyncio.create_task(change)
        await asyncio.wait([task], timeout=0.5)
        return task

    answer, changing = await pause.during(duplicating(stage.organizer, event, key), start())
    assert error_code_of_either(await changing) is None
    return error_code(answer)


def error_code_of_either(response: httpx.Response) -> str | None:
    """Return the code of the only error of a REST or GraphQL response; None is success."""
    return response.json()["code"] if response.status_code >= 400 else error_code(response)


async def test_deletion_waits_until_the_event_is_copied_as_a_whole(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await complete_event(world, stage)
    deleting = stage.organizer.delete(f"/events/{event.id}")
    assert await change_while_duplicating(stage, event, monkeypatch, deleting) is None
    assert not await Event.exists(id=event.id)
    assert await copied_parts() == (1, 2, 2)
    assert await find_inconsistencies() == {}


@pytest.mark.backend("postgres")
async def test_without_the_lock_a_copy_of_a_deleted_event_would_lack_its_parts(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control. On SQLite, the write lock that each transaction has would suffice."""
    event = await complete_event(world, stage)
    deleting = stage.organizer.delete(f"/events/{event.id}")
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_options: rows)
    assert await change_while_duplicating(stage, event, monkeypatch, deleting) is None
    assert await copied_parts() == (1, 0, 0)


async def test_new_custom_field_waits_until_the_event_is_copied(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await complete_event(world, stage)
    field = {"eventId": event.id, "name": "Bio", "type": "TEXT"}
    creating = stage.organizer.graphql_response(CREATE_FIELD, input=field)
    assert await change_while_duplicating(stage, event, monkeypatch, creating) is None
    assert await copied_parts() == (1, 2, 2)
    assert await CustomField.filter(event_id=event.id).count() == 3


@pytest.mark.parametrize("key", [None, "k1"])
async def test_deletion_of_the_owner_waits_and_deletes_the_copy_as_well(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    event = await complete_event(world, stage)
    deleting = stage.admin.delete(f"/admin/users/{stage.organization.user_id}")
    assert await change_while_duplicating(stage, event, monkeypatch, deleting, key=key) is None
    assert [await model.all().count() for model in (Organization, Event, TicketType, CustomField)] == [0, 0, 0, 0]
    assert await find_inconsistencies() == {}


async def test_duplications_amid_all_kinds_of_changes_leave_consistent_rows(world: World, stage: Stage) -> None:
    event = await complete_event(world, stage)
    path = f"/events/{event.id}"
    body = {"event_id": event.id, "name": "x"}
    requests: list[Request] = [
        *(duplicating(stage.organizer, event) for _ in range(10)),
        *(stage.organizer.put(path, {"location": "Sylhet"}) for _ in range(3)),
        *(stage.organizer.post("/ticket-types", body) for _ in range(3)),
        stage.organizer.delete(path),
        *(duplicating(stage.admin, event, "k1") for _ in range(5)),
    ]
    answers = await asyncio.gather(*requests)
    assert {error_code_of_either(answer) for answer in answers} <= {None, "NOT_FOUND"}
    copies, ticket_types, fields = await copied_parts()
    assert fields == 2 * copies
    assert ticket_types >= 2 * copies
    assert await find_inconsistencies() == {}
