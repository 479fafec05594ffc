"""Events: what organizations publish and people register for."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import CustomField, Event, Organization, TicketType
from amarevents.models.enums import Category, FieldType, Privacy
from amarevents.models.events import UNDATED
from amarevents.resolvers.base import (
    Context,
    Date,
    DateTime,
    Id,
    Input,
    LongText,
    Name,
    Page,
    Paging,
    RecordId,
    ShortText,
    Url,
    page_of,
)
from amarevents.resolvers.operation import operation
from amarevents.resolvers.ownership import manages, require_organization_manager, visible_events
from amarevents.resolvers.search import fold, search_text
from amarevents.resolvers.ticket_types import TicketTypeInput, TicketTypeView, new_ticket_type, ticket_type_view
from amarevents.security.policy import ORGANIZERS, PUBLIC, Scope, allow

_MAX_TICKET_TYPES = 50


@dataclass(slots=True, kw_only=True)
class SocialLink:
    type: str
    url: str


@dataclass(slots=True, kw_only=True)
class CustomFieldView:
    """A question that registration asks (decisions 4.7)."""

    id: RecordId
    event_id: RecordId
    name: str
    type: FieldType
    options: list[str]
    required: bool
    position: int


@dataclass(slots=True, kw_only=True)
class EventView:
    """An event as lists show it (decisions 4.6)."""

    id: RecordId
    name: str
    category: Category | None
    organization_id: RecordId
    organization_name: str
    date: datetime.date | None
    deadline: datetime.date | None
    location: str | None
    description: str | None
    banner: str | None
    logo: str | None
    privacy: Privacy
    created_at: DateTime
    updated_at: DateTime


@dataclass(slots=True, kw_only=True)
class EventDetailView(EventView):
    """One event, with what registration needs. ``wallets``: payment method to number."""

    notice: str | None
    socials: list[SocialLink]
    wallets: dict[str, str]
    registration_open: bool
    ticket_types: list[TicketTypeView]
    custom_fields: list[CustomFieldView]


@dataclass(slots=True, kw_only=True)
class ManagedEventView(EventDetailView):
    """What the event's owner and admins see besides: the texts of its confirmation mails (decisions 4.1)."""

    emailtitle: str | None
    emailmessage: str | None
    template: str | None


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


def custom_field_view(field: CustomField) -> CustomFieldView:
    return CustomFieldView(
        id=RecordId(field.id),
        event_id=RecordId(field.event_id),
        name=field.name,
        type=field.type,
        options=list(field.options),
        required=field.required,
        position=field.position,
    )


def _category(value: object) -> object:
    """Any case in, canonical out (decisions 4.2)."""
    if isinstance(value, str):
        return next((category for category in Category if category.lower() == value.strip().lower()), value)
    return value


AnyCaseCategory = Annotated[Category, BeforeValidator(_category)]


class ListEvents(Paging):
    """``search`` matches any part of name, location or description, whatever the case."""

    search: ShortText | None = None
    category: AnyCaseCategory | None = None
    organization_id: Id | None = None


@operation(PUBLIC)
async def list_events(ctx: Context, data: ListEvents) -> Page[EventView]:
    """The events that the caller may see, by date, the undated last."""
    found = visible_events(ctx).filter(_matching(data))
    total = await found.count()
    rows = found.select_related("organization").order_by("sort_date", "id").offset(data.offset).limit(data.limit)
    return page_of([event_view(event) for event in await rows], total, data)


def _matching(data: ListEvents) -> Q:
    conditions: dict[str, Any] = {}  # Any: each field's own type
    if data.search is not None:
        conditions["search_text__contains"] = fold(data.search)
    if data.category is not None:
        conditions["category"] = data.category
    if data.organization_id is not None:
        conditions["organization_id"] = data.organization_id
    return Q(**conditions)


@operation(PUBLIC)
async def get_event(ctx: Context, id: int) -> EventDetailView | ManagedEventView:
    """One event with its ticket types and custom fields. Raises NotFound."""
    found = await load_event_details(ctx, [id])
    if id not in found:
        raise errors.NotFound("Event")
    return found[id]


