"""Deletion of an account with everything that belongs to it (decisions 8.6)."""

from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet

from amarevents.infra.pubsub import TicketChange
from amarevents.models import Donation, Event, Organization, Ticket, User
from amarevents.models.enums import TicketChangeKind
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.resolvers.events.deletion import delete_tickets
from amarevents.security.context import Context


async def cascade_delete_account(ctx: Context, user_id: int) -> None:
    """Delete an account, its tickets, and its organizations with their events and all tickets for these events.

    The database deletes what else belongs to the account: API keys, sessions, organizations, and events with their
    parts.
    """
    await User.filter(id=user_id).select_for_update().get_or_none()
    events = Event.filter(organization__user_id=user_id)
    await lock_in_order(events)
    await _record_deletions(ctx, user_id, events)
    # Before payment claims are deleted: a new donation holds its organization while it waits for one.
    await lock_in_order(Organization.filter(user_id=user_id))
    await lock_in_order(Donation.filter(organization__user_id=user_id))
    # All tickets at once: releasing places locks ticket types, and tickets must be locked before ticket types.
    await delete_tickets(Q(user_id=user_id) | Q(event_id__in=Subquery(events.values("id"))))
    await User.filter(id=user_id).delete()


async def _record_deletions(ctx: Context, user_id: int, events: QuerySet[Event]) -> None:
    """Record the deletion of the account's events, and of its tickets for other events."""
    own_event_ids = {event_id for (event_id,) in await events.values_list("id")}
    for event_id in own_event_ids:
        ctx.record_change(event_id)
    for event_id, ticket_id in await Ticket.filter(user_id=user_id).values_list("event_id", "id"):
        if event_id not in own_event_ids:
            ctx.record_change(event_id, TicketChange(TicketChangeKind.DELETED, ticket_id))
