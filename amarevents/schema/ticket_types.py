"""Ticket types: the kinds of place that an event offers."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from amarevents.resolvers import ticket_types as operations
from amarevents.resolvers.base import public_text
from amarevents.resolvers.events import EventView
from amarevents.schema.context import Info, require
from amarevents.schema.deletions import Deleted
from amarevents.schema.fields import link, mutation, query

if TYPE_CHECKING:
    from amarevents.schema.events import Event


async def _event(ticket_type: operations.TicketTypeView, info: Info) -> EventView:
    return await require(info.context.events, ticket_type.event_id, "Event")


@strawberry.type(name="TicketType", description=public_text(operations.TicketTypeView.__doc__))
class TicketType(operations.TicketTypeView):
    event = link(
        _event, Annotated["Event", strawberry.lazy("amarevents.schema.events")] | None, "The event that offers it."
    )


@strawberry.type
class TicketTypeQuery:
    ticket_types = query(operations.list_ticket_types, list[TicketType])


@strawberry.type
class TicketTypeMutation:
    create_ticket_type = mutation(operations.create_ticket_type, TicketType)
    update_ticket_type = mutation(operations.update_ticket_type, TicketType)
    delete_ticket_type = mutation(operations.delete_ticket_type, Deleted)
