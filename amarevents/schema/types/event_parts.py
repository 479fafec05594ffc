"""Custom fields: what registration for an event asks."""

from typing import TYPE_CHECKING, Annotated, Any, Protocol

import strawberry

from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.events.queries import EventView
from amarevents.schema.core.context import Info
from amarevents.schema.core.dataloaders import require
from amarevents.schema.core.fields import link

if TYPE_CHECKING:
    from amarevents.schema.types.events import Event
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.events import custom_fields, gallery
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.fields import mutation


class BelongsToEvent(Protocol):
    """A part of an event, such as a ticket."""

    @property
    def event_id(self) -> RecordId: ...


async def event_of(part: BelongsToEvent, info: Info) -> EventView:
    """The event that something belongs to, as far as the caller may know of it."""
    return await require(info.context.events, part.event_id, "Event")


def event_link(description: str) -> Any:  # Any: what strawberry.field returns
    """The field that leads from a part to its event."""
    return link(event_of, Annotated["Event", strawberry.lazy("amarevents.schema.types.events")] | None, description)


@strawberry.type(name="CustomField", description=public_text(custom_fields.CustomFieldView.__doc__))
class CustomField(custom_fields.CustomFieldView):
    event = event_link("The event that it is asked for.")


@strawberry.type
class CustomFieldMutation:
    create_custom_field = mutation(custom_fields.create_custom_field, CustomField)
    update_custom_field = mutation(custom_fields.update_custom_field, CustomField)
    delete_custom_field = mutation(custom_fields.delete_custom_field, Deleted)
    reorder_custom_fields = mutation(custom_fields.reorder_custom_fields, list[CustomField])


@strawberry.type(name="GalleryImage", description=public_text(gallery.GalleryImageView.__doc__))
class GalleryImage(gallery.GalleryImageView):
    event = event_link("The event that it is a picture of.")


@strawberry.type
class GalleryMutation:
    create_gallery_image = mutation(gallery.create_gallery_image, GalleryImage)
    update_gallery_image = mutation(gallery.update_gallery_image, GalleryImage)
    delete_gallery_image = mutation(gallery.delete_gallery_image, Deleted)
    reorder_gallery = mutation(gallery.reorder_gallery, list[GalleryImage])
