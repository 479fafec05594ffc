"""The gallery images and custom fields of an event, as lists over REST (decisions 1.2, 4.7)."""

from typing import Any

import pytest

from amarevents.models import Event
from amarevents.models.enums import FieldType, KeyType, Privacy
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in, page_in
from tests.support.world import World

LISTS = ["gallery", "fields"]


async def add(world: World, event: Event, part: str, name: str, **fields: Any) -> int:  # Any: each column's own type
    if part == "gallery":
        return (await world.gallery_image(event, caption=name, **fields)).id
    return (await world.custom_field(event, name, **fields)).id


async def test_gallery_image_has_exactly_the_documented_fields(world: World, stage: Stage) -> None:
    url = "https://example.com/মেলা.png"
    image = await world.gallery_image(stage.event, url=url, caption="বইমেলা", position=3)
    plain = await world.gallery_image(stage.event, url="https://example.com/2.png", position=4)
    assert data_of(await world.anonymous.get(f"/events/{stage.event.id}/gallery")) == [
        {"id": image.id, "event_id": stage.event.id, "url": url, "caption": "বইমেলা", "position": 3},
        {"id": plain.id, "event_id": stage.event.id, "url": "https://example.com/2.png", "caption": None,
         "position": 4},
    ]  # fmt: skip


async def test_custom_field_has_exactly_the_documented_fields(world: World, stage: Stage) -> None:
    options = ["ছোট", "বড়"]
    size = await world.custom_field(
        stage.event, "সাইজ", type=FieldType.DROPDOWN, options=options, required=True, position=1
    )
    bio = await world.custom_field(stage.event, "Bio", type=FieldType.TEXTAREA, position=2)
    expected = [
        {"id": size.id, "event_id": stage.event.id, "name": "সাইজ", "type": "dropdown", "options": options,
         "required": True, "position": 1},
        {"id": bio.id, "event_id": stage.event.id, "name": "Bio", "type": "textarea", "options": [],
         "required": False, "position": 2},
    ]  # fmt: skip
    assert data_of(await world.anonymous.get(f"/events/{stage.event.id}/fields")) == expected
    assert data_of(await world.anonymous.get(f"/events/{stage.event.id}"))["custom_fields"] == expected


@pytest.mark.parametrize("part", LISTS)
async def test_all_parts_are_listed_by_position_and_then_by_creation(world: World, stage: Stage, part: str) -> None:
    ids = {name: await add(world, stage.event, part, name, position=5) for name in ("d", "e")}
    ids |= {name: await add(world, stage.event, part, name, position=-1) for name in ("a", "b")}
    ids["c"] = await add(world, stage.event, part, "c", position=0)
    later = [await add(world, stage.event, part, f"later {number}", position=6) for number in range(30)]
    expected = [*(ids[name] for name in "abcde"), *later]
    shown, pagination = page_in(await world.anonymous.get(f"/events/{stage.event.id}/{part}"))
    assert (shown, pagination) == (expected, {"total": 35, "page": 1, "limit": 100, "pages": 1})
    second = await world.anonymous.get(f"/events/{stage.event.id}/{part}", page=2, limit=3)
    assert page_in(second) == (expected[3:6], {"total": 35, "page": 2, "limit": 3, "pages": 12})


@pytest.mark.parametrize("part", LISTS)
async def test_list_of_an_event_without_parts_is_empty(world: World, stage: Stage, part: str) -> None:
    await add(world, await world.event(stage.organization), part, "another event's")
    response = await world.anonymous.get(f"/events/{stage.event.id}/{part}")
    assert page_in(response) == ([], {"total": 0, "page": 1, "limit": 100, "pages": 0})


@pytest.mark.parametrize("part", LISTS)
async def test_parts_of_a_private_event_are_hidden_with_it(world: World, stage: Stage, part: str) -> None:
    assert stage.organizer.user is not None
    path = f"/events/{stage.event.id}/{part}"
    await add(world, stage.event, part, "secret")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    without_scope = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:write"])
    for caller in (world.anonymous, stage.buyer, stage.rival, without_scope):
        error_in(await caller.get(path), 404, "NOT_FOUND")
    await world.ticket(stage.event, stage.buyer_account)
    for caller in (stage.organizer, stage.admin, stage.buyer):
        assert len(data_of(await caller.get(path))) == 1


@pytest.mark.parametrize("part", LISTS)
@pytest.mark.parametrize("id", ["999999", "0", "abc", "99999999999999999999"])
async def test_parts_of_an_unknown_event_are_not_found(world: World, part: str, id: str) -> None:
    error_in(await world.anonymous.get(f"/events/{id}/{part}"), 404, "NOT_FOUND")
