"""Events. What their lists leave out is loaded by edges."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from amarevents import errors
from amarevents.resolvers.core.permissions import NOT_THE_MANAGER
from amarevents.resolvers.events import duplication, mutations, views
from amarevents.resolvers.events import queries as operations
from amarevents.resolvers.events.custom_fields import list_custom_fields, load_custom_fields_of_events
from amarevents.resolvers.events.gallery import list_gallery, load_galleries
from amarevents.resolvers.events.organizations import load_organizations
from amarevents.resolvers.events.statistics import get_event_stats, load_event_stats
from amarevents.resolvers.events.ticket_types import load_ticket_types_of_events
from amarevents.resolvers.events.views import EventDetailView, EventView, ManagedEventView
from amarevents.resolvers.tickets.check_in import AttendanceView, load_attendance
from amarevents.resolvers.tickets.queries import (
    ListTicketsOfByCursor,
    list_event_tickets,
    load_event_ticket_connections,
    load_event_tickets,
)
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.edges import Batch, Detail, detail, edge, not_found, paged_edge
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

_FOR_MANAGERS = "Visible to the event's owner and to admins."


def _detail(view: type[EventDetailView], name: str, returns: object, note: str = "") -> Detail:
    """Return a field that events of a list do not have yet."""
    load = Batch(load=views.load_event_details, field=name, view=EventDetailView, missing=not_found("Event"))
    return detail(load, view, name, returns, note=note)


def _of_managers() -> errors.Forbidden:
    """Return the error of what is only loaded for the event's owner and for admins."""
    return errors.Forbidden(NOT_THE_MANAGER)


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

    notice = _detail(EventDetailView, "notice", str | None)
    socials = _detail(EventDetailView, "socials", list[SocialLink])
    wallets = _detail(EventDetailView, "wallets", JSON)
    registration_open = _detail(EventDetailView, "registration_open", bool)
    # Those of many events, which the caller sees already, are loaded without their events.
    ticket_types = detail(
        Batch(load=load_ticket_types_of_events, missing=not_found("Event")),
        EventDetailView,
        "ticket_types",
        list[TicketType],
    )
    custom_fields = detail(
        Batch(load=load_custom_fields_of_events, missing=not_found("Event")),
        EventDetailView,
        "custom_fields",
        list[CustomField],
        policy_of=list_custom_fields,
    )
    gallery = edge(
        Batch(load=load_galleries, missing=not_found("Event")),
        list[GalleryImage] | None,
        "The images of the event's gallery, in order.",
        policy_of=list_gallery,
    )
    organization = edge(
        Batch(load=load_organizations, key="organization_id", missing=not_found("Organization")),
        Annotated["Organization", strawberry.lazy("amarevents.schema.types.organizations")] | None,
        "The organization that publishes the event.",
    )
    stats = edge(
        Batch(load=load_event_stats, missing=_of_managers),
        EventStats | None,
        f"The event's numbers of tickets and its revenue. {_FOR_MANAGERS}",
        policy_of=get_event_stats,
    )
    attendance = edge(
        Batch(load=load_attendance, missing=_of_managers),
        Attendance | None,
        f"The number of tickets that have been checked in. {_FOR_MANAGERS}",
        policy_of=get_event_stats,
    )
    tickets = paged_edge(
        list_event_tickets,
        Batch(load=load_event_tickets, missing=_of_managers),
        Page[Annotated["Ticket", strawberry.lazy("amarevents.schema.types.tickets")]],
        f"The event's tickets, newest first. {_FOR_MANAGERS}",
    )
    tickets_connection = paged_edge(
        list_event_tickets,
        Batch(load=load_event_ticket_connections, missing=_of_managers),
        Connection[Annotated["Ticket", strawberry.lazy("amarevents.schema.types.tickets")]],
        f"The event's tickets, newest first, by cursor. {_FOR_MANAGERS}",
        input_type=ListTicketsOfByCursor,
    )
    emailtitle = _detail(ManagedEventView, "emailtitle", str | None, _FOR_MANAGERS)
    emailmessage = _detail(ManagedEventView, "emailmessage", str | None, _FOR_MANAGERS)
    template = _detail(ManagedEventView, "template", str | None, _FOR_MANAGERS)
    hold_minutes = _detail(ManagedEventView, "hold_minutes", int | None, _FOR_MANAGERS)
    places_per_account = _detail(ManagedEventView, "places_per_account", int | None, _FOR_MANAGERS)


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