async def load_event_details(ctx: Context, ids: Sequence[int]) -> dict[int, EventDetailView]:
    """The details of those of the events that the caller may see, by id, in three statements."""
    events = await visible_events(ctx).filter(id__in=list(ids)).select_related("organization")
    visible = [event.id for event in events]
    if not visible:
        return {}
    types: dict[int, list[TicketTypeView]] = {event_id: [] for event_id in visible}
    for row in await TicketType.filter(event_id__in=visible).order_by("-id"):
        types[row.event_id].append(ticket_type_view(row))
    fields: dict[int, list[CustomFieldView]] = {event_id: [] for event_id in visible}
    for field in await CustomField.filter(event_id__in=visible).order_by("position", "id"):
        fields[field.event_id].append(custom_field_view(field))
    return {
        event.id: _detail_view(ctx, event, _shown_in_detail(ctx, event, types[event.id], fields[event.id]))
        for event in events
    }


def _shown_in_detail(
    ctx: Context, event: Event, ticket_types: list[TicketTypeView], custom_fields: list[CustomFieldView]
) -> dict[str, Any]:
    return {
        **_shown(event),
        "notice": event.notice,
        "socials": [SocialLink(type=link["type"], url=link["url"]) for link in event.socials],
        "wallets": dict(event.wallets),
        "registration_open": is_registration_open(event, ctx.now, ctx.services.settings.time_zone),
        "ticket_types": ticket_types,
        "custom_fields": custom_fields,
    }


def _detail_view(ctx: Context, event: Event, shown: dict[str, Any]) -> EventDetailView | ManagedEventView:
    return _managed_view(event, shown) if manages(ctx, event.organization.user_id) else EventDetailView(**shown)


def _managed_view(event: Event, shown: dict[str, Any]) -> ManagedEventView:
    return ManagedEventView(
        **shown, emailtitle=event.emailtitle, emailmessage=event.emailmessage, template=event.template
    )


class CreateEvent(Input):
    """A new event, with its ticket types if it has any."""

    name: Name
    organization_id: Id
    date: Date | None = None
    deadline: Date | None = None
    location: ShortText | None = None
    category: AnyCaseCategory | None = None
    description: LongText | None = None
    banner: Url | None = None
    logo: Url | None = None
    privacy: Privacy = Privacy.PUBLIC
    ticket_types: Annotated[list[TicketTypeInput], Field(max_length=_MAX_TICKET_TYPES, default_factory=list)]

    @field_validator("deadline")
    @classmethod
    def _not_after_date(cls, deadline: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        date = info.data.get("date")
        if deadline is not None and date is not None and deadline > date:
            raise ValueError("must not lie after date")
        return deadline


@operation(allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), creates=True)
async def create_event(ctx: Context, data: CreateEvent) -> ManagedEventView:
    """Publish an event and its ticket types, all or nothing.

    Raises NotFound, Forbidden (another's organization), or EventSlotsExhausted at the organization's allowance.
    """
    organization = await require_organization_manager(ctx, data.organization_id)
    async with in_transaction():
        await _claim_slot(organization)
        event = await Event.create(
            **data.model_dump(exclude={"ticket_types"}),
            sort_date=data.date or UNDATED,
            search_text=search_text(data.name, data.location, data.description),
        )
        event.organization = organization
        types = [ticket_type_view(await new_ticket_type(event.id, one)) for one in data.ticket_types]
    return _managed_view(event, _shown_in_detail(ctx, event, types[::-1], []))


async def _claim_slot(organization: Organization) -> None:
    """One conditional update: two creations at once never exceed the allowance (decisions 4.4)."""
    free = Q(eventcount__isnull=True) | Q(events_used__lt=F("eventcount"))
    if not await Organization.filter(free, id=organization.id).update(events_used=F("events_used") + 1):
        raise errors.EventSlotsExhausted
