"""Updates of organizations: texts by their owners, plan and event limit only by admins (decisions 5)."""

import asyncio
import itertools
from typing import Any

import pytest

from amarevents.models import Event, Organization
from amarevents.models.enums import KeyType
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.rest_answers import MANAGED_ORGANIZATION_FIELDS, data_of, outcomes, page_in, refused
from tests.support.world import World, snapshot

NEW: dict[str, Any] = {"name": "ছায়ানট", "description": "গান\n\tও আবৃত্তি", "notice": "শুক্রবার বন্ধ"}  # Any: JSON
NEW_BY_ADMINS: dict[str, Any] = {"plan": "Pro", "eventcount": 7}  # Any: JSON


@pytest.fixture
def path(stage: Stage) -> str:
    return f"/organizations/{stage.organization.id}"


@pytest.fixture
async def described(world: World, stage: Stage) -> None:
    """Put a value into every column that can change, and create another plan."""
    await Organization.filter(id=stage.organization.id).update(
        description="Old", notice="Old", eventcount=3, search_text=f"{stage.organization.name.lower()}\nold"
    )
    await world.plan("Pro")


# Permissions ----------------------------------------------------------------------------------------------------


async def test_only_the_owner_and_admins_update_an_organization(world: World, stage: Stage, path: str) -> None:
    await refused(world.anonymous.put(path, NEW), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.put(path, NEW), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.put(path, NEW), 403, "FORBIDDEN")
    await refused(stage.admin.put("/organizations/999999", NEW), 404, "NOT_FOUND")


async def test_update_requires_the_organizations_write_scope(world: World, stage: Stage, path: str) -> None:
    assert stage.organizer.user is not None
    reader = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["organizations:read"])
    await refused(reader.put(path, NEW), 403, "MISSING_SCOPE")


@pytest.mark.parametrize("caller_name", ["organizer", "admin", "owner's session"])
@pytest.mark.usefixtures("described")
async def test_owner_and_admins_update_the_texts(world: World, stage: Stage, path: str, caller_name: str) -> None:
    assert stage.organizer.user is not None
    session = await world.session(stage.organizer.user)
    caller = session if caller_name == "owner's session" else getattr(stage, caller_name)
    before = data_of(await caller.get(path))
    shown = data_of(await caller.put(path, NEW))
    assert shown == {**before, **NEW, "recent_events": [{**before["recent_events"][0], "organization_name": "ছায়ানট"}]}
    assert shown.keys() == MANAGED_ORGANIZATION_FIELDS
    assert data_of(await caller.get(path)) == shown


@pytest.mark.parametrize("body", [{"plan": "Pro"}, {"plan": "Nonsense"}, {"eventcount": 9}, {"eventcount": 2},
                                  {"eventcount": None}, {"name": "New", "eventcount": 4}])  # fmt: skip
@pytest.mark.usefixtures("described")
async def test_owner_cannot_change_the_plan_or_the_event_limit(
    world: World, stage: Stage, path: str, body: dict[str, Any]
) -> None:
    assert stage.organizer.user is not None
    await refused(stage.organizer.put(path, body), 403, "FORBIDDEN")
    await refused((await world.session(stage.organizer.user)).put(path, body), 403, "FORBIDDEN")


@pytest.mark.usefixtures("described")
async def test_owner_can_send_back_the_plan_and_the_event_limit(stage: Stage, path: str) -> None:
    """Read, change and write back works (decisions 1.6)."""
    shown = data_of(await stage.organizer.get(path))
    data_of(await stage.organizer.put(path, {**shown, "notice": "New"}))
    assert {**data_of(await stage.organizer.get(path)), "notice": shown["notice"]} == shown


@pytest.mark.usefixtures("described")
async def test_limit_that_an_owner_sends_back_does_not_undo_the_change_of_an_admin(stage: Stage, path: str) -> None:
    """The limit that was read is outdated by the time it is sent back, so it is refused, never stored."""
    shown = data_of(await stage.organizer.get(path))
    data_of(await stage.admin.put(path, {"eventcount": 1}))
    await refused(stage.organizer.put(path, shown), 403, "FORBIDDEN")


