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
from amarevents.resolvers.events.deletion import erase_event
from amarevents.resolvers.events.queries import AnyCaseCategory, ManagedEventView, managed_event_view
from amarevents.resolvers.events.ticket_types import MAX_TICKET_TYPES, TicketTypeInput, new_ticket_type
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow

_MAX_LINKS = 50


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
    ticket_types: Annotated[list[TicketTypeInput], Field(max_length=MAX_TICKET_TYPES, default_factory=list)]

    @field_validator("deadline")
    @classmethod
    def _not_after_date(cls, deadline: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        if _lies_after(deadline, info.data.get("date")):
            raise ValueError("must not lie after date")
        return deadline


def _lies_after(deadline: datetime.date | None, date: datetime.date | None) -> bool:
    return deadline is not None and date is not None and deadline > date


@operation(allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), creates=True, changes=(Event,))
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
        for ticket_type in data.ticket_types:
            await new_ticket_type(event.id, ticket_type)
    event.organization = organization
    return await managed_event_view(ctx, event)


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
    url: Url


class UpdateEvent(Input):
    """What of an event can change; null clears what is optional.

    ``wallets``: payment method to number. ``emailtitle`` and ``emailmessage`` are of the mail that confirms a ticket;
    they may hold ``{name}``, ``{event}``, ``{location}``, ``{date}``, ``{price}``, ``{id}`` and the names of custom
    fields in braces.
    """

    name: NotNull[Name] = None
    date: Date | None = None
    deadline: Date | None = None
    location: ShortText | None = None
    category: AnyCaseCategory | None = None
    description: LongText | None = None
    logo: Url | None = None
    banner: Url | None = None
    privacy: NotNull[Privacy] = None
    notice: LongText | None = None
    emailtitle: ShortText | None = None
    emailmessage: LongText | None = None
    template: LongText | None = None
    socials: Annotated[list[SocialLinkInput], Field(max_length=_MAX_LINKS)] | None = None
    wallets: dict[PaymentMethod, Annotated[ShortText, Field(min_length=1)]] | None = None

    def changes(self) -> dict[str, Any]:  # Any: each column's own type
        """The columns that change; links and wallets are cleared to nothing rather than to null."""
        changes = self.sent()
        if "socials" in changes:
            changes["socials"] = [link.model_dump() for link in self.socials or []]
        if "wallets" in changes:
            changes["wallets"] = {str(method): number for method, number in (self.wallets or {}).items()}
        return changes


@operation(allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE), changes=(Event,))
async def update_event(ctx: Context, id: int, data: UpdateEvent) -> ManagedEventView:
    """Change what is sent of an event.

    Raises NotFound, Forbidden, or ValidationFailed for a deadline after the date.
    """
    organization = (await require_event_manager(ctx, id)).organization
    async with in_transaction():
        event = await Event.filter(id=id).select_for_update().get_or_none()
        if event is None:
            raise errors.NotFound("Event")
        if changes := data.changes():
            await _change(event, {**changes, "updated_at": ctx.now})
    event.organization = organization
    return await managed_event_view(ctx, event)


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


@operation(allow(*ORGANIZERS, scope=Scope.EVENTS_DELETE), changes=(Event, Ticket))
async def delete_event(ctx: Context, id: int) -> DeletedView:
    """Delete an event for good, with its tickets, ticket types, custom fields and pictures.

    Raises NotFound, Forbidden.
    """
    await require_event_manager(ctx, id)
    async with in_transaction():
        await erase_event(ctx, id)
    return deleted(id)
