"""Deleting events and accounts with all that hangs on them, giving places and slots back (decisions 4.5, 8.6).

All of it runs in the caller's transaction. Rows are locked in one order everywhere (account, events, tickets by id,
then ticket types by id), so that a deletion and a registration wait for each other instead of for ever.
"""

from typing import TypeVar

from tortoise.expressions import F, Q, Subquery
from tortoise.functions import Count
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import Event, Organization, Ticket, TicketType, User
from amarevents.models.enums import HOLDING, TicketChangeKind
from amarevents.resolvers.base import Context
from amarevents.security.broker import TicketChange

M = TypeVar("M", bound=Model)


async def erase_event(ctx: Context, event_id: int) -> None:
    """Raises NotFound if it has gone meanwhile."""
    event = await Event.filter(id=event_id).select_for_update().get_or_none()
    if event is None:
        raise errors.NotFound("Event")
    await _erase_tickets(Q(event_id=event_id))
    await Event.filter(id=event_id).delete()
    ctx.announce(event_id)
    await Organization.filter(id=event.organization_id).update(events_used=F("events_used") - 1)


async def erase_account(ctx: Context, user_id: int) -> None:
    """An account, its tickets anywhere, its organizations and their events with everybody's tickets to them.

    The database deletes the rest with the account: keys, sessions, organizations, events and what hangs on them.
    """
    await User.filter(id=user_id).select_for_update().get_or_none()
    events = Event.filter(organization__user_id=user_id)
    await lock_in_order(events)
    await _announce_erasure(ctx, user_id, events)
    # Together: once the places of some have been given back it would be too late to wait for others.
    await _erase_tickets(Q(user_id=user_id) | Q(event_id__in=Subquery(events.values("id"))))
    await User.filter(id=user_id).delete()


async def _announce_erasure(ctx: Context, user_id: int, events: QuerySet[Event]) -> None:
    """Of the account's events each, of those of others the tickets that go."""
    gone = {event_id for (event_id,) in await events.values_list("id")}
    for event_id in gone:
        ctx.announce(event_id)
    for event_id, ticket_id in await Ticket.filter(user_id=user_id).values_list("event_id", "id"):
        if event_id not in gone:
            ctx.announce(event_id, TicketChange(TicketChangeKind.DELETED, ticket_id))


async def _erase_tickets(which: Q) -> None:
    await lock_in_order(Ticket.filter(which))
    held = Ticket.filter(which, status__in=HOLDING, ticket_type_id__isnull=False)
    counts = await held.annotate(places=Count("id")).group_by("ticket_type_id").values_list("ticket_type_id", "places")
    await Ticket.filter(which).delete()
    for ticket_type_id, places in sorted(counts):
        await TicketType.filter(id=ticket_type_id).update(sold=F("sold") - places)


async def lock_in_order(rows: QuerySet[M]) -> list[M]:
    """Keep everybody else from changing the rows until the transaction ends. Of them no more is loaded than the id."""
    return await rows.order_by("id").select_for_update().only("id")
