"""Creation, update and deletion of events, within the event limit of their organization (decisions 4.4)."""

import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import CustomField, Event, GalleryImage, Organization, Ticket, TicketType
from amarevents.models.enums import Category, PaymentMethod, Privacy
from amarevents.models.events import UNDATED
from amarevents.resolvers.core.ids import EventId
from amarevents.resolvers.core.inputs import Count, Date, DeletedView, Id, Input, NotNull, deleted
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import require_event_manager, require_organization_manager
from amarevents.resolvers.core.text_types import ImageUrl, LongText, Name, ShortText, Url
from amarevents.resolvers.events.deletion import cascade_delete_event
from amarevents.resolvers.events.ticket_types import MAX_TICKET_TYPES, TicketTypeInput, new_ticket_type
from amarevents.resolvers.events.views import ManagedEventView, load_managed_view
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow
from amarevents.text import search_text

_MAX_LINKS = 50


class SocialLinkInput(Input):
    """A link to the event on another site."""

    type: ShortText
    """The kind of site, such as `facebook`."""
    url: Url
    """The http or https URL of the link."""


def _links_of_object(value: object) -> object:
    """Return the links of an object such as ``{"facebook": "https://…"}``, which REST also accepts (decisions 4.4a)."""
    return [{"type": kind, "url": url} for kind, url in value.items()] if isinstance(value, dict) else value


SocialLinks = Annotated[list[SocialLinkInput], Field(max_length=_MAX_LINKS), BeforeValidator(_links_of_object)]


def _require_one_spelling(value: object) -> object:
    """Reject a payment method that is given in two spellings, such as ``bkash`` and ``bKash``."""
    if isinstance(value, dict) and len({str(method).strip().casefold() for method in value}) < len(value):
        raise ValueError("must not contain a payment method twice")
    return value


Wallets = Annotated[
    dict[PaymentMethod, Annotated[ShortText, Field(min_length=1)]], BeforeValidator(_require_one_spelling)
]


def _require_dated(date: datetime.date) -> datetime.date:
    if date >= UNDATED:
        raise ValueError(f"must be before {UNDATED}")
    return date


class EventFields(Input):
    """The optional fields of an event, which its creation and its update both take (decisions 4.4a)."""

    date: Annotated[Date, AfterValidator(_require_dated)] | None = None
    """The date of the event, such as 2027-01-31."""
    deadline: Date | None = None
    """The last day of registration, not after the date of the event; if null, registration closes with that date."""
    location: ShortText | None = None
    """The location of the event."""
    category: Category | None = None
    """The category of the event."""
    description: LongText | None = None
    """The description of the event, at most 20,000 characters."""
    banner: ImageUrl | None = None
    """The URL of the banner image, or its path on the site."""
    logo: ImageUrl | None = None
    """The URL of the logo, or its path on the site."""
    notice: LongText | None = None
    """A notice to attendees, at most 20,000 characters."""
    emailtitle: ShortText | None = None
    """The subject of the confirmation email, with the same placeholders as its text; null for the default."""
    emailmessage: LongText | None = None
    """The text of the confirmation email; null for the default.

    Placeholders are `{name}`, `{event}`, `{location}`, `{date}`, `{price}`, `{id}`, and the names of custom fields in
    braces.
    """
    template: LongText | None = None
    """A text for the organizer's own use, stored as it was sent."""
    socials: SocialLinks | None = None
    """The links to the event on other sites, at most 50."""
    wallets: Wallets | None = None
    """The account numbers to pay to, by payment method."""
    hold_minutes: Count | None = None
    """The minutes for which an unpaid ticket without a transaction ID holds its place; 0 until you decide, null for the
    default of the platform. A change applies to new registrations."""
    places_per_account: Count | None = None
    """The maximum number of places that one account can hold, other than yours; 0 means unlimited, null the default of
    the platform."""

    def changed_columns(self) -> dict[str, object]:
        """Return the columns to write; null clears links and wallets to an empty list and object."""
        changes = self.changed_fields()
        if "socials" in changes:
            changes["socials"] = [link.model_dump() for link in self.socials or []]
        if "wallets" in changes:
            changes["wallets"] = {str(method): number for method, number in (self.wallets or {}).items()}
        return changes


