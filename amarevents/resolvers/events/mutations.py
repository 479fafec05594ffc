"""Publishing events: creating, changing and deleting them within the organization's allowance (decisions 4.4)."""

import datetime
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import Event, Organization, Ticket
from amarevents.models.enums import PaymentMethod, Privacy
from amarevents.models.events import UNDATED
from amarevents.resolvers.core.ids import EventId
from amarevents.resolvers.core.inputs import (
    Date,
    DeletedView,
    Id,
    Input,
    LongText,
    Name,
    NotNull,
    ShortText,
    Url,
    deleted,
)
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import require_event_manager, require_organization_manager
from amarevents.resolvers.core.search import search_text
from amarevents.resolvers.events.deletion import cascade_delete_event
from amarevents.resolvers.events.queries import AnyCaseCategory
from amarevents.resolvers.events.ticket_types import MAX_TICKET_TYPES, TicketTypeInput, new_ticket_type
from amarevents.resolvers.events.views import ManagedEventView, load_managed_view
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow

_MAX_LINKS = 50


class CreateEvent(Input):
    """A new event, with its ticket types if it has any."""

    name: Name
    """The name that people read."""
    organization_id: Id
    """The id of the organization."""
    date: Date | None = None
    """The day of the event."""
    deadline: Date | None = None
    """The last day to register, not after `date`; without one, registration ends with the day of `date`."""
    location: ShortText | None = None
    """Where the event takes place."""
    category: AnyCaseCategory | None = None
    """One of the ten categories, written in any case."""
    description: LongText | None = None
    """A text about it, of at most 20,000 characters."""
    banner: Url | None = None
    """The http or https address of a wide picture."""
    logo: Url | None = None
    """The http or https address of a small picture."""
    privacy: Privacy = Privacy.PUBLIC
    """`private` hides the event from all but its owner, admins and holders of its tickets."""
    ticket_types: Annotated[list[TicketTypeInput], Field(max_length=MAX_TICKET_TYPES, default_factory=list)]
    """The kinds of place that the event offers."""

    @field_validator("deadline")
    @classmethod
    def _not_after_date(cls, deadline: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        if _lies_after(deadline, info.data.get("date")):
            raise ValueError("must not lie after date")
        return deadline


def _lies_after(deadline: datetime.date | None, date: datetime.date | None) -> bool:
    return deadline is not None and date is not None and deadline > date


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    changes=(Event,),
    raises=(errors.NotFound, errors.Forbidden, errors.EventSlotsExhausted),
)
async def create_event(ctx: Context, data: CreateEvent) -> ManagedEventView:
    """Publish an event and its ticket types, all or nothing."""
    organization = await require_organization_manager(ctx, data.organization_id)
    async with in_transaction():
        await _claim_slot(organization)
        event = await Event.create(
            **data.model_dump(exclude={"ticket_types"}),
            sort_date=data.date or UNDATED,
            search_text=search_text(data.name, data.location, data.description),
        )
        for ticket_type in data.ticket_types:
            await new_ticket_type(event.id, ticket_type)
    event.organization = organization
    return await load_managed_view(ctx, event)


async def _claim_slot(organization: Organization) -> None:
    """One conditional update: two creations at once never exceed the allowance (decisions 4.4)."""
    free = Q(eventcount__isnull=True) | Q(events_used__lt=F("eventcount"))
    if await Organization.filter(free, id=organization.id).update(events_used=F("events_used") + 1):
        return
    if not await Organization.exists(id=organization.id):
        raise errors.NotFound("Organization")
    raise errors.EventSlotsExhausted


class SocialLinkInput(Input):
    """Where else the event is to be found, such as ``facebook``."""

    type: ShortText
    """What the link leads to, such as `facebook`."""
    url: Url
    """The http or https address."""


class UpdateEvent(Input):
    """What of an event can change; null clears what is optional.

    ``wallets``: payment method to number. ``emailtitle`` and ``emailmessage`` are of the mail that confirms a ticket;
    they may hold ``{name}``, ``{event}``, ``{location}``, ``{date}``, ``{price}``, ``{id}`` and the names of custom
    fields in braces.
    """

    name: NotNull[Name] = None
    """The name that people read."""
    date: Date | None = None
    """The day of the event."""
    deadline: Date | None = None
    """The last day to register, not after `date`; without one, registration ends with the day of `date`."""
    location: ShortText | None = None
    """Where the event takes place."""
    category: AnyCaseCategory | None = None
    """One of the ten categories, written in any case."""
    description: LongText | None = None
    """A text about it, of at most 20,000 characters."""
    logo: Url | None = None
    """The http or https address of a small picture."""
    banner: Url | None = None
    """The http or https address of a wide picture."""
    privacy: NotNull[Privacy] = None
    """`private` hides the event from all but its owner, admins and holders of its tickets."""
    notice: LongText | None = None
    """An announcement that is shown with it."""
    emailtitle: ShortText | None = None
    """The subject of the confirmation mail; may hold the same placeholders as `emailmessage`."""
    emailmessage: LongText | None = None
    """The text of the confirmation mail, with placeholders such as `{name}`, `{event}` and `{date}`."""
    template: LongText | None = None
    """A text for the organizer's own use, kept and answered as it was sent."""
    socials: Annotated[list[SocialLinkInput], Field(max_length=_MAX_LINKS)] | None = None
    """Where else the event is to be found."""
    wallets: dict[PaymentMethod, Annotated[ShortText, Field(min_length=1)]] | None = None
    """The number to pay to, by payment method."""

    def changes(self) -> dict[str, Any]:  # Any: each column's own type
        """The columns that change; links and wallets are cleared to nothing rather than to null."""
        changes = self.changed_fields()
        if "socials" in changes:
            changes["socials"] = [link.model_dump() for link in self.socials or []]
        if "wallets" in changes:
            changes["wallets"] = {str(method): number for method, number in (self.wallets or {}).items()}
        return changes


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    changes=(Event,),
    raises=(errors.NotFound, errors.Forbidden, errors.ValidationFailed),
)
async def update_event(ctx: Context, id: EventId, data: UpdateEvent) -> ManagedEventView:
    """Change what is sent of an event."""
    organization = (await require_event_manager(ctx, id)).organization
    async with in_transaction():
        event = await Event.filter(id=id).select_for_update().get_or_none()
        if event is None:
            raise errors.NotFound("Event")
        if changes := data.changes():
            await _change(event, {**changes, "updated_at": ctx.now})
    event.organization = organization
    return await load_managed_view(ctx, event)


async def _change(event: Event, changes: dict[str, Any]) -> None:
    event.update_from_dict(changes)
    if _lies_after(event.deadline, event.date):
        raise errors.ValidationFailed(
            {"deadline": "must not lie after date"}
            if "deadline" in changes
            else {"date": "must not lie before deadline"}
        )
    event.sort_date = event.date or UNDATED
    event.search_text = search_text(event.name, event.location, event.description)
    await event.save(update_fields=[*changes, "sort_date", "search_text"])


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_DELETE), changes=(Event, Ticket), raises=(errors.NotFound, errors.Forbidden)
)
async def delete_event(ctx: Context, id: EventId) -> DeletedView:
    """Delete an event for good, with its tickets, ticket types, custom fields and pictures."""
    await require_event_manager(ctx, id)
    async with in_transaction():
        await cascade_delete_event(ctx, id)
    return deleted(id)
