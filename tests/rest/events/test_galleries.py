"""The pictures and the questions of an event: all of them, in their order, for who may see it (decisions 1.2, 4.7)."""

from typing import Any

import pytest

from amarevents.models import Event
from amarevents.models.enums import FieldType, KeyType, Privacy
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in
from tests.support.world import World

LISTS = ["gallery", "fields"]


async def add(world: World, event: Event, what: str, name: str, **fields: Any) -> int:  # Any: each column's own type
    if what == "gallery":
        return (await world.gallery_image(event, caption=name, **fields)).id
    return (await world.custom_field(event, name, **fields)).id


async def test_a_picture_has_exactly_its_fields(world: World, stage: Stage) -> None:
    url = "https://example.com/মেলা.png"
    image = await world.gallery_image(stage.event, url=url, caption="বইমেলা", position=3)
    plain = await world.gallery_image(stage.event, url="https://example.com/2.png", position=4)
    assert data_of(await world.anonymous.get(f"/events/{stage.event.id}/gallery")) == [
        {"id": image.id, "event_id": stage.event.id, "url": url, "caption": "বইমেলা", "position": 3},
        {"id": plain.id, "event_id": stage.event.id, "url": "https://example.com/2.png", "caption": None,
         "position": 4},
    ]  # fmt: skip


async def test_a_question_has_exactly_its_fields(world: World, stage: Stage) -> None:
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


@pytest.mark.parametrize("what", LISTS)
async def test_they_come_all_in_the_order_of_their_positions_then_of_their_making(
    world: World, stage: Stage, what: str
) -> None:
    ids = {name: await add(world, stage.event, what, name, position=5) for name in ("d", "e")}
    ids |= {name: await add(world, stage.event, what, name, position=-1) for name in ("a", "b")}
    ids["c"] = await add(world, stage.event, what, "c", position=0)
    later = [await add(world, stage.event, what, f"later {number}", position=6) for number in range(30)]
    answer = await world.anonymous.get(f"/events/{stage.event.id}/{what}", page=2, limit=1)
    assert [one["id"] for one in data_of(answer)] == [*(ids[name] for name in "abcde"), *later]
    assert "pagination" not in answer.json()


@pytest.mark.parametrize("what", LISTS)
async def test_an_event_without_any_has_an_empty_list(world: World, stage: Stage, what: str) -> None:
    await add(world, await world.event(stage.organization), what, "another event's")
    answer = await world.anonymous.get(f"/events/{stage.event.id}/{what}")
    assert answer.json() == {"success": True, "data": []}


@pytest.mark.parametrize("what", LISTS)
async def test_those_of_a_private_event_are_for_who_may_see_it(world: World, stage: Stage, what: str) -> None:
    assert stage.organizer.user is not None
    path = f"/events/{stage.event.id}/{what}"
    await add(world, stage.event, what, "secret")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    without_scope = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:write"])
    for caller in (world.anonymous, stage.buyer, stage.rival, without_scope):
        error_in(await caller.get(path), 404, "NOT_FOUND")
    await world.ticket(stage.event, stage.buyer_account)
    for caller in (stage.organizer, stage.admin, stage.buyer):
        assert len(data_of(await caller.get(path))) == 1


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("id", ["999999", "0", "abc", "99999999999999999999"])
async def test_those_of_no_event_are_not_found(world: World, what: str, id: str) -> None:
    error_in(await world.anonymous.get(f"/events/{id}/{what}"), 404, "NOT_FOUND")