@pytest.mark.usefixtures("described")
async def test_organizer_key_of_an_admin_has_the_rights_of_an_owner(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    await stage.admin.user.update_from_dict({"type": "organizer"}).save()
    own = await world.organization(stage.admin.user)
    organizer_key = await world.key(stage.admin.user, KeyType.ORGANIZER)
    data_of(await organizer_key.put(f"/organizations/{own.id}", {"name": "New"}))
    await refused(organizer_key.put(f"/organizations/{own.id}", {"eventcount": 9}), 403, "FORBIDDEN")
    await refused(organizer_key.put(f"/organizations/{stage.organization.id}", {"name": "New"}), 403, "FORBIDDEN")
    session = await world.session(stage.admin.user)
    assert data_of(await session.put(f"/organizations/{own.id}", {"eventcount": 9}))["eventcount"] == 9


# Fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", [*NEW, *NEW_BY_ADMINS])
@pytest.mark.usefixtures("described")
async def test_only_the_sent_fields_change(stage: Stage, path: str, field: str) -> None:
    value = {**NEW, **NEW_BY_ADMINS}[field]
    before = data_of(await stage.admin.get(path))
    shown = data_of(await stage.admin.put(path, {field: value}))
    assert before[field] != value
    assert {**shown, "recent_events": []} == {**before, field: value, "recent_events": []}


@pytest.mark.parametrize("field", ["description", "notice", "eventcount"])
@pytest.mark.usefixtures("described")
async def test_null_clears_an_optional_field_and_a_blank_value_does_not(stage: Stage, path: str, field: str) -> None:
    before = data_of(await stage.admin.get(path))
    assert data_of(await stage.admin.put(path, {field: " "})) == before
    assert data_of(await stage.admin.put(path, {field: None})) == {**before, field: None}


@pytest.mark.parametrize("body", [{}, None, {"name": " "}])
@pytest.mark.usefixtures("described")
async def test_empty_update_changes_nothing(stage: Stage, path: str, body: dict[str, Any] | None) -> None:
    before, shown = await snapshot(), data_of(await stage.organizer.get(path))
    assert data_of(await stage.organizer.put(path, body)) == shown
    assert await snapshot() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None), ("name", "x" * 201), ("name", "a\nb"), ("description", "x" * 20_001), ("notice", 5),
        ("plan", None), ("plan", "Gold"), ("plan", 1), ("eventcount", -1), ("eventcount", 1.5),
        ("eventcount", "1.5"), ("eventcount", True), ("eventcount", 2**31), ("events", 0),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("described")
async def test_invalid_field_is_refused_by_name(stage: Stage, path: str, field: str, value: Any) -> None:
    body = {"notice": "must not be stored", field: value}
    assert set(await refused(stage.admin.put(path, body), 400, "VALIDATION_ERROR")) == {field}


@pytest.mark.usefixtures("described")
async def test_search_finds_the_organization_by_its_new_name(stage: Stage, path: str) -> None:
    old = stage.organization.name
    data_of(await stage.organizer.put(path, {"name": "Udichi শিল্পীগোষ্ঠী"}))
    for word in ("UDICHI", "শিল্পী", "old"):
        assert page_in(await stage.buyer.get("/organizations", search=word))[0] == [stage.organization.id]
    assert page_in(await stage.buyer.get("/organizations", search=old))[0] == []
    data_of(await stage.organizer.put(path, {"description": None}))
    assert page_in(await stage.buyer.get("/organizations", search="old"))[0] == []
    [event] = data_of(await stage.buyer.get("/events"))
    assert event["organization_name"] == "Udichi শিল্পীগোষ্ঠী"


# Event limit ----------------------------------------------------------------------------------------------------


async def test_limit_below_the_events_in_use_only_prevents_new_events(world: World, stage: Stage, path: str) -> None:
    for _ in range(3):
        await world.event(stage.organization)
    shown = data_of(await stage.admin.put(path, {"eventcount": 2}))
    assert (shown["eventcount"], shown["events_used"]) == (2, 4)
    body = {"name": "x", "organization_id": stage.organization.id}
    for caller in (stage.organizer, stage.admin):
        await refused(caller.post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")
    for event in await Event.all().limit(2):
        data_of(await stage.organizer.delete(f"/events/{event.id}"))
    await refused(stage.organizer.post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")
    assert await Event.all().count() == 2


@pytest.mark.parametrize(("eventcount", "status"), [(0, 403), (1, 403), (2, 201), (None, 201)])
async def test_new_limit_takes_effect_at_once(stage: Stage, path: str, eventcount: int | None, status: int) -> None:
    data_of(await stage.admin.put(path, {"eventcount": eventcount}))
    response = await stage.organizer.post("/events", {"name": "x", "organization_id": stage.organization.id})
    assert response.status_code == status


async def test_updates_during_creations_do_not_exceed_the_limit(stage: Stage, path: str) -> None:
    await Organization.filter(id=stage.organization.id).update(eventcount=6)
    body = {"name": "x", "organization_id": stage.organization.id}
    creations = [stage.organizer.post("/events", body) for _ in range(12)]
    updates = [stage.admin.put(path, {**NEW, "eventcount": 6}) for _ in range(12)]
    counts = outcomes(await asyncio.gather(*itertools.chain(*zip(creations, updates, strict=True))))
    assert counts == {(201, None): 5, (403, "EVENT_SLOTS_EXHAUSTED"): 7, (200, None): 12}
    assert await find_inconsistencies() == {}
