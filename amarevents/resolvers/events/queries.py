"""Events: what organizations publish and people register for."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator
from tortoise.expressions import Q
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import CustomField, Event, Organization, Ticket, TicketType
from amarevents.models.enums import Category, Privacy
from amarevents.resolvers.core.bulk_pages import PageRequest, load_pages
from amarevents.resolvers.core.connections import Connection, ConnectionArguments, SortOrder, load_connection, parse_id
from amarevents.resolvers.core.ids import EventId
from amarevents.resolvers.core.inputs import DateTime, Id, Input, RecordId, ShortText
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import manages, visible_events
from amarevents.resolvers.core.search import fold
from amarevents.resolvers.events.custom_fields import CustomFieldView
from amarevents.resolvers.events.ticket_types import TicketTypeView
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, PUBLIC, Scope, allow


@dataclass(slots=True, kw_only=True)
class SocialLink:
    type: str
    """What the link leads to, such as `facebook`."""
    url: str
    """The http or https address."""


@dataclass(slots=True, kw_only=True)
class EventView:
    """An event as lists show it (decisions 4.6)."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    name: str
    """The name that people read."""
    category: Category | None
    """One of the ten categories, written in any case."""
    organization_id: RecordId
    """The id of the organization."""
    organization_name: str
    """The name of the organization."""
    date: datetime.date | None
    """The day of the event."""
    deadline: datetime.date | None
    """The last day to register, not after `date`; without one, registration ends with the day of `date`."""
    location: str | None
    """Where the event takes place."""
    description: str | None
    """A text about it, of at most 20,000 characters."""
    banner: str | None
    """The http or https address of a wide picture."""
    logo: str | None
    """The http or https address of a small picture."""
    privacy: Privacy
    """`private` hides the event from all but its owner, admins and holders of its tickets."""
    created_at: DateTime
    """When it was created, in UTC."""
    updated_at: DateTime
    """When it last changed, in UTC."""


@dataclass(slots=True, kw_only=True)
class EventDetailView(EventView):
    """One event, with what registration needs. ``wallets``: payment method to number."""

    notice: str | None
    """An announcement that is shown with it."""
    socials: list[SocialLink]
    """Where else the event is to be found."""
    wallets: dict[str, str]
    """The number to pay to, by payment method."""
    registration_open: bool
    """Whether the last day to register has not passed; full ticket types do not close it."""
    ticket_types: list[TicketTypeView]
    """The kinds of place that the event offers."""
    custom_fields: list[CustomFieldView]
    """What registration asks, in the order of asking."""


@dataclass(slots=True, kw_only=True)
class ManagedEventView(EventDetailView):
    """What the event's owner and admins see besides: the texts of its confirmation mails (decisions 4.1)."""

    emailtitle: str | None
    """The subject of the confirmation mail; may hold the same placeholders as `emailmessage`."""
    emailmessage: str | None
    """The text of the confirmation mail, with placeholders such as `{name}`, `{event}` and `{date}`."""
    template: str | None
    """A text for the organizer's own use, kept and answered as it was sent."""


def is_registration_open(event: Event, now: datetime.datetime, zone: ZoneInfo) -> bool:
    """Until the deadline's day ends where the platform is, else until the event's day does (decisions 4.2)."""
    last_day = event.deadline or event.date
    return last_day is None or now.astimezone(zone).date() <= last_day


def event_view(event: Event) -> EventView:
    """``event`` with its organization loaded."""
    return EventView(**_shown(event))


def _shown(event: Event) -> dict[str, Any]:  # Any: each field's own type
    return {
        "id": RecordId(event.id),
        "name": event.name,
        "category": event.category,
        "organization_id": RecordId(event.organization_id),
        "organization_name": event.organization.name,
        "date": event.date,
        "deadline": event.deadline,
        "location": event.location,
        "description": event.description,
        "banner": event.banner,
        "logo": event.logo,
        "privacy": event.privacy,
        "created_at": event.created_at,
        "updated_at": event.updated_at,
    }


def _category(value: object) -> object:
    """Any case in, canonical out (decisions 4.2)."""
    if isinstance(value, str):
        return next((category for category in Category if category.lower() == value.strip().lower()), value)
    return value


AnyCaseCategory = Annotated[Category, BeforeValidator(_category)]


class EventSearch(Input):
    """``search`` matches any part of name, location or description, whatever the case."""

    search: ShortText | None = None
    """Any part of the name, the location or the description; upper and lower case mean the same."""
    category: AnyCaseCategory | None = None
    """One of the ten categories, written in any case."""


class ListEventsOf(EventSearch, Paging):
    """Which events of an organization, and which page of them."""


class EventFilters(EventSearch):
    """``organization_id``: of this one alone."""

    organization_id: Id | None = None
    """The id of the organization."""


class ListEvents(EventFilters, Paging):
    """Which events, and which page of them."""


@operation(PUBLIC)
async def list_events(ctx: Context, data: ListEvents) -> Page[EventView]:
    """The events that the caller may see, by date, the undated last."""
    return await load_page(ctx, in_order(_found(ctx, data)), data, depends_on=_counted_with(ctx), view=event_view)


class ListEventsByCursor(ConnectionArguments, EventFilters):
    """Which events, and which part of their list."""

    ORDER = SortOrder(
        name="events/1", columns={"sort_date": datetime.date.fromisoformat, "id": parse_id}, descending=False
    )


