"""Events, with what their lists leave out as edges of their own."""

from typing import TYPE_CHECKING, Annotated, TypeVar

import strawberry

from amarevents import errors
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.core.pagination import Page
from amarevents.resolvers.core.permissions import NOT_THE_MANAGER
from amarevents.resolvers.events import mutations
from amarevents.resolvers.events import queries as operations
from amarevents.resolvers.events.custom_fields import list_custom_fields
from amarevents.resolvers.events.gallery import GalleryImageView, list_gallery
from amarevents.resolvers.events.organizations import OrganizationView
from amarevents.resolvers.events.queries import EventDetailView, EventView
from amarevents.resolvers.events.statistics import EventStatsView, get_event_stats
from amarevents.resolvers.tickets.check_in import AttendanceView
from amarevents.resolvers.tickets.queries import ListByStatus, TicketView, list_event_tickets
from amarevents.schema.core.context import Info
from amarevents.schema.core.dataloaders import require
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.fields import edge, link, mutation, paged_edge, query
from amarevents.schema.core.pagination import Connection, Pagination
from amarevents.schema.core.scalars import JSON
from amarevents.schema.types.event_parts import CustomField, GalleryImage
from amarevents.schema.types.statistics import EventStats
from amarevents.schema.types.ticket_types import TicketType

if TYPE_CHECKING:
    from amarevents.schema.types.organizations import Organization
    from amarevents.schema.types.tickets import TicketPage

T = TypeVar("T")


async def _detail(event: EventView, info: Info) -> EventDetailView:
    """The event's details: at hand where one event was asked for, loaded in one batch for a list."""
    if isinstance(event, EventDetailView):
        return event
    return await require(info.context.event_details, event.id, "Event")


async def _gallery(event: EventView, info: Info) -> list[GalleryImageView]:
    return await require(info.context.galleries, event.id, "Event")


async def _organization(event: EventView, info: Info) -> OrganizationView:
    return await require(info.context.organizations, event.organization_id, "Organization")


async def _stats(event: EventView, info: Info) -> EventStatsView:
    return _managed(await info.context.event_stats.load(event.id))


async def _tickets(event: EventView, info: Info, data: ListByStatus) -> Page[TicketView]:
    return _managed(await info.context.event_tickets.load((event.id, data)))


async def _attendance(event: EventView, info: Info) -> AttendanceView:
    return _managed(await info.context.attendance.load(event.id))


def _managed(found: T | None) -> T:
    """What is loaded for the event's owner and admins alone."""
    if found is None:
        raise errors.Forbidden(NOT_THE_MANAGER)
    return found


@strawberry.type(name="SocialLink", description="Where else an event is to be found.")
class SocialLink(operations.SocialLink):
    pass


@strawberry.type(name="Attendance", description=public_text(AttendanceView.__doc__))
class Attendance(AttendanceView):
    pass


@strawberry.type(name="Event", description="An event. Its owner and admins alone see the texts of its mails.")
class Event(EventView):
    notice = edge(_detail, "notice", str | None, "What the organizer has to announce.")
    socials = edge(_detail, "socials", list[SocialLink], "Where else the event is to be found.")
    wallets = edge(_detail, "wallets", JSON, "Where to pay: payment method to number.")
    registration_open = edge(_detail, "registration_open", bool, "Whether people may register themselves now.")
    ticket_types = edge(_detail, "ticket_types", list[TicketType], "The kinds of place on offer, newest first.")
    custom_fields = edge(
        _detail,
        "custom_fields",
        list[CustomField],
        "What registration asks beside name and email.",
        as_in=list_custom_fields,
    )
    gallery = link(_gallery, list[GalleryImage] | None, "Its pictures, in their order.", as_in=list_gallery)
    organization = link(
        _organization,
        Annotated["Organization", strawberry.lazy("amarevents.schema.types.organizations")] | None,
        "Who publishes it.",
    )
    stats = link(
        _stats,
        EventStats | None,
        "How many have registered and what they have paid; for owner and admins.",
        as_in=get_event_stats,
    )
    attendance = link(_attendance, Attendance | None, "How many are in; for owner and admins.", as_in=get_event_stats)
    tickets = paged_edge(
        list_event_tickets,
        _tickets,
        Annotated["TicketPage", strawberry.lazy("amarevents.schema.types.tickets")],
        "Its registrations, newest first; for owner and admins.",
    )
    emailtitle = edge(_detail, "emailtitle", str | None, "The confirmation mail's subject; for owner and admins.")
    emailmessage = edge(_detail, "emailmessage", str | None, "The confirmation mail's text; for owner and admins.")
    template = edge(_detail, "template", str | None, "The confirmation mail's template; for owner and admins.")


@strawberry.type(description="A part of a list of events.")
class EventPage:
    items: list[Event]
    """The objects on this page."""
    pagination: Pagination
    """The position of this page in the list."""


@strawberry.type
class EventQuery:
    events = query(operations.list_events, EventPage)
    events_connection = query(operations.list_events_by_cursor, Connection[Event])
    event = query(operations.get_event, Event)


@strawberry.type
class EventMutation:
    create_event = mutation(mutations.create_event, Event)
    update_event = mutation(mutations.update_event, Event)
    delete_event = mutation(mutations.delete_event, Deleted)
