"""Holds: an unpaid ticket keeps its place for a limited time and then fails (decisions 6.2a).

A hold is overdue from its end on. Its place is free then: a registration takes it over, and the maintenance of every
process ends the other overdue holds within seconds. The transaction that locks the ticket first decides: a payment or
an approval that comes before the end keeps the ticket, and one that comes after it finds the ticket failed.
"""

import asyncio
import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from tortoise.expressions import Q
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import Event, Ticket, TicketType, User
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.models.tickets import EXPIRED
from amarevents.resolvers.core.operation import after_commit
from amarevents.resolvers.events.ticket_types import release_place
from amarevents.resolvers.tickets.notifications import enqueue_ticket_email, reason_to_hold_email
from amarevents.resolvers.tickets.payment_claims import Payable
from amarevents.security.context import Context
from amarevents.security.services import Services
from amarevents.tasks import finish

BATCH_SIZE = 100
"""The maximum number of holds that one transaction ends."""
UNPAID = "tickets.status = 'Pending' AND tickets.transaction_id IS NULL"
"""The same condition in SQL."""
_UNPAID = Q(status=TicketStatus.PENDING, transaction_id__isnull=True)
"""The condition of ``_is_unpaid``. Other tickets have no hold, though an end of one may be left in their rows."""


class _Terms(Protocol):
    """How long an event holds a place; None for the default of the platform."""

    hold_minutes: int | None


def _is_unpaid(ticket: Payable) -> bool:
    return ticket.status is TicketStatus.PENDING and ticket.transaction_id is None


def awaits_payment(ticket: Payable) -> bool:
    """Return whether a pending ticket, for which something has to be paid, has no transaction ID yet."""
    return _is_unpaid(ticket) and (ticket.due > 0 or ticket.amount > 0)


def end_of_hold(ctx: Context, ticket: Payable, event: _Terms) -> datetime.datetime | None:
    """Return the end of a hold that begins now, or None for a ticket whose place is not held for a limited time."""
    minutes = ctx.services.settings.hold_minutes if event.hold_minutes is None else event.hold_minutes
    return ctx.now + datetime.timedelta(minutes=minutes) if minutes and awaits_payment(ticket) else None


def expires_at(ticket: Ticket) -> datetime.datetime | None:
    """Return when the hold of the ticket ends, or None if it has none."""
    return ticket.hold_expires_at if _is_unpaid(ticket) else None


def overdue(now: datetime.datetime) -> Q:
    """Return the condition that the time of a ticket's hold is over."""
    return _UNPAID & Q(hold_expires_at__lte=now)


def require_not_expired(ticket: Ticket, now: datetime.datetime) -> None:
    """Raise TicketExpired if the hold of the ticket, which the caller has locked, is overdue or has been ended."""
    has_ended = ticket.status is TicketStatus.FAILED and ticket.decision_reason == EXPIRED
    end = expires_at(ticket)
    if has_ended or (end is not None and end <= now):
        raise errors.TicketExpired


async def take_overdue_place(ctx: Context, event_id: int, ticket_type_id: int) -> bool:
    """End one overdue hold of the type and leave its place to the caller, in the caller's transaction.

    The place stays counted, so the row of the type is not needed. Waits for a transaction that is ending such a hold.
    """
    holds = Ticket.filter(overdue(ctx.now), event_id=event_id, ticket_type_id=ticket_type_id)
    ticket = await holds.order_by("id").select_for_update().first()
    if ticket is None:
        return False
    await _fail(ctx, [ticket])
    return True


async def end_overdue_holds(services: Services, now: datetime.datetime) -> None:
    """End all overdue holds, except those of tickets that other transactions are changing or ending at the moment."""
    while await _end_batch(services, now, Ticket.filter(overdue(now)), skip_locked=True):
        pass


async def end_overdue_holds_of_event(services: Services, now: datetime.datetime, event_id: int) -> None:
    """End the overdue holds of an event, and wait for other transactions that are ending them."""
    while await _end_batch(services, now, Ticket.filter(overdue(now), event_id=event_id), skip_locked=False):
        pass


async def _end_batch(services: Services, now: datetime.datetime, holds: QuerySet[Ticket], *, skip_locked: bool) -> bool:
    """End a batch of the holds, in a transaction of its own; return whether there may be others to end."""
    ids = await _find(holds)
    if not ids:
        return False  # without a transaction, which would lock the whole database on SQLite
    ctx = Context(services=services, request_id="", address="", now=now)
    try:
        async with in_transaction():
            locked = await _lock(holds, ids, skip_locked=skip_locked)
            await _fail(ctx, locked)
            await _release(locked)
    finally:  # even if a cancellation arrives during the commit
        await finish(after_commit(ctx, changes=(Ticket, TicketType)))
    return bool(locked) or not skip_locked  # those that it waited for are not found again


async def _find(holds: QuerySet[Ticket]) -> list[int]:
    """Return the IDs of a batch of the holds. Until they are locked, each may be ended, or its ticket be paid."""
    return [ticket_id for (ticket_id,) in await holds.order_by("hold_expires_at").limit(BATCH_SIZE).values_list("id")]


async def _lock(holds: QuerySet[Ticket], ids: Sequence[int], *, skip_locked: bool) -> list[Ticket]:
    """Lock those that are still among the holds, by ID."""
    return await holds.filter(id__in=list(ids)).order_by("id").select_for_update(skip_locked=skip_locked)


async def _release(tickets: Sequence[Ticket]) -> None:
    """Release the places of the tickets, in the order of the IDs of their types."""
    places = Counter(ticket.ticket_type_id for ticket in tickets if ticket.ticket_type_id is not None)
    for ticket_type_id, number in sorted(places.items()):
        await release_place(ticket_type_id, number)


async def _fail(ctx: Context, tickets: Sequence[Ticket]) -> None:
    """Fail tickets that the caller's transaction has locked, and notify their attendees. Their places stay counted."""
    changes = {
        "status": TicketStatus.FAILED,
        "decision_reason": EXPIRED,
        "decided_at": ctx.now,
        "hold_expires_at": None,
        "updated_at": ctx.now,
    }
    await Ticket.filter(id__in=[ticket.id for ticket in tickets]).update(**changes)
    events = await Event.in_bulk({ticket.event_id for ticket in tickets}, "id")
    accounts = await User.in_bulk({ticket.user_id for ticket in tickets}, "id")
    # Only now, so that each email counts once; all at once, because the tickets are locked.
    reasons = await asyncio.gather(
        *(reason_to_hold_email(ctx, ticket.email, registered_by=accounts[ticket.user_id].email) for ticket in tickets)
    )
    for ticket, held_because in zip(tickets, reasons, strict=True):
        ticket.update_from_dict(changes)
        await enqueue_ticket_email(ctx, ticket, events[ticket.event_id], {}, held_because=held_because)
        ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.UPDATED, ticket.id))
