"""Galleries: the pictures of an event (decisions 4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from amarevents.models import GalleryImage
from amarevents.resolvers.base import Context, RecordId
from amarevents.resolvers.operation import operation
from amarevents.resolvers.ownership import get_visible_event, visible_event_ids
from amarevents.security.policy import PUBLIC


@dataclass(slots=True, kw_only=True)
class GalleryImageView:
    """A picture of an event."""

    id: RecordId
    event_id: RecordId
    url: str
    caption: str | None
    position: int


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


@operation(PUBLIC)
async def list_gallery(ctx: Context, id: int) -> list[GalleryImageView]:
    """The pictures of an event, in their order. Raises NotFound."""
    event = await get_visible_event(ctx, id)
    return (await _galleries_of([event.id]))[event.id]
