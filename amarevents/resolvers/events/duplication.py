"""Duplication of events: a new event with the content of an existing one (docs/decisions.md, "Duplicated events")."""

import datetime

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import CustomField, Event, TicketType
from amarevents.models.events import UNDATED
from amarevents.resolvers.core.ids import EventId
from amarevents.resolvers.core.inputs import Date, Input
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import require_event_manager
from amarevents.resolvers.core.text_types import Name
from amarevents.resolvers.events.mutations import claim_slot
from amarevents.resolvers.events.views import ManagedEventView, load_managed_view
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow
from amarevents.text import search_text


class DuplicateEvent(Input):
    """Fields of the copy that differ from the original."""

    name: Name
    """The name of the copy."""
    date: Date | None = None
    """The date of the copy, such as 2027-01-31; if null, the copy has no date."""


@operation(
    allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE),
    creates=True,
    changes=(Event, TicketType, CustomField),
    raises=(errors.NotFound, errors.Forbidden, errors.EventSlotsExhausted),
)
async def duplicate_event(ctx: Context, id: EventId, data: DuplicateEvent) -> ManagedEventView:
    """Duplicate an event with its ticket types and custom fields, in the same organization.

    The copy has no deadline, no tickets and no gallery images. Later changes to one of the two events do not affect the
    other.
    """
    organization_id = (await require_event_manager(ctx, id)).organization_id
    async with in_transaction():
        original = await _lock_event(id)
        await claim_slot(organization_id)
        event = await _copy_event(original, data, ctx.now)
        await _copy_parts(original.id, event.id, ctx.now)
    return await load_managed_view(ctx, event.id)


async def _lock_event(event_id: int) -> Event:
    """Lock the event until the transaction ends, so that it is copied as a whole, and return it. Raises NotFound."""
    event = await Event.filter(id=event_id).select_for_update().get_or_none()
    if event is None:  # deleted since the permission was checked
        raise errors.NotFound("Event")
    return event


async def _copy_event(original: Event, data: DuplicateEvent, now: datetime.datetime) -> Event:
    event = original.clone()
    event.update_from_dict(
        {
            "name": data.name,
            "date": data.date,
            "sort_date": data.date or UNDATED,
            "deadline": None,
            "search_text": search_text(data.name, original.location, original.description),
            "created_at": now,
            "updated_at": now,
        }
    )
    await event.save()
    return event


async def _copy_parts(original_id: int, event_id: int, now: datetime.datetime) -> None:
    """Copy the ticket types and custom fields in the order of their IDs, by which they are sorted."""
    ticket_types = [row.clone() for row in await TicketType.filter(event_id=original_id).order_by("id")]
    for ticket_type in ticket_types:
        ticket_type.update_from_dict({"event_id": event_id, "sold": 0, "created_at": now})
    await TicketType.bulk_create(ticket_types)
    custom_fields = [row.clone() for row in await CustomField.filter(event_id=original_id).order_by("id")]
    for custom_field in custom_fields:
        custom_field.event_id = event_id
    await CustomField.bulk_create(custom_fields)
