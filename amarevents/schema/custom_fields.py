"""Custom fields: what registration for an event asks."""

import strawberry

from amarevents.resolvers import custom_fields as operations
from amarevents.resolvers.base import public_text
from amarevents.schema.deletions import Deleted
from amarevents.schema.fields import mutation
from amarevents.schema.parts import event_link


@strawberry.type(name="CustomField", description=public_text(operations.CustomFieldView.__doc__))
class CustomField(operations.CustomFieldView):
    event = event_link("The event that it is asked for.")


@strawberry.type
class CustomFieldMutation:
    create_custom_field = mutation(operations.create_custom_field, CustomField)
    update_custom_field = mutation(operations.update_custom_field, CustomField)
    delete_custom_field = mutation(operations.delete_custom_field, Deleted)
    reorder_custom_fields = mutation(operations.reorder_custom_fields, list[CustomField])
