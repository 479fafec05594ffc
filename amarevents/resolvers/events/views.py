"""Views of events, in lists, in detail, and for those who manage them."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from amarevents.models import CustomField, Event, TicketType
from amarevents.models.enums import Category, Privacy
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.core.permissions import manages
from amarevents.resolvers.core.views import extend
from amarevents.resolvers.events.custom_fields import CustomFieldView
from amarevents.resolvers.events.ticket_types import TicketTypeView
from amarevents.security.context import Context


@dataclass(slots=True, kw_only=True)
class SocialLink:
    """A link to the event on another site."""

    type: str
    """The kind of site, such as `facebook`."""
    url: str
    """The http or https URL of the link."""


@dataclass(slots=True, kw_only=True)
class EventView:
    """An event (decisions 4.6)."""

    id: RecordId
    """The ID of the event."""
    name: str
    """The name of the event."""
    category: Category | None
    """The category of the event."""
    organization_id: RecordId
    """The ID of the organization that publishes the event."""
    organization_name: str
    """The name of the organization that publishes the event."""
    date: datetime.date | None
    """The date of the event, such as 2027-01-31; null if it has not been set."""
    deadline: datetime.date | None
    """The last day of registration; if null, registration closes at the end of the event's date."""
    location: str | None
    """The location of the event."""
    description: str | None
    """The description of the event, at most 20,000 characters."""
    banner: str | None
    """The URL of the banner image, or its path on the site."""
    logo: str | None
    """The URL of the logo, or its path on the site."""
    privacy: Privacy
    """The visibility of the event."""
    created_at: DateTime
    """When the event was created, in UTC."""
    updated_at: DateTime
    """When the event was last updated, in UTC."""

    @classmethod
    def from_model(cls, event: Event) -> "EventView":
        """Return the view of an event whose organization is loaded."""
        return EventView(
            id=RecordId(event.id),
            name=event.name,
            category=event.category,
            organization_id=RecordId(event.organization_id),
            organization_name=event.organization.name,
            date=event.date,
            deadline=event.deadline,
            location=event.location,
            description=event.description,
            banner=event.banner,
            logo=event.logo,
            privacy=event.privacy,
            created_at=event.created_at,
            updated_at=event.updated_at,
        )


@dataclass(slots=True, kw_only=True)
class EventDetailView(EventView):
    """An event with its ticket types and its registration form."""

    notice: str | None
    """A notice to attendees, at most 20,000 characters."""
    socials: list[SocialLink]
    """The links to the event on other sites."""
    wallets: dict[str, str]
    """The account numbers to pay to, by payment method."""
    registration_open: bool
    """Whether the last day of registration has not passed; tickets may be sold out nevertheless."""
    ticket_types: list[TicketTypeView]
    """The ticket types of the event, newest first."""
    custom_fields: list[CustomFieldView]
    """The custom fields of the registration form, in their order."""


@dataclass(slots=True, kw_only=True)
class ManagedEventView(EventDetailView):
    """An event as its owner and admins see it, with its confirmation email (decisions 4.1)."""

    emailtitle: str | None
    """The subject of the confirmation email, with the same placeholders as its text; null for the default."""
    emailmessage: str | None
    """The text of the confirmation email, with placeholders such as `{name}` and `{event}`; null for the default."""
    template: str | None
    """A text for the organizer's own use, stored as it was sent."""
    hold_minutes: int | None
    """The minutes for which an unpaid ticket without a transaction ID holds its place; 0 until you decide, null for the
    default of the platform."""
    places_per_account: int | None
    """The maximum number of places that one account can hold, other than yours; 0 means unlimited, null the default of
    the platform."""


def is_registration_open(event: Event, now: datetime.datetime, zone: ZoneInfo) -> bool:
    """Return whether the deadline, or else the date, has not passed in the platform's time zone (decisions 4.2)."""
    last_day = event.deadline or event.date
    return last_day is None or now.astimezone(zone).date() <= last_day


async def load_detail_views(ctx: Context, events: Sequence[Event]) -> dict[int, EventDetailView]:
    """Return the details of events whose organizations are loaded, by ID, in two statements."""
    ids = [event.id for event in events]
    if not ids:
        return {}
    types: dict[int, list[TicketTypeView]] = {event_id: [] for event_id in ids}
    for row in await TicketType.filter(event_id__in=ids).order_by("-id"):
        types[row.event_id].append(TicketTypeView.from_model(row))
    fields: dict[int, list[CustomFieldView]] = {event_id: [] for event_id in ids}
    for field in await CustomField.filter(event_id__in=ids).order_by("position", "id"):
        fields[field.event_id].append(CustomFieldView.from_model(field))
    return {event.id: _detail_view(ctx, event, types[event.id], fields[event.id]) for event in events}


def _detail_view(
    ctx: Context, event: Event, types: list[TicketTypeView], fields: list[CustomFieldView]
) -> EventDetailView:
    return extend(
        EventView.from_model(event),
        to=partial(
            EventDetailView,
            notice=event.notice,
            socials=[SocialLink(type=link["type"], url=link["url"]) for link in event.socials],
            wallets=dict(event.wallets),
            registration_open=is_registration_open(event, ctx.now, ctx.services.settings.time_zone),
            ticket_types=types,
            custom_fields=fields,
        ),
    )


async def load_managed_view(ctx: Context, event: Event) -> ManagedEventView:
    """Return an event that the caller manages, whose organization is loaded."""
    details = await load_detail_views(ctx, [event])
    return _managed_view(event, details[event.id])


async def load_permitted_views(ctx: Context, events: Sequence[Event]) -> dict[int, EventDetailView]:
    """Return the details of events by ID, with the fields for managers of those that the caller manages."""
    details = await load_detail_views(ctx, events)
    return {
        event.id: _managed_view(event, details[event.id])
        if manages(ctx, event.organization.user_id)
        else details[event.id]
        for event in events
    }


def _managed_view(event: Event, details: EventDetailView) -> ManagedEventView:
    return extend(
        details,
        to=partial(
            ManagedEventView,
            emailtitle=event.emailtitle,
            emailmessage=event.emailmessage,
            template=event.template,
            hold_minutes=event.hold_minutes,
            places_per_account=event.places_per_account,
        ),
    )
