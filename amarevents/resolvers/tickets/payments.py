"""Payments of pending tickets: entered by the buyer, and decided by the organizer, each on its own or all together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import Ticket, TicketType
from amarevents.models.db.sql import is_in, sql
from amarevents.models.enums import PaymentMethod, TicketStatus
from amarevents.resolvers.core.inputs import DateTime, Id, Input, Money, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import own_tickets, visible_tickets
from amarevents.resolvers.core.select import by_id
from amarevents.resolvers.core.text_types import ShortText
from amarevents.resolvers.core.transaction_ids import TransactionId
from amarevents.resolvers.tickets.holds import require_not_expired
from amarevents.resolvers.tickets.queries import (
    TICKETS,
    TicketDetailView,
    TicketView,
    load_managed_tickets,
    load_ticket,
    load_with_events,
    require_ticket_manager,
)
from amarevents.resolvers.tickets.updates import change_tickets, lock_ticket
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, USERS, Scope, allow

MAX_DECISIONS = 100
"""The maximum number of payments in one request."""


class DecisionMode(StrEnum):
    """What happens to the other payments if one of them cannot be decided."""

    ALL = "all"
    """Decide all payments or none."""
    EACH = "each"
    """Decide the payments that can be decided, and report the others."""


@dataclass(slots=True, kw_only=True)
class DecisionView:
    """The organizer's latest decision on a ticket."""

    decided_at: DateTime
    """When the status of the ticket was last changed, in UTC."""
    reason: str | None
    """The reason for the decision, which the attendee can read; null if none was given."""


@dataclass(slots=True, kw_only=True)
class DecisionFailureView:
    """A ticket whose payment could not be decided, and the error."""

    ticket_id: RecordId
    """The ID of the ticket."""
    code: str
    """The error code."""
    message: str
    """The error message."""


@dataclass(slots=True, kw_only=True)
class PaymentDecisionsView:
    """The results of an approval or rejection of payments, in the order of the request."""

    decided: list[TicketView]
    """The tickets whose payments were decided, with their new status."""
    failed: list[DecisionFailureView]
    """The tickets whose payments could not be decided, each with its error."""


class AddPayment(Input):
    """The payment for a ticket."""

    ticket_id: Id
    """The ID of the ticket."""
    transaction_id: TransactionId
    """The transaction ID of the payment, which can pay once. Only its letters and digits are compared."""
    payment_method: PaymentMethod | None = None
    """The payment method. Without it, that of the ticket stays unchanged."""
    amount: Money | None = None
    """The amount that you say you have paid, in taka. Without it, that of the ticket stays unchanged."""

    def entered(self) -> dict[str, object]:
        """Return the columns of the ticket that were sent."""
        return self.model_dump(exclude={"ticket_id"}, exclude_none=True)


@operation(
    allow(*USERS, scope=Scope.TICKETS_WRITE),
    changes=(Ticket, TicketType),
    raises=(
        errors.NotFound,
        errors.Forbidden,
        errors.NotPending,
        errors.TicketExpired,
        errors.DuplicateTransaction,
    ),
)
async def add_payment(ctx: Context, data: AddPayment) -> TicketDetailView:
    """Enter the payment for your own ticket while it is pending.

    The ticket then keeps its place until the organizer has decided on the payment. Repeating this has no further
    effect. Only the organizer can change a payment that has been entered.
    """
    found = await _require_own(ctx, data.ticket_id)
    async with in_transaction():
        ticket = await lock_ticket(found.id)
        require_not_expired(ticket, ctx.now)
        _require_pending(ticket)
        changes = {name: value for name, value in data.entered().items() if getattr(ticket, name) != value}
        if changes and ticket.transaction_id is not None:
            # The organizer may already have looked it up, and approves what is then the payment of the ticket.
            raise errors.Forbidden("The payment has been entered already; ask the organizer to change it")
        if changes:
            await change_tickets(ctx, [(ticket, found.event)], changes)
    return await load_ticket(ctx, found.id)


async def _require_own(ctx: Context, ticket_id: int) -> Ticket:
    """Return the caller's ticket with its event. Raises NotFound, or Forbidden if the caller may only see it."""
    condition = sql("tickets.id = ?", ticket_id)
    for ticket in await load_with_events(condition & own_tickets(ctx)):
        return ticket
    if await TICKETS.where(condition, visible_tickets(ctx)).exists():
        raise errors.Forbidden("Only the account that the ticket belongs to can do this; update the ticket instead")
    raise errors.NotFound("Ticket")


def _require_distinct(ticket_ids: list[int]) -> list[int]:
    if len(set(ticket_ids)) < len(ticket_ids):
        raise ValueError("must not contain a ticket twice")
    return ticket_ids


