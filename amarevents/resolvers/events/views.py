"""Views of events, in lists, in detail, and for those who manage them."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from amarevents import errors
from amarevents.models.db.sql import is_in, sql
from amarevents.models.enums import Category, KeyType, Privacy
from amarevents.models.events import UNDATED
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.core.permissions import is_admin, managed_event_ids, visible_events
from amarevents.resolvers.core.select import Select, by_id
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.events.custom_fields import CUSTOM_FIELDS_OF_EVENT, CustomFieldView
from amarevents.resolvers.events.ticket_types import TICKET_TYPES_OF_EVENT, TicketTypeView
from amarevents.security.context import Context

DetailT = TypeVar("DetailT", bound="EventDetailView")


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

    @property
    def sort_date(self) -> datetime.date:
        """The date by which lists are sorted."""
        return self.date or UNDATED


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


_WITH_ORGANIZATION = {"organizations": "JOIN organizations ON organizations.id = events.organization_id"}
_PARTS = {"ticket_types": TICKET_TYPES_OF_EVENT, "custom_fields": CUSTOM_FIELDS_OF_EVENT}
_LATER = ("registration_open", *_PARTS)
EVENTS = Select(Source(EventView, "events", joins=_WITH_ORGANIZATION, organization_name="organizations.name"))
_DETAILS = Select(
    Source(EventDetailView, "events", joins=_WITH_ORGANIZATION, later=_LATER, organization_name="organizations.name")
)
_MANAGED = Select(
    Source(ManagedEventView, "events", joins=_WITH_ORGANIZATION, later=_LATER, organization_name="organizations.name")
)


class _Dated(Protocol):
    date: datetime.date | None
    deadline: datetime.date | None


def is_registration_open(event: _Dated, now: datetime.datetime, zone: ZoneInfo) -> bool:
    """Return whether the deadline, or else the date, has not passed in the platform's time zone (decisions 4.2)."""
    last_day = event.deadline or event.date
    return last_day is None or now.astimezone(zone).date() <= last_day


async def load_event_details(ctx: Context, ids: Sequence[int]) -> dict[int, EventDetailView]:
    """Return the details of the events visible to the caller, by ID, those for managers if the caller manages them.

    It takes one statement, or three on SQLite, and for organizers more.
    """
    visible = is_in("events.id", ids) & visible_events(ctx)
    if is_admin(ctx):
        return await _load_details(ctx, _MANAGED.where(visible))
    managed_ids = await managed_event_ids(ctx, ids) if ctx.principal.may_act_as(KeyType.ORGANIZER) else []
    if not managed_ids:
        return await _load_details(ctx, _DETAILS.where(visible))
    managed = await _load_details(ctx, _MANAGED.where(is_in("events.id", managed_ids), visible_events(ctx)))
    others = [one for one in ids if one not in managed]
    return managed | (await _load_details(ctx, _DETAILS.where(visible, is_in("events.id", others))) if others else {})


async def load_managed_view(ctx: Context, event_id: int) -> ManagedEventView:
    """Return an event that the caller manages. Raises NotFound if it has been deleted."""
    found = await _load_details(ctx, _MANAGED.where(sql("events.id = ?", event_id)))
    if event_id not in found:
        raise errors.NotFound("Event")
    return found[event_id]


async def _load_details(ctx: Context, rows: Select[DetailT]) -> dict[int, DetailT]:
    """Return details by ID with the parts of the events that the caller needs."""
    wanted = {name: part for name, part in _PARTS.items() if ctx.fields is None or name in ctx.fields}
    details = by_id(await rows.fetch_with(**wanted))
    for event in details.values():
        event.socials = [SocialLink(**link) for link in event.socials]  # type: ignore[arg-type] # objects of the column
        event.registration_open = is_registration_open(event, ctx.now, ctx.services.settings.time_zone)
    return details
