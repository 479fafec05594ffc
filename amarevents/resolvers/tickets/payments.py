"""Deciding on payments, many at once: approving and rejecting pending tickets, each for itself or all or none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import Ticket
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.resolvers.core.inputs import DateTime, Id, Input, RecordId, ShortText
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import managed
from amarevents.resolvers.tickets.queries import TicketView, require_ticket_manager, ticket_view, with_event
from amarevents.resolvers.tickets.registration import change_ticket, move_places
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow

MAX_DECIDED = 100
"""How many payments are decided at once."""


class DecisionMode(StrEnum):
    """Whether one ticket that cannot be decided keeps the others from being decided."""

    ALL = "all"
    """All are decided, or none."""
    EACH = "each"
    """What can be decided is; the rest is reported."""


@dataclass(slots=True, kw_only=True)
class DecisionView:
    """When the organizer last gave a ticket another status, and why, where a reason was given."""

    decided_at: DateTime
    """When its status was last changed, in UTC."""
    reason: str | None
    """Why it was decided so, for the attendee; null without a reason."""


@dataclass(slots=True, kw_only=True)
class DecisionFailureView:
    """A ticket that has not been decided, with the code and the words of what is in the way."""

    ticket_id: RecordId
    """The id of the ticket."""
    code: str
    """What is in the way, for programs."""
    message: str
    """The same for people."""


@dataclass(slots=True, kw_only=True)
class PaymentDecisionsView:
    """The tickets as they are now, and those that could not be decided, both in the order in which they were named."""

    decided: list[TicketView]
    """The tickets that have been decided, as they are now."""
    failed: list[DecisionFailureView]
    """The tickets that could not be decided, and why."""


def _distinct(ticket_ids: list[int]) -> list[int]:
    if len(set(ticket_ids)) < len(ticket_ids):
        raise ValueError("must not name a ticket twice")
    return ticket_ids


class DecidePayments(Input):
    """The tickets, each named once. EACH decides what can be decided and reports the rest; ALL decides all or none.

    The reason is kept with each ticket, is shown to its attendee, and stands in the mail about a rejected payment.
    """

    ticket_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_DECIDED), AfterValidator(_distinct)]
    """The tickets, each named once."""
    mode: DecisionMode = DecisionMode.EACH
    """Whether one ticket that cannot be decided keeps the others from being decided."""
    reason: ShortText | None = None
    """Why they are decided so, for the attendees."""


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE),
    changes=(Ticket,),
    raises=(errors.NotFound, errors.Forbidden, errors.NotPending),
)
async def approve_payments(ctx: Context, data: DecidePayments) -> PaymentDecisionsView:
    """Approve pending tickets: the payments have been seen, the places are good, and the attendees are mailed."""
    return await _decide(ctx, data, TicketStatus.SUCCESS)


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE),
    changes=(Ticket,),
    raises=(errors.NotFound, errors.Forbidden, errors.NotPending),
)
async def reject_payments(ctx: Context, data: DecidePayments) -> PaymentDecisionsView:
    """Reject pending tickets: they fail, their places are free at once, and the attendees are mailed."""
    return await _decide(ctx, data, TicketStatus.FAILED)


async def _decide(ctx: Context, data: DecidePayments, status: TicketStatus) -> PaymentDecisionsView:
    """At most eight statements a ticket with EACH; with ALL five, and three for all of them together."""
    if data.mode is DecisionMode.ALL:
        decided = await _decide_together(ctx, data.ticket_ids, status, reason=data.reason)
        return PaymentDecisionsView(decided=decided, failed=[])
    answer = PaymentDecisionsView(decided=[], failed=[])
    for ticket_id in data.ticket_ids:
        try:
            answer.decided += await _decide_together(ctx, [ticket_id], status, reason=data.reason)
        except errors.AmarEventsError as refusal:
            answer.failed.append(
                DecisionFailureView(ticket_id=RecordId(ticket_id), code=refusal.code, message=refusal.text)
            )
    return answer


async def _decide_together(
    ctx: Context, ticket_ids: Sequence[int], status: TicketStatus, *, reason: str | None
) -> list[TicketView]:
    """All or none, in one transaction that locks the tickets by id and then the ticket types by id."""
    found = await _require_managed(ctx, ticket_ids)
    async with in_transaction():
        locked = {row.id: row for row in await Ticket.filter(id__in=ticket_ids).order_by("id").select_for_update()}
        for position, ticket_id in enumerate(ticket_ids):
            with _refusals_about(position):
                _require_pending(locked.get(ticket_id))
        changes = {"status": status, "decision_reason": reason}
        await move_places([await change_ticket(ctx, row, found[row.id].event, changes) for row in locked.values()])
        decided = {row.id: ticket_view(row) for row in await with_event(Ticket.filter(id__in=ticket_ids))}
        for row in locked.values():
            ctx.record_change(row.event_id, TicketChange(TicketChangeKind.UPDATED, row.id))
    return [decided[ticket_id] for ticket_id in ticket_ids]


async def _require_managed(ctx: Context, ticket_ids: Sequence[int]) -> dict[int, Ticket]:
    """The tickets with their events. Raises NotFound or Forbidden, as for one, for the first that is not managed."""
    manageable = Ticket.filter(managed(ctx, "event__organization__user_id"), id__in=ticket_ids)
    found = {ticket.id: ticket for ticket in await with_event(manageable)}
    for position, ticket_id in enumerate(ticket_ids):
        if ticket_id not in found:
            with _refusals_about(position):
                found[ticket_id] = await require_ticket_manager(ctx, Q(id=ticket_id))
    return found


def _require_pending(ticket: Ticket | None) -> None:
    if ticket is None:
        raise errors.NotFound("Ticket")
    if ticket.status is not TicketStatus.PENDING:
        raise errors.NotPending(ticket.status)


@contextmanager
def _refusals_about(position: int) -> Iterator[None]:
    """What is refused says about which of the tickets it is."""
    try:
        yield
    except errors.AmarEventsError as refusal:
        refusal.fields[f"ticket_ids.{position}"] = refusal.text
        raise


async def load_decisions(ticket_ids: Sequence[int]) -> dict[int, DecisionView]:
    """What has been decided of tickets that the caller may see, by ticket, in one statement."""
    rows = Ticket.filter(id__in=list(ticket_ids), decided_at__isnull=False)
    return {
        ticket_id: DecisionView(decided_at=decided_at, reason=reason)
        for ticket_id, decided_at, reason in await rows.values_list("id", "decided_at", "decision_reason")
    }
