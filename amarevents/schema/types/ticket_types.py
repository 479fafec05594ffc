"""Ticket types: the kinds of ticket that an event offers."""

import strawberry

from amarevents.resolvers.events import ticket_types as operations
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.event_parts import event_edge


@node_type(operations.load_ticket_types)
@object_type
class TicketType(Node, operations.TicketTypeView):
    event = event_edge("The event that offers the ticket type.")


@strawberry.type
class TicketTypeQuery:
    ticket_types = query(operations.list_ticket_types, list[TicketType])


@strawberry.type
class TicketTypeMutation:
    create_ticket_type = mutation(operations.create_ticket_type, TicketType)
    update_ticket_type = mutation(operations.update_ticket_type, TicketType)
    delete_ticket_type = mutation(operations.delete_ticket_type, Deleted)
