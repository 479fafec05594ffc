"""Events, with what their lists leave out as edges of their own."""

import strawberry

from amarevents import errors
from amarevents.resolvers import events as operations
from amarevents.resolvers import publishing
from amarevents.resolvers.base import public_text
from amarevents.resolvers.custom_fields import CustomFieldView
from amarevents.resolvers.events import EventDetailView, EventView
from amarevents.schema.context import Info
from amarevents.schema.fields import edge, mutation, query
from amarevents.schema.paging import Pagination
from amarevents.schema.scalars import JSON
from amarevents.schema.ticket_types import TicketType


async def _detail(event: EventView, info: Info) -> EventDetailView:
    """The event's details: at hand where one event was asked for, loaded in one batch for a list."""
    if isinstance(event, EventDetailView):
        return event
    detail = await info.context.event_details.load(event.id)
    if detail is None:
        raise errors.NotFound("Event")
    return detail


@strawberry.type(name="SocialLink", description="Where else an event is to be found.")
class SocialLink(operations.SocialLink):
    pass


@strawberry.type(name="CustomField", description=public_text(CustomFieldView.__doc__))
class CustomField(CustomFieldView):
    pass


@strawberry.type(name="Event", description="An event. Its owner and admins alone see the texts of its mails.")
class Event(EventView):
    notice = edge(_detail, "notice", str | None, "What the organizer has to announce.")
    socials = edge(_detail, "socials", list[SocialLink], "Where else the event is to be found.")
    wallets = edge(_detail, "wallets", JSON, "Where to pay: payment method to number.")
    registration_open = edge(_detail, "registration_open", bool, "Whether people may register themselves now.")
    ticket_types = edge(_detail, "ticket_types", list[TicketType], "The kinds of place on offer, newest first.")
    custom_fields = edge(_detail, "custom_fields", list[CustomField], "What registration asks beside name and email.")
    emailtitle = edge(_detail, "emailtitle", str | None, "The confirmation mail's subject; for owner and admins.")
    emailmessage = edge(_detail, "emailmessage", str | None, "The confirmation mail's text; for owner and admins.")
    template = edge(_detail, "template", str | None, "The confirmation mail's template; for owner and admins.")


@strawberry.type(description="A part of a list of events.")
class EventPage:
    items: list[Event]
    pagination: Pagination


@strawberry.type
class EventQuery:
    events = query(operations.list_events, EventPage)
    event = query(operations.get_event, Event)


@strawberry.type
class EventMutation:
    create_event = mutation(publishing.create_event, Event)
