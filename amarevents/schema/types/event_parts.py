"""Parts of events: custom fields of the registration form and images of the gallery."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.types.field import StrawberryField

from amarevents.resolvers.events import custom_fields, gallery
from amarevents.resolvers.events.queries import load_events
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.edges import Batch, edge, not_found
from amarevents.schema.core.fields import mutation
from amarevents.schema.core.nodes import Node, node_type
from amarevents.schema.core.object_types import object_type

if TYPE_CHECKING:
    from amarevents.schema.types.events import Event


def event_edge(description: str) -> StrawberryField:
    """Return an edge from a part of an event to the event."""
    load = Batch(load=load_events, key="event_id", missing=not_found("Event"))
    return edge(load, Annotated["Event", strawberry.lazy("amarevents.schema.types.events")] | None, description)


@node_type(custom_fields.load_custom_fields)
@object_type
class CustomField(Node, custom_fields.CustomFieldView):
    event = event_edge("The event whose registration form has the custom field.")


@strawberry.type
class CustomFieldMutation:
    create_custom_field = mutation(custom_fields.create_custom_field, CustomField)
    update_custom_field = mutation(custom_fields.update_custom_field, CustomField)
    delete_custom_field = mutation(custom_fields.delete_custom_field, Deleted)
    reorder_custom_fields = mutation(custom_fields.reorder_custom_fields, list[CustomField])


@node_type(gallery.load_gallery_images)
@object_type
class GalleryImage(Node, gallery.GalleryImageView):
    event = event_edge("The event whose gallery has the image.")


@strawberry.type
class GalleryMutation:
    create_gallery_image = mutation(gallery.create_gallery_image, GalleryImage)
    update_gallery_image = mutation(gallery.update_gallery_image, GalleryImage)
    delete_gallery_image = mutation(gallery.delete_gallery_image, Deleted)
    reorder_gallery = mutation(gallery.reorder_gallery, list[GalleryImage])
