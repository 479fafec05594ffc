"""Galleries: the pictures of an event (decisions 4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import GalleryImage
from amarevents.resolvers.core.ids import EventId, GalleryImageId
from amarevents.resolvers.core.inputs import Count, DeletedView, Id, Input, NotNull, RecordId, ShortText, Url, deleted
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import (
    get_visible_event,
    require_event_manager,
    require_part_manager,
    visible_event_ids,
)
from amarevents.resolvers.events.ordering import lock_parts, make_room, pick_part, put_in_order
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, PUBLIC, Scope, allow

MAX_GALLERY_IMAGES = 100
"""How many an event may have; all of them are shown with it."""


@dataclass(slots=True, kw_only=True)
class GalleryImageView:
    """A picture of an event."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    event_id: RecordId
    """The id of the event."""
    url: str
    """The http or https address."""
    caption: str | None
    """The text under the picture."""
    position: int
    """Its place in the order, lowest first."""


def gallery_image_view(row: GalleryImage) -> GalleryImageView:
    return GalleryImageView(
        id=RecordId(row.id),
        event_id=RecordId(row.event_id),
        url=row.url,
        caption=row.caption,
        position=row.position,
    )


async def load_galleries(ctx: Context, event_ids: Sequence[int]) -> dict[int, list[GalleryImageView]]:
    """The pictures of those of the events that the caller may see, by event, in two statements."""
    return await _galleries_of(await visible_event_ids(ctx, event_ids))


async def _galleries_of(event_ids: Sequence[int]) -> dict[int, list[GalleryImageView]]:
    galleries: dict[int, list[GalleryImageView]] = {event_id: [] for event_id in event_ids}
    for row in await GalleryImage.filter(event_id__in=list(event_ids)).order_by("position", "id"):
        galleries[row.event_id].append(gallery_image_view(row))
    return galleries


@operation(PUBLIC, raises=(errors.NotFound,))
async def list_gallery(ctx: Context, id: EventId) -> list[GalleryImageView]:
    """The pictures of an event, in their order."""
    event = await get_visible_event(ctx, id)
    return (await _galleries_of([event.id]))[event.id]


class CreateGalleryImage(Input):
    """A further picture of an event; ``url`` is where it lies.

    ``position`` counts from 0: those from there on move by one; without it the picture comes last.
    """

    event_id: Id
    """The id of the event."""
    url: Url
    """The http or https address."""
    caption: ShortText | None = None
    """The text under the picture."""
    position: Count | None = None
    """Its place in the order, lowest first."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    raises=(errors.NotFound, errors.Forbidden, errors.TooManyGalleryImages),
)
async def create_gallery_image(ctx: Context, data: CreateGalleryImage) -> GalleryImageView:
    """Add a picture to an event's gallery."""
    await require_event_manager(ctx, data.event_id)
    async with in_transaction():
        images = await lock_parts(GalleryImage, data.event_id)
        if len(images) >= MAX_GALLERY_IMAGES:
            raise errors.TooManyGalleryImages(MAX_GALLERY_IMAGES)
        position = await make_room(images, data.position)
        image = await GalleryImage.create(**data.model_dump(exclude={"position"}), position=position)
    return gallery_image_view(image)


class UpdateGalleryImage(Input):
    """What of a picture can change; null clears the caption."""

    url: NotNull[Url] = None
    """The http or https address."""
    caption: ShortText | None = None
    """The text under the picture."""


@operation(allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), raises=(errors.NotFound, errors.Forbidden))
async def update_gallery_image(ctx: Context, id: GalleryImageId, data: UpdateGalleryImage) -> GalleryImageView:
    """Change what is sent of a picture."""
    event_id = (await require_part_manager(ctx, GalleryImage, id)).event_id
    async with in_transaction():
        image = pick_part(await lock_parts(GalleryImage, event_id), id, "Picture")
        if changes := data.changed_fields():
            image.update_from_dict(changes)
            await image.save(update_fields=list(changes))
    return gallery_image_view(image)


@operation(allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), raises=(errors.NotFound, errors.Forbidden))
async def delete_gallery_image(ctx: Context, id: GalleryImageId) -> DeletedView:
    """Take a picture out of an event's gallery."""
    event_id = (await require_part_manager(ctx, GalleryImage, id)).event_id
    async with in_transaction():
        image = pick_part(await lock_parts(GalleryImage, event_id), id, "Picture")
        await image.delete()
    return deleted(id)


class ReorderGallery(Input):
    """``ids``: those of all the event's pictures, each once, in the order that they are to have."""

    event_id: Id
    """The id of the event."""
    ids: Annotated[list[Id], Field(max_length=MAX_GALLERY_IMAGES)]
    """All of the event's, each once, in their new order."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), raises=(errors.NotFound, errors.Forbidden, errors.ValidationFailed)
)
async def reorder_gallery(ctx: Context, data: ReorderGallery) -> list[GalleryImageView]:
    """Change the order of an event's pictures."""
    await require_event_manager(ctx, data.event_id)
    async with in_transaction():
        images = await put_in_order(await lock_parts(GalleryImage, data.event_id), data.ids)
    return [gallery_image_view(image) for image in images]
