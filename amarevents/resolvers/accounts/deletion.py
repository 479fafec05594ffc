"""Deleting an account with everything that belongs to it (decisions 8.6)."""

from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet

from amarevents.infra.pubsub import TicketChange
from amarevents.models import Event, Ticket, User
from amarevents.models.enums import TicketChangeKind
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.resolvers.events.deletion import delete_tickets
from amarevents.security.context import Context


async def cascade_delete_account(ctx: Context, user_id: int) -> None:
    """An account, its tickets anywhere, its organizations and their events with everybody's tickets to them.

    The database deletes the rest with the account: keys, sessions, organizations, events and what hangs on them.
    """
    await User.filter(id=user_id).select_for_update().get_or_none()
    events = Event.filter(organization__user_id=user_id)
    await lock_in_order(events)
    await _announce_erasure(ctx, user_id, events)
    # Together: once the places of some have been given back it would be too late to wait for others.
    await delete_tickets(Q(user_id=user_id) | Q(event_id__in=Subquery(events.values("id"))))
    await User.filter(id=user_id).delete()


async def _announce_erasure(ctx: Context, user_id: int, events: QuerySet[Event]) -> None:
    """Of the account's events each, of those of others the tickets that go."""
    gone = {event_id for (event_id,) in await events.values_list("id")}
    for event_id in gone:
        ctx.record_change(event_id)
    for event_id, ticket_id in await Ticket.filter(user_id=user_id).values_list("event_id", "id"):
        if event_id not in gone:
            ctx.record_change(event_id, TicketChange(TicketChangeKind.DELETED, ticket_id))
