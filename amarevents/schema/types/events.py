"""Events. What their lists leave out is loaded by edges."""

from typing import TYPE_CHECKING, Annotated, TypeVar

import strawberry

from amarevents import errors
from amarevents.resolvers.core import connections, pagination
from amarevents.resolvers.core.permissions import NOT_THE_MANAGER
from amarevents.resolvers.events import duplication, mutations, views
from amarevents.resolvers.events import queries as operations
from amarevents.resolvers.events.custom_fields import list_custom_fields
from amarevents.resolvers.events.gallery import GalleryImageView, list_gallery, load_galleries
from amarevents.resolvers.events.organizations import OrganizationView, load_organizations
from amarevents.resolvers.events.statistics import EventStatsView, get_event_stats, load_event_stats
from amarevents.resolvers.events.views import EventDetailView, EventView, ManagedEventView
from amarevents.resolvers.tickets.check_in import AttendanceView, load_attendance
from amarevents.resolvers.tickets.queries import (
    ListTicketsByStatus,
    ListTicketsOfByCursor,
    TicketView,
    list_event_tickets,
    load_event_ticket_connections,
    load_event_tickets,
)
from amarevents.schema.core.context import Info
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.edges import detail, edge, paged_edge
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Connection, Page
from amarevents.schema.core.scalars import JSON
from amarevents.schema.types.event_parts import CustomField, GalleryImage
from amarevents.schema.types.statistics import EventStats
from amarevents.schema.types.ticket_types import TicketType

if TYPE_CHECKING:
    from amarevents.schema.types.organizations import Organization
    from amarevents.schema.types.tickets import Ticket

T = TypeVar("T")

_FOR_MANAGERS = "Visible to the event's owner and to admins."


async def _detail(event: EventView, info: Info) -> EventDetailView:
    """Return the details of an event. Events of a list do not have them yet; they are loaded together."""
    if isinstance(event, EventDetailView):
        return event
    return await info.context.require(operations.load_event_details, event.id, "Event")


async def _gallery(event: EventView, info: Info) -> list[GalleryImageView]:
    return await info.context.require(load_galleries, event.id, "Event")


async def _organization(event: EventView, info: Info) -> OrganizationView:
    return await info.context.require(load_organizations, event.organization_id, "Organization")


async def _stats(event: EventView, info: Info) -> EventStatsView:
    return _require_managed(await info.context.load(load_event_stats, event.id))


async def _tickets(event: EventView, info: Info, data: ListTicketsByStatus) -> pagination.Page[TicketView]:
    return _require_managed(await info.context.load(load_event_tickets, (event.id, data)))


async def _tickets_connection(
    event: EventView, info: Info, data: ListTicketsOfByCursor
) -> connections.Connection[TicketView]:
    data.check_cursors(info.context.request)
    return _require_managed(await info.context.load(load_event_ticket_connections, (event.id, data)))


async def _attendance(event: EventView, info: Info) -> AttendanceView:
    return _require_managed(await info.context.load(load_attendance, event.id))


def _require_managed(found: T | None) -> T:
    """Return what is only loaded for the event's owner and for admins. Raises Forbidden for other callers."""
    if found is None:
        raise errors.Forbidden(NOT_THE_MANAGER)
    return found


@object_type
class SocialLink(views.SocialLink):
    """A link to an event's page on another site."""


@object_type
class Attendance(AttendanceView):
    pass


@node_type(operations.load_events)
@object_type
class Event(Node, EventView):
    """An event."""

    notice = detail(_detail, EventDetailView, "notice", str | None)
    socials = detail(_detail, EventDetailView, "socials", list[SocialLink])
    wallets = detail(_detail, EventDetailView, "wallets", JSON)
    registration_open = detail(_detail, EventDetailView, "registration_open", bool)
    ticket_types = detail(_detail, EventDetailView, "ticket_types", list[TicketType])
    custom_fields = detail(_detail, EventDetailView, "custom_fields", list[CustomField], policy_of=list_custom_fields)
    gallery = edge(
        _gallery, list[GalleryImage] | None, "The images of the event's gallery, in order.", policy_of=list_gallery
    )
    organization = edge(
        _organization,
        Annotated["Organization", strawberry.lazy("amarevents.schema.types.organizations")] | None,
        "The organization that publishes the event.",
    )
    stats = edge(
        _stats,
        EventStats | None,
        f"The event's numbers of tickets and its revenue. {_FOR_MANAGERS}",
        policy_of=get_event_stats,
    )
    attendance = edge(
        _attendance,
        Attendance | None,
        f"The number of tickets that have been checked in. {_FOR_MANAGERS}",
        policy_of=get_event_stats,
    )
    tickets = paged_edge(
        list_event_tickets,
        _tickets,
        Page[Annotated["Ticket", strawberry.lazy("amarevents.schema.types.tickets")]],
        f"The event's tickets, newest first. {_FOR_MANAGERS}",
    )
    tickets_connection = paged_edge(
        list_event_tickets,
        _tickets_connection,
        Connection[Annotated["Ticket", strawberry.lazy("amarevents.schema.types.tickets")]],
        f"The event's tickets, newest first, by cursor. {_FOR_MANAGERS}",
        input_type=ListTicketsOfByCursor,
    )
    emailtitle = detail(_detail, ManagedEventView, "emailtitle", str | None, note=_FOR_MANAGERS)
    emailmessage = detail(_detail, ManagedEventView, "emailmessage", str | None, note=_FOR_MANAGERS)
    template = detail(_detail, ManagedEventView, "template", str | None, note=_FOR_MANAGERS)
    hold_minutes = detail(_detail, ManagedEventView, "hold_minutes", int | None, note=_FOR_MANAGERS)
    places_per_account = detail(_detail, ManagedEventView, "places_per_account", int | None, note=_FOR_MANAGERS)


@strawberry.type
class EventQuery:
    events = query(operations.list_events, Page[Event])
    events_connection = query(operations.list_events_by_cursor, Connection[Event])
    event = query(operations.get_event, Event)


@strawberry.type
class EventMutation:
    create_event = mutation(mutations.create_event, Event)
    update_event = mutation(mutations.update_event, Event)
    delete_event = mutation(mutations.delete_event, Deleted)
    duplicate_event = mutation(duplication.duplicate_event, Event)
