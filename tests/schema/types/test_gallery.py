"""Gallery images, which the managers of an event create, update, reorder and delete (decisions 4.7)."""

from typing import Any

import pytest

from amarevents.models import GalleryImage
from amarevents.resolvers.events import gallery
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.event_parts import CREATE_IMAGE, DELETE_IMAGE, REORDER_IMAGES, UPDATE_IMAGE, url
from tests.support.graphql_answers import answer_of, refused
from tests.support.rest_answers import data_of
from tests.support.world import World, snapshot

# Any throughout: JSON.

EDGE = "query($id: ID!) { event(id: $id) { gallery { url position } } }"


async def create(stage: Stage, name: str, **fields: Any) -> Any:
    return await answer_of(stage.organizer, CREATE_IMAGE, input={"eventId": stage.event.id, "url": url(name), **fields})


async def images_of(stage: Stage) -> list[tuple[str, int]]:
    """Return URL and position of the event's images in their order, as REST and GraphQL both return them."""
    over_graphql = (await answer_of(stage.buyer, EDGE, id=stage.event.id))["gallery"]
    images = [(one["url"], one["position"]) for one in over_graphql]
    listed = data_of(await stage.buyer.get(f"/events/{stage.event.id}/gallery"))
    assert [(one["url"], one["position"]) for one in listed] == images
    return images


async def test_new_image_is_listed(stage: Stage) -> None:
    image = await create(stage, "মেলা", caption=" বইমেলা ")
    assert image == {
        "id": image["id"], "eventId": str(stage.event.id), "url": url("মেলা"), "caption": "বইমেলা", "position": 0
    }  # fmt: skip
    assert await images_of(stage) == [(url("মেলা"), 0)]
    assert (await create(stage, "মেলা"))["position"] == 1


async def test_admin_can_add_images_to_any_event(stage: Stage) -> None:
    image = await answer_of(stage.admin, CREATE_IMAGE, input={"eventId": stage.event.id, "url": url("a")})
    assert image["position"] == 0


async def test_repeated_creation_with_an_idempotency_key_creates_one_image(stage: Stage) -> None:
    given = {"eventId": stage.event.id, "url": url("a")}
    first, second = [await answer_of(stage.organizer, CREATE_IMAGE, input=given, key="k1") for _ in range(2)]
    assert first == second
    assert await GalleryImage.all().count() == 1


async def test_number_of_images_is_limited(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "MAX_GALLERY_IMAGES", 2)
    for name in "ab":
        await create(stage, name)
    given = {"eventId": stage.event.id, "url": url("c")}
    await refused(stage.organizer, CREATE_IMAGE, "TOO_MANY_GALLERY_IMAGES", input=given)


@pytest.mark.parametrize(("position", "order"), [(None, "abx"), (0, "xab"), (1, "axb"), (99, "abx")])
async def test_image_is_inserted_at_the_requested_position(stage: Stage, position: int | None, order: str) -> None:
    for name in "ab":
        await create(stage, name)
    await create(stage, "x", position=position)
    assert await images_of(stage) == [(url(name), number) for number, name in enumerate(order)]


async def test_images_can_be_reordered(world: World, stage: Stage) -> None:
    a, b, c = [(await create(stage, name))["id"] for name in "abc"]
    foreign = (await world.gallery_image(await world.event(stage.organization))).id
    for ids in ([], [a, b], [a, b, b], [a, b, foreign]):
        given = {"eventId": stage.event.id, "ids": ids}
        assert (await refused(stage.organizer, REORDER_IMAGES, "VALIDATION_ERROR", input=given)).keys() == {"ids"}
    moved = await answer_of(stage.organizer, REORDER_IMAGES, input={"eventId": stage.event.id, "ids": [c, a, b]})
    assert [one["id"] for one in moved] == [c, a, b]
    assert await images_of(stage) == [(url("c"), 0), (url("a"), 1), (url("b"), 2)]


async def test_update_changes_only_the_given_fields_and_null_clears_the_caption(stage: Stage) -> None:
    image = await create(stage, "a", caption="Stage")
    moved = await answer_of(stage.organizer, UPDATE_IMAGE, id=image["id"], input={"url": url("b")})
    assert moved == image | {"url": url("b")}
    bare = await answer_of(stage.organizer, UPDATE_IMAGE, id=image["id"], input={"caption": None})
    assert bare == moved | {"caption": None}
    before = await snapshot()
    assert await answer_of(stage.organizer, UPDATE_IMAGE, id=image["id"], input={}) == bare
    assert await snapshot() == before


async def test_deletion_keeps_the_other_images_and_deletion_of_the_event_removes_all(stage: Stage) -> None:
    first, _ = await create(stage, "a"), await create(stage, "b")
    assert await answer_of(stage.organizer, DELETE_IMAGE, id=first["id"]) == {"id": first["id"], "deleted": True}
    assert await images_of(stage) == [(url("b"), 1)]
    await refused(stage.organizer, DELETE_IMAGE, "NOT_FOUND", id=first["id"])
    data_of(await stage.organizer.delete(f"/events/{stage.event.id}"))
    assert await find_inconsistencies() == {}
    assert await GalleryImage.all().count() == 0


@pytest.mark.parametrize("image_id", ["0", "999999", "x"])
async def test_unknown_image_is_not_found(stage: Stage, image_id: str) -> None:
    await refused(stage.admin, UPDATE_IMAGE, "NOT_FOUND", id=image_id, input={"caption": "x"})
    await refused(stage.admin, DELETE_IMAGE, "NOT_FOUND", id=image_id)