class DecidePayments(Input):
    """The tickets whose payments to reject."""

    ticket_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_DECISIONS), AfterValidator(_require_distinct)]
    """The IDs of the tickets: 1 to 100, without duplicates."""
    mode: DecisionMode = DecisionMode.EACH
    """What happens to the other payments if one of them cannot be decided."""
    reason: ShortText | None = None
    """The reason for the decision. Attendees can read it, and the email about a rejected payment contains it."""


class ApprovePayments(DecidePayments):
    """The tickets whose payments to approve."""

    accept_differences: bool = False
    """Whether to approve payments whose amount is not what is due. Their amounts then count as paid."""


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE),
    changes=(Ticket, TicketType),
    raises=(errors.NotFound, errors.Forbidden, errors.NotPending, errors.AmountDiffers),
)
async def approve_payments(ctx: Context, data: ApprovePayments) -> PaymentDecisionsView:
    """Approve the payments for pending tickets, and notify the attendees by email.

    A payment whose amount is not what is due is only approved if differences are accepted.
    """
    return await _decide(ctx, data, TicketStatus.SUCCESS)


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE),
    changes=(Ticket, TicketType),
    raises=(errors.NotFound, errors.Forbidden, errors.NotPending),
)
async def reject_payments(ctx: Context, data: DecidePayments) -> PaymentDecisionsView:
    """Reject the payments for pending tickets, release their places, and notify the attendees by email."""
    return await _decide(ctx, data, TicketStatus.FAILED)


async def _decide(ctx: Context, data: DecidePayments, status: TicketStatus) -> PaymentDecisionsView:
    """Decide in at most eight statements per ticket, or five per ticket and three more if all are decided together."""
    if data.mode is DecisionMode.ALL:
        decided = await _decide_together(ctx, data, data.ticket_ids, status)
        return PaymentDecisionsView(decided=decided, failed=[])
    answer = PaymentDecisionsView(decided=[], failed=[])
    for ticket_id in data.ticket_ids:
        try:
            answer.decided += await _decide_together(ctx, data, [ticket_id], status)
        except errors.AmarEventsError as error:
            failure = DecisionFailureView(ticket_id=RecordId(ticket_id), code=error.code, message=error.text)
            answer.failed.append(failure)
    return answer


async def _decide_together(
    ctx: Context, data: DecidePayments, ticket_ids: Sequence[int], status: TicketStatus
) -> list[TicketView]:
    """Decide all tickets or none, in one transaction that locks the tickets and then their types, each by ID."""
    found = await _require_managed(ctx, ticket_ids)
    async with in_transaction():
        locked = {row.id: row for row in await Ticket.filter(id__in=ticket_ids).order_by("id").select_for_update()}
        for position, ticket_id in enumerate(ticket_ids):
            with _errors_at(position):
                _require_decidable(locked.get(ticket_id), data)
        changes = {"status": status, "decision_reason": data.reason}
        await change_tickets(ctx, [(row, found[row.id].event) for row in locked.values()], changes)
        decided = by_id(await TICKETS.where(is_in("tickets.id", ticket_ids)).fetch())
    return [decided[ticket_id] for ticket_id in ticket_ids]


async def _require_managed(ctx: Context, ticket_ids: Sequence[int]) -> dict[int, Ticket]:
    """Return the tickets by ID, with their events. Raises NotFound or Forbidden for the first that is not managed."""
    found = {ticket.id: ticket for ticket in await load_managed_tickets(ctx, is_in("tickets.id", ticket_ids))}
    for position, ticket_id in enumerate(ticket_ids):
        if ticket_id not in found:
            with _errors_at(position):
                found[ticket_id] = await require_ticket_manager(ctx, sql("tickets.id = ?", ticket_id))
    return found


def _require_pending(ticket: Ticket) -> None:
    if ticket.status is not TicketStatus.PENDING:
        raise errors.NotPending(ticket.status)


def _require_decidable(ticket: Ticket | None, data: DecidePayments) -> None:
    if ticket is None:
        raise errors.NotFound("Ticket")
    _require_pending(ticket)
    if isinstance(data, ApprovePayments) and not data.accept_differences and ticket.amount != ticket.due:
        raise errors.AmountDiffers(ticket.amount, ticket.due)


@contextmanager
def _errors_at(position: int) -> Iterator[None]:
    """Add the position of the ticket to errors that are raised in the block."""
    try:
        yield
    except errors.AmarEventsError as error:
        error.fields[f"ticket_ids.{position}"] = error.text
        raise


async def load_decisions(ctx: Context, ticket_ids: Sequence[int]) -> dict[int, DecisionView]:
    """Return the latest decisions on tickets that the caller may see, by ticket ID, in one statement."""
    rows = Ticket.filter(id__in=list(ticket_ids), decided_at__isnull=False)
    return {
        ticket_id: DecisionView(decided_at=decided_at, reason=reason)
        for ticket_id, decided_at, reason in await rows.values_list("id", "decided_at", "decision_reason")
    }
