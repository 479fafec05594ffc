"""Galleries: the pictures of an event (decisions 4.7)."""

from dataclasses import dataclass

from amarevents.models import GalleryImage
from amarevents.resolvers.base import Context, RecordId
from amarevents.resolvers.operation import operation
from amarevents.resolvers.ownership import get_visible_event
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


@operation(PUBLIC)
async def list_gallery(ctx: Context, id: int) -> list[GalleryImageView]:
    """The pictures of an event, in their order. Raises NotFound."""
    event = await get_visible_event(ctx, id)
    rows = await GalleryImage.filter(event_id=event.id).order_by("position", "id")
    return [gallery_image_view(row) for row in rows]
