"""Galleries: the pictures of an event."""

import strawberry

from amarevents.resolvers import gallery as operations
from amarevents.resolvers.base import public_text
from amarevents.schema.deletions import Deleted
from amarevents.schema.fields import mutation
from amarevents.schema.parts import event_link


@strawberry.type(name="GalleryImage", description=public_text(operations.GalleryImageView.__doc__))
class GalleryImage(operations.GalleryImageView):
    event = event_link("The event that it is a picture of.")


@strawberry.type
class GalleryMutation:
    create_gallery_image = mutation(operations.create_gallery_image, GalleryImage)
    update_gallery_image = mutation(operations.update_gallery_image, GalleryImage)
    delete_gallery_image = mutation(operations.delete_gallery_image, Deleted)
    reorder_gallery = mutation(operations.reorder_gallery, list[GalleryImage])
