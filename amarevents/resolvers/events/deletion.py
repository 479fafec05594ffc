"""Deleting an event with everything that belongs to it (decisions 4.5)."""

from tortoise.expressions import F, Q

from amarevents import errors
from amarevents.models import Event, Organization
from amarevents.resolvers.core.locking import _erase_tickets
from amarevents.security.context import Context


async def erase_event(ctx: Context, event_id: int) -> None:
    """Raises NotFound if it has gone meanwhile."""
    event = await Event.filter(id=event_id).select_for_update().get_or_none()
    if event is None:
        raise errors.NotFound("Event")
    await _erase_tickets(Q(event_id=event_id))
    await Event.filter(id=event_id).delete()
    ctx.announce(event_id)
    await Organization.filter(id=event.organization_id).update(events_used=F("events_used") - 1)
