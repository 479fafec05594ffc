"""Ticket types: the kinds of place that an event offers."""

import strawberry

from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.events import ticket_types as operations
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.types.event_parts import event_link


@strawberry.type(name="TicketType", description=public_text(operations.TicketTypeView.__doc__))
class TicketType(operations.TicketTypeView):
    event = event_link("The event that offers it.")


@strawberry.type
class TicketTypeQuery:
    ticket_types = query(operations.list_ticket_types, list[TicketType])


@strawberry.type
class TicketTypeMutation:
    create_ticket_type = mutation(operations.create_ticket_type, TicketType)
    update_ticket_type = mutation(operations.update_ticket_type, TicketType)
    delete_ticket_type = mutation(operations.delete_ticket_type, Deleted)
