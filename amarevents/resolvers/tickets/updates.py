"""Changes to tickets, and the places that they take and release: no place is sold twice (decisions 6.2)."""

from collections.abc import Iterable, Mapping, Sequence

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import Event, Ticket, TicketType
from amarevents.models.db.sql import sql
from amarevents.models.enums import PaymentMethod, TicketChangeKind, TicketStatus
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.resolvers.core.ids import TicketId
from amarevents.resolvers.core.inputs import DeletedView, Id, Money, NotNull, deleted
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.text_types import Email, LongText, Name, Phone
from amarevents.resolvers.core.transaction_ids import TransactionUpdate
from amarevents.resolvers.events.ticket_types import claim_place, release_place
from amarevents.resolvers.tickets.holds import awaits_payment, end_of_hold, end_overdue_holds_of_event
from amarevents.resolvers.tickets.notifications import requeue_ticket_email
from amarevents.resolvers.tickets.payment_claims import ClaimMove, claim_of_ticket, move_claims
from amarevents.resolvers.tickets.queries import (
    TicketDetailView,
    load_ticket,
    require_ticket_manager,
)
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow

Changes = Mapping[str, object]

Move = tuple[int | None, int | None]
"""The IDs of the ticket types that a ticket held a place of before and after a change; None for no place."""


class UpdateTicket(TransactionUpdate):
    """Fields of the ticket to update; omitted fields stay unchanged."""

    status: NotNull[TicketStatus] = None
    """The status of the ticket. Pending and approved tickets hold a place; rejected and refunded tickets do not."""
    name: NotNull[Name] = None
    """The name of the attendee."""
    email: NotNull[Email] = None
    """The email address of the attendee."""
    number: Phone | None = None
    """The phone number of the attendee; null removes it."""
    note: LongText | None = None
    """A note about the registration; null removes it."""
    amount: NotNull[Money] = None
    """The amount paid for the ticket, in taka with at most two decimals. What is due does not change."""
    ticket_type_id: Id | None = None
    """The ID of a ticket type of the event, whose price is then due; null removes the ticket from its type, and what is
    due does not change."""
    payment_method: PaymentMethod | None = None
    """The payment method; null removes it."""


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE),
    changes=(Ticket, TicketType),
    raises=(errors.NotFound, errors.Forbidden, errors.SoldOut, errors.DuplicateTransaction, errors.ValidationFailed),
)
async def update_ticket(ctx: Context, id: TicketId, data: UpdateTicket) -> TicketDetailView:
    """Approve, reject, refund or correct a ticket.

    The ticket takes or releases a place if its new status or ticket type requires that.
    """
    found = await require_ticket_manager(ctx, sql("tickets.id = ?", id))
    changes = data.changes_of(found.transaction_id)
    if not changes:
        return await load_ticket(ctx, id)
    new_type = await _get_ticket_type(found.event_id, data.ticket_type_id) if data.ticket_type_id else None
    try:
        await _update(ctx, found, new_type, changes)
    except errors.SoldOut:
        # Places of overdue holds are free. They are ended before the ticket is locked: tickets are locked by ID.
        await end_overdue_holds_of_event(ctx.services, ctx.now, found.event_id)
        await _update(ctx, found, new_type, changes)
    return await load_ticket(ctx, id)


async def _get_ticket_type(event_id: int, ticket_type_id: int) -> TicketType:
    """Return a ticket type of an event. Raises ValidationFailed."""
    ticket_type = await TicketType.get_or_none(id=ticket_type_id, event_id=event_id)
    if ticket_type is None:
        raise errors.ValidationFailed({"ticket_type_id": "is not a ticket type of this event"})
    return ticket_type


async def _update(ctx: Context, found: Ticket, new_type: TicketType | None, changes: Changes) -> None:
    async with in_transaction():
        ticket = await lock_ticket(found.id)
        if new_type is not None and new_type.id != ticket.ticket_type_id:
            changes = {**changes, "due": new_type.price}
        await change_tickets(ctx, [(ticket, found.event)], changes)


async def change_tickets(
    ctx: Context,
    tickets: Sequence[tuple[Ticket, Event]],
    changes: Changes,
) -> None:
    """Apply the same changes to tickets that the caller's transaction has locked, and move their claims and places.

    Attendees are notified as far as the changes concern them. Raises SoldOut, DuplicateTransaction, NotFound.
    """
    claims = [claim_of_ticket(ticket, event.organization_id) for ticket, event in tickets]
    places = [await _change_ticket(ctx, ticket, event, changes) for ticket, event in tickets]
    await move_claims(
        ClaimMove(ticket, claim, claim_of_ticket(ticket, event.organization_id))
        for (ticket, event), claim in zip(tickets, claims, strict=True)
    )
    await move_places(places)
    for ticket, _ in tickets:
        ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.UPDATED, ticket.id))


async def _change_ticket(ctx: Context, ticket: Ticket, event: Event, changes: Changes) -> Move:
    """Change a ticket and return the move of its place.

    A change of the status is a decision: it is dated, and the reason for an earlier decision is removed. A ticket that
    now awaits a payment, or no longer does, gets a hold that begins now, or none.
    """
    place_before, notified_before = _held_place(ticket), (ticket.status, ticket.email)
    awaited_payment = awaits_payment(ticket)
    if changes.get("status", ticket.status) is not ticket.status:
        changes = {"decision_reason": None, "decided_at": ctx.now, **changes}
    ticket.update_from_dict({**changes, "updated_at": ctx.now})
    if awaits_payment(ticket) is not awaited_payment:
        ticket.hold_expires_at = end_of_hold(ctx, ticket, event)
    await _save(ticket, [*changes, "email_key", "hold_expires_at", "updated_at"])
    if (ticket.status, ticket.email) != notified_before:
        await requeue_ticket_email(ctx, ticket, event)
    return place_before, _held_place(ticket)


async def lock_ticket(ticket_id: int) -> Ticket:
    """Lock a ticket until the transaction ends, and return it. Raises NotFound."""
    ticket = await Ticket.filter(id=ticket_id).select_for_update().get_or_none()
    if ticket is None:
        raise errors.NotFound("Ticket")
    return ticket


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_DELETE),
    changes=(Ticket, TicketType),
    raises=(errors.NotFound, errors.Forbidden),
)
async def delete_ticket(ctx: Context, id: TicketId) -> DeletedView:
    """Delete a ticket permanently and release its place."""
    await require_ticket_manager(ctx, sql("tickets.id = ?", id))
    async with in_transaction():
        ticket = await lock_ticket(id)
        await Ticket.filter(id=id).delete()
        await move_places([(_held_place(ticket), None)])
        ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.DELETED, id))
    return deleted(id)


def _held_place(ticket: Ticket) -> int | None:
    """Return the ID of the ticket type that the ticket holds a place of."""
    return ticket.ticket_type_id if ticket.status.holds_place else None


async def _save(ticket: Ticket, fields: list[str]) -> None:
    with integrity_errors({}, otherwise=errors.NotFound("Ticket type")):
        await ticket.save(update_fields=fields)


async def move_places(moves: Iterable[Move]) -> None:
    """Release and claim places in the order of the ticket types' IDs, so that concurrent moves cannot deadlock."""
    changed = [(before, after) for before, after in moves if before != after]
    steps = [step for before, after in changed for step in ((before, release_place), (after, claim_place))]
    for ticket_type_id, step in sorted(steps, key=lambda pair: pair[0] or 0):
        if ticket_type_id is not None:
            await step(ticket_type_id)
