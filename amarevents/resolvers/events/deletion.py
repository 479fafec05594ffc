"""Deletion of events and tickets with everything that belongs to them (decisions 4.5).

The functions run in the caller's transaction and lock rows in the order described in ``core.locking``.
"""

from tortoise.expressions import F, Q
from tortoise.functions import Count

from amarevents import errors
from amarevents.models import Event, Organization, Ticket, TicketType
from amarevents.models.enums import HOLDING
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.security.context import Context


async def cascade_delete_event(ctx: Context, event_id: int) -> None:
    """Delete an event and return its slot to the organization. Raises NotFound if it no longer exists."""
    event = await Event.filter(id=event_id).select_for_update().get_or_none()
    if event is None:
        raise errors.NotFound("Event")
    await delete_tickets(Q(event_id=event_id))
    await Event.filter(id=event_id).delete()
    ctx.record_change(event_id)
    await Organization.filter(id=event.organization_id).update(events_used=F("events_used") - 1)


async def delete_tickets(condition: Q) -> None:
    """Delete the tickets that meet the condition and release the places that they hold."""
    await lock_in_order(Ticket.filter(condition))
    holding = Ticket.filter(condition, status__in=HOLDING, ticket_type_id__isnull=False)
    counts = (
        await holding.annotate(places=Count("id")).group_by("ticket_type_id").values_list("ticket_type_id", "places")
    )
    await Ticket.filter(condition).delete()
    for ticket_type_id, places in sorted(counts):
        await TicketType.filter(id=ticket_type_id).update(sold=F("sold") - places)
