"""Duplication of events: who may do it, how often, and that a refusal or a failure changes nothing."""

from typing import Any

import pytest

from amarevents.models import IdempotencyRecord, Organization
from amarevents.models.enums import KeyType
from amarevents.resolvers.events import duplication
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.copies import (
    DUPLICATE,
    MANAGERS,
    caller_named,
    complete_event,
    duplicate,
    make_private,
    not_duplicated,
)
from tests.support.graphql_answers import answer_of, only_error, refused
from tests.support.rest_answers import data_of
from tests.support.world import World, in_days, snapshot

# Any throughout: JSON.

# Who ------------------------------------------------------------------------------------------------------------


async def test_anonymous_caller_duplicates_nothing(world: World, stage: Stage) -> None:
    await not_duplicated(world.anonymous, stage.event.id, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("buyer", "WRONG_KEY_TYPE"),
        ("rival", "FORBIDDEN"),
        ("buyer's session", "WRONG_KEY_TYPE"),
        ("rival's session", "FORBIDDEN"),
    ],
)
async def test_stranger_duplicates_nothing(world: World, stage: Stage, who: str, code: str) -> None:
    event = await complete_event(world, stage)
    await not_duplicated(await caller_named(world, stage, who), event.id, code)


@pytest.mark.parametrize("who", ["rival", "rival's session"])
async def test_private_event_does_not_exist_for_strangers(world: World, stage: Stage, who: str) -> None:
    await make_private(stage.event)
    await not_duplicated(await caller_named(world, stage, who), stage.event.id, "NOT_FOUND")


async def test_organizer_with_a_ticket_to_a_private_event_cannot_duplicate_it(world: World, stage: Stage) -> None:
    await make_private(stage.event)
    assert stage.rival.user is not None
    await world.ticket(stage.event, stage.rival.user)
    await not_duplicated(stage.rival, stage.event.id, "FORBIDDEN")


async def test_user_key_of_the_owner_duplicates_nothing(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    await not_duplicated(await world.key(stage.organizer.user), stage.event.id, "WRONG_KEY_TYPE")


async def test_key_needs_events_write(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    assert stage.admin.user is not None
    for user, key_type in ((stage.organizer.user, KeyType.ORGANIZER), (stage.admin.user, KeyType.ADMIN)):
        reader = await world.key(user, key_type, permissions=["events:read", "events:delete", "admin"])
        await not_duplicated(reader, stage.event.id, "MISSING_SCOPE")


@pytest.mark.parametrize("who", MANAGERS)
async def test_managers_duplicate_events_into_the_same_organization(world: World, stage: Stage, who: str) -> None:
    copy = await duplicate(await caller_named(world, stage, who), stage.event)
    assert copy["id"] != str(stage.event.id)
    assert (copy["organizationId"], copy["organizationName"]) == (str(stage.organization.id), stage.organization.name)
    assert await Organization.all().count() == 1


@pytest.mark.parametrize("event_id", ["0", "999999", "99999999999999999999", "x"])
async def test_event_that_does_not_exist_is_not_found(stage: Stage, event_id: str) -> None:
    await not_duplicated(stage.admin, event_id, "NOT_FOUND")


# The event limit of the organization ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", MANAGERS)
async def test_organization_at_its_event_limit_gets_no_copy(world: World, stage: Stage, who: str) -> None:
    await Organization.filter(id=stage.organization.id).update(eventcount=1)
    await not_duplicated(await caller_named(world, stage, who), stage.event.id, "EVENT_SLOTS_EXHAUSTED")


async def test_copy_takes_a_slot_and_its_deletion_frees_it(stage: Stage) -> None:
    await Organization.filter(id=stage.organization.id).update(eventcount=2)
    copy = await duplicate(stage.organizer, stage.event)
    assert (await Organization.get(id=stage.organization.id)).events_used == 2
    await not_duplicated(stage.organizer, stage.event.id, "EVENT_SLOTS_EXHAUSTED")
    data_of(await stage.organizer.delete(f"/events/{copy['id']}"))
    await duplicate(stage.organizer, stage.event)
    assert await find_inconsistencies() == {}


async def test_exhausted_limit_has_status_403(stage: Stage) -> None:
    await Organization.filter(id=stage.organization.id).update(eventcount=0)
    answer = await stage.organizer.graphql(DUPLICATE, id=stage.event.id, input={"name": "Copy"})
    assert only_error(answer["errors"])["status"] == 403


# All or nothing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "k1"])
async def test_failure_at_the_end_leaves_nothing_behind(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    event = await complete_event(world, stage)
    copy_parts = duplication._copy_parts

    async def copy_and_fail(*arguments: Any) -> None:
        await copy_parts(*arguments)
        raise RuntimeError("the last statement failed")

    monkeypatch.setattr(duplication, "_copy_parts", copy_and_fail)
    await refused(stage.organizer, DUPLICATE, "INTERNAL", id=event.id, input={"name": "Copy"}, key=key)


# Idempotency ----------------------------------------------------------------------------------------------------


async def test_repetition_with_the_same_key_returns_the_first_copy(world: World, stage: Stage) -> None:
    event = await complete_event(world, stage)
    given: dict[str, Any] = {"id": event.id, "input": {"name": "Copy", "date": str(in_days(9))}, "key": "k1"}
    first = await answer_of(stage.organizer, DUPLICATE, **given)
    before = await snapshot()
    assert await answer_of(stage.organizer, DUPLICATE, **given) == first
    assert await snapshot() == before


async def test_same_key_for_another_request_is_refused(world: World, stage: Stage) -> None:
    other = await world.event(stage.organization)
    await answer_of(stage.organizer, DUPLICATE, id=stage.event.id, input={"name": "Copy"}, key="k1")
    await not_duplicated(stage.organizer, other.id, "IDEMPOTENCY_MISMATCH")
    await not_duplicated(stage.organizer, stage.event.id, "IDEMPOTENCY_MISMATCH", name="Other")
    await not_duplicated(stage.organizer, stage.event.id, "IDEMPOTENCY_MISMATCH", date=str(in_days(9)))


async def test_each_repetition_without_a_key_makes_a_copy(stage: Stage) -> None:
    copies = [await duplicate(stage.organizer, stage.event) for _ in range(2)]
    assert copies[0]["id"] != copies[1]["id"]
    assert not await IdempotencyRecord.exists()


async def test_refusal_can_be_repeated_with_the_same_key(stage: Stage) -> None:
    await Organization.filter(id=stage.organization.id).update(eventcount=1)
    await not_duplicated(stage.organizer, stage.event.id, "EVENT_SLOTS_EXHAUSTED")
    await Organization.filter(id=stage.organization.id).update(eventcount=2)
    await answer_of(stage.organizer, DUPLICATE, id=stage.event.id, input={"name": "Copy"}, key="k1")
