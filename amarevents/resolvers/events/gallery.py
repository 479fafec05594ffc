"""Galleries of events (decisions 4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from amarevents import errors
from amarevents.models import Event, GalleryImage
from amarevents.models.db.sql import is_in
from amarevents.resolvers.core.ids import EventId, GalleryImageId
from amarevents.resolvers.core.inputs import Count, DeletedView, Id, Input, NotNull, RecordId, deleted
from amarevents.resolvers.core.operation import Shared, operation
from amarevents.resolvers.core.pagination import Page, WholeListPaging, paginate
from amarevents.resolvers.core.permissions import get_visible_event, of_visible_events, visible_event_ids
from amarevents.resolvers.core.select import Select, by_id
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.core.text_types import ImageUrl, ShortText
from amarevents.resolvers.events.ordering import edit_part, edit_parts, insert_part, reorder_parts
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, PUBLIC, Scope, allow

MAX_GALLERY_IMAGES = 100
"""The maximum per event, at most a page: types of GraphQL list a gallery without pages."""


@dataclass(slots=True, kw_only=True)
class GalleryImageView:
    """An image in the gallery of an event."""

    id: RecordId
    """The ID of the gallery image."""
    event_id: RecordId
    """The ID of the event."""
    url: str
    """The URL of the image, or its path on the site."""
    caption: str | None
    """The caption of the image."""
    position: int
    """The position of the image in the gallery; images are sorted by it in ascending order."""

    @classmethod
    def from_model(cls, image: GalleryImage) -> "GalleryImageView":
        return cls(
            id=RecordId(image.id),
            event_id=RecordId(image.event_id),
            url=image.url,
            caption=image.caption,
            position=image.position,
        )


_IMAGES = Select(Source(GalleryImageView, "gallery_images"))
_IN_ORDER = _IMAGES.order_by("gallery_images.position", "gallery_images.id")


async def load_gallery_images(ctx: Context, ids: Sequence[int]) -> dict[int, GalleryImageView]:
    """Return the images of events that the caller may see, by ID, in one statement."""
    visible = of_visible_events(ctx, "gallery_images.event_id")
    return by_id(await _IMAGES.where(is_in("gallery_images.id", ids), visible).fetch(ctx.fields))


async def load_galleries_of(ctx: Context, event_ids: Sequence[int]) -> dict[int, list[GalleryImageView]]:
    """Return the galleries of events, by event ID, in one statement."""
    return await _IN_ORDER.grouped_by("event_id", event_ids, ctx.fields)


async def load_galleries(ctx: Context, event_ids: Sequence[int]) -> dict[int, list[GalleryImageView]]:
    """Return the galleries of the events that the caller may see, by event ID, in two statements."""
    return await load_galleries_of(ctx, await visible_event_ids(ctx, event_ids))


@operation(PUBLIC, raises=(errors.NotFound,), shared=Shared(models=(Event, GalleryImage)))
async def list_gallery(ctx: Context, id: EventId, data: WholeListPaging) -> Page[GalleryImageView]:
    """List the images in the gallery of an event, in their order."""
    await get_visible_event(ctx, id)
    return paginate((await load_galleries_of(ctx, [id]))[id], data)


class CreateGalleryImage(Input):
    """Fields of the gallery image to create."""

    event_id: Id
    """The ID of the event."""
    url: ImageUrl
    """The URL of the image, or its path on the site."""
    caption: ShortText | None = None
    """The caption of the image."""
    position: Count | None = None
    """The position to insert the image at, starting at 0; the images from there on move by one. Defaults to the end."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    changes=(GalleryImage,),
    raises=(errors.NotFound, errors.Forbidden, errors.TooManyGalleryImages),
)
async def create_gallery_image(ctx: Context, data: CreateGalleryImage) -> GalleryImageView:
    """Add an image to the gallery of an event."""
    async with edit_parts(ctx, GalleryImage, data.event_id) as images:
        if len(images) >= MAX_GALLERY_IMAGES:
            raise errors.TooManyGalleryImages(MAX_GALLERY_IMAGES)
        image = await insert_part(GalleryImage, images, data, position=data.position)
    return GalleryImageView.from_model(image)


class UpdateGalleryImage(Input):
    """Fields of the gallery image to update; omitted fields stay unchanged."""

    url: NotNull[ImageUrl] = None
    """The URL of the image, or its path on the site."""
    caption: ShortText | None = None
    """The caption of the image; null removes it."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), changes=(GalleryImage,), raises=(errors.NotFound, errors.Forbidden)
)
async def update_gallery_image(ctx: Context, id: GalleryImageId, data: UpdateGalleryImage) -> GalleryImageView:
    """Update a gallery image."""
    async with edit_part(ctx, GalleryImage, id) as (image, _):
        if changes := data.changed_fields():
            image.update_from_dict(changes)
            await image.save(update_fields=list(changes))
    return GalleryImageView.from_model(image)


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), changes=(GalleryImage,), raises=(errors.NotFound, errors.Forbidden)
)
async def delete_gallery_image(ctx: Context, id: GalleryImageId) -> DeletedView:
    """Delete a gallery image."""
    async with edit_part(ctx, GalleryImage, id) as (image, _):
        await image.delete()
    return deleted(id)


class ReorderGallery(Input):
    """The new order of the gallery of an event."""

    event_id: Id
    """The ID of the event."""
    ids: Annotated[list[Id], Field(max_length=MAX_GALLERY_IMAGES)]
    """The IDs of all gallery images of the event, in the new order."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    changes=(GalleryImage,),
    raises=(errors.NotFound, errors.Forbidden, errors.ValidationFailed),
)
async def reorder_gallery(ctx: Context, data: ReorderGallery) -> list[GalleryImageView]:
    """Reorder the gallery of an event."""
    return [
        GalleryImageView.from_model(image) for image in await reorder_parts(ctx, GalleryImage, data.event_id, data.ids)
    ]