class CreateEvent(EventFields):
    """Fields of the event to create."""

    name: Name
    """The name of the event."""
    organization_id: Id
    """The ID of the organization that publishes the event."""
    privacy: Privacy = Privacy.PUBLIC
    """The visibility of the event."""
    ticket_types: Annotated[list[TicketTypeInput], Field(max_length=MAX_TICKET_TYPES, default_factory=list)]
    """The ticket types to create with the event."""

    @field_validator("deadline")
    @classmethod
    def _check_deadline(cls, deadline: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        if _is_after(deadline, info.data.get("date")):
            raise ValueError("must be on or before date")
        return deadline


class UpdateEvent(EventFields):
    """Fields of the event to update; omitted fields stay unchanged, and null clears optional fields."""

    name: NotNull[Name] = None
    """The name of the event."""
    privacy: NotNull[Privacy] = None
    """The visibility of the event."""


def _is_after(deadline: datetime.date | None, date: datetime.date | None) -> bool:
    return deadline is not None and date is not None and deadline > date


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    changes=(Event, TicketType),
    raises=(errors.NotFound, errors.Forbidden, errors.EventSlotsExhausted),
)
async def create_event(ctx: Context, data: CreateEvent) -> ManagedEventView:
    """Create an event with its ticket types."""
    organization = await require_organization_manager(ctx, data.organization_id)
    columns = data.changed_columns()
    columns.pop("ticket_types", None)
    event = Event(search_text=search_text(data.name, data.location, data.description), sort_date=data.date or UNDATED)
    event.update_from_dict(columns)
    async with in_transaction():
        await claim_slot(organization.id)
        await event.save()
        for ticket_type in data.ticket_types:
            await new_ticket_type(event.id, ticket_type)
    return await load_managed_view(ctx, event.id)


async def claim_slot(organization_id: int) -> None:
    """Count one more event of the organization, in the caller's transaction (decisions 4.4).

    This is one conditional update, so that concurrent creations keep the limit. Raises NotFound or EventSlotsExhausted.
    """
    free = Q(eventcount__isnull=True) | Q(events_used__lt=F("eventcount"))
    if await Organization.filter(free, id=organization_id).update(events_used=F("events_used") + 1):
        return
    if not await Organization.exists(id=organization_id):
        raise errors.NotFound("Organization")
    raise errors.EventSlotsExhausted


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    changes=(Event,),
    raises=(errors.NotFound, errors.Forbidden, errors.ValidationFailed),
)
async def update_event(ctx: Context, id: EventId, data: UpdateEvent) -> ManagedEventView:
    """Update an event."""
    await require_event_manager(ctx, id)
    async with in_transaction():
        event = await Event.filter(id=id).select_for_update().get_or_none()
        if event is None:
            raise errors.NotFound("Event")
        if changes := data.changed_columns():
            await _change(event, {**changes, "updated_at": ctx.now})
    return await load_managed_view(ctx, id)


async def _change(event: Event, changes: dict[str, object]) -> None:
    event.update_from_dict(changes)
    if _is_after(event.deadline, event.date):
        raise errors.ValidationFailed(
            {"deadline": "must be on or before date"}
            if "deadline" in changes
            else {"date": "must be on or after deadline"}
        )
    event.sort_date = event.date or UNDATED
    event.search_text = search_text(event.name, event.location, event.description)
    await event.save(update_fields=[*changes, "sort_date", "search_text"])


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_DELETE),
    changes=(Event, TicketType, CustomField, GalleryImage, Ticket),
    raises=(errors.NotFound, errors.Forbidden),
)
async def delete_event(ctx: Context, id: EventId) -> DeletedView:
    """Delete an event with its tickets, ticket types, custom fields and gallery images."""
    await require_event_manager(ctx, id)
    async with in_transaction():
        await cascade_delete_event(ctx, id)
    return deleted(id)