@operation(PUBLIC)
async def list_events_by_cursor(ctx: Context, data: ListEventsByCursor) -> Connection[EventView]:
    """The events that the caller may see, by date, the undated last, from one place in their list to another."""
    return await load_connection(ctx, in_order(_found(ctx, data)), data, depends_on=_counted_with(ctx), view=event_view)


def in_order(found: QuerySet[Event]) -> QuerySet[Event]:
    """With what their views show, by date, the undated last (decisions 1.7)."""
    return found.select_related("organization").order_by("sort_date", "id")


def _counted_with(ctx: Context) -> tuple[type[Model], ...]:
    """What totals of ``_found`` depend on. Anonymous ones not on tickets: in a rush they are written all the time."""
    return (Event,) if ctx.principal.is_anonymous else (Event, Organization, Ticket)


def _found(ctx: Context, data: EventFilters) -> QuerySet[Event]:
    of_one = {} if data.organization_id is None else {"organization_id": data.organization_id}
    return visible_events(ctx).filter(_matching(data, **of_one))


def _matching(data: EventSearch, **conditions: Any) -> Q:  # Any: each field's own type
    if data.search is not None:
        conditions["search_text__contains"] = fold(data.search)
    if data.category is not None:
        conditions["category"] = data.category
    return Q(**conditions)


async def load_organization_events(
    ctx: Context, asked: Sequence[tuple[int, ListEventsOf]]
) -> dict[tuple[int, ListEventsOf], Page[EventView]]:
    """Pages of the events that the caller may see, by organization and what is asked of it. Three statements."""
    pages = {
        (organization_id, data): PageRequest(
            rows=visible_events(ctx).filter(_matching(data, organization_id=organization_id)), paging=data
        )
        for organization_id, data in asked
    }
    return await load_pages(pages, prepare=in_order, view=event_view)


@operation(PUBLIC, raises=(errors.NotFound,))
async def get_event(ctx: Context, id: EventId) -> EventDetailView | ManagedEventView:
    """One event with its ticket types and custom fields."""
    found = await load_event_details(ctx, [id])
    if id not in found:
        raise errors.NotFound("Event")
    return found[id]


async def load_events(ctx: Context, ids: Sequence[int]) -> dict[int, EventView]:
    """Those of the events that the caller may see, by id, in one statement."""
    events = await visible_events(ctx).filter(id__in=list(ids)).select_related("organization")
    return {event.id: event_view(event) for event in events}


async def load_event_details(ctx: Context, ids: Sequence[int]) -> dict[int, EventDetailView]:
    """The details of those of the events that the caller may see, by id, in three statements."""
    events = await visible_events(ctx).filter(id__in=list(ids)).select_related("organization")
    shown = await _shown_in_detail(ctx, events)
    return {event.id: _detail_view(ctx, event, shown[event.id]) for event in events}


async def _shown_in_detail(ctx: Context, events: Sequence[Event]) -> dict[int, dict[str, Any]]:
    """What anybody who may see the events is shown of them, by id."""
    ids = [event.id for event in events]
    if not ids:
        return {}
    types: dict[int, list[TicketTypeView]] = {event_id: [] for event_id in ids}
    for row in await TicketType.filter(event_id__in=ids).order_by("-id"):
        types[row.event_id].append(TicketTypeView.from_model(row))
    fields: dict[int, list[CustomFieldView]] = {event_id: [] for event_id in ids}
    for field in await CustomField.filter(event_id__in=ids).order_by("position", "id"):
        fields[field.event_id].append(CustomFieldView.from_model(field))
    return {
        event.id: {
            **_shown(event),
            "notice": event.notice,
            "socials": [SocialLink(type=link["type"], url=link["url"]) for link in event.socials],
            "wallets": dict(event.wallets),
            "registration_open": is_registration_open(event, ctx.now, ctx.services.settings.time_zone),
            "ticket_types": types[event.id],
            "custom_fields": fields[event.id],
        }
        for event in events
    }


def _detail_view(ctx: Context, event: Event, shown: dict[str, Any]) -> EventDetailView | ManagedEventView:
    return _managed_view(event, shown) if manages(ctx, event.organization.user_id) else EventDetailView(**shown)


def _managed_view(event: Event, shown: dict[str, Any]) -> ManagedEventView:
    return ManagedEventView(
        **shown, emailtitle=event.emailtitle, emailmessage=event.emailmessage, template=event.template
    )


async def managed_event_view(ctx: Context, event: Event) -> ManagedEventView:
    """The details of an event that the caller manages, with its organization loaded."""
    shown = await _shown_in_detail(ctx, [event])
    return _managed_view(event, shown[event.id])


class ListAllEvents(Paging):
    """``search`` matches any part of name, location or description, whatever the case."""

    search: ShortText | None = None
    """Any part of the name, the location or the description; upper and lower case mean the same."""
    privacy: Privacy | None = None
    """`private` hides the event from all but its owner, admins and holders of its tickets."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_all_events(ctx: Context, data: ListAllEvents) -> Page[EventView]:
    """The events of all organizations, public and private, by date, the undated last."""
    found = Event.all()
    if data.search is not None:
        found = found.filter(search_text__contains=fold(data.search))
    if data.privacy is not None:
        found = found.filter(privacy=data.privacy)
    return await load_page(ctx, in_order(found), data, depends_on=(Event,), view=event_view)
