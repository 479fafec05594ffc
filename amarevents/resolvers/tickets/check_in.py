"""Check-in of attendees at the entrance: scanning tickets, undoing mistakes and counting who has been checked in."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Self

from tortoise.functions import Count
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import CheckIn, Ticket
from amarevents.models.db.sql import is_in, sql
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.resolvers.core.inputs import DateTime, Id, Input, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import managed_event_ids, manages, visible_tickets
from amarevents.resolvers.core.select import fetch_column
from amarevents.resolvers.core.text_types import ShortText
from amarevents.resolvers.core.views import extend
from amarevents.resolvers.tickets.codes import has_code
from amarevents.resolvers.tickets.queries import (
    TICKETS,
    TicketDetailView,
    TicketView,
    get_managed_ticket,
    load_ticket,
    require_ticket_manager,
)
from amarevents.resolvers.tickets.updates import lock_ticket
from amarevents.resolvers.tickets.verification import refusal_of
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow


class CheckInOutcome(StrEnum):
    """The outcome of a scan."""

    ADMITTED = "admitted"
    """The attendee has been checked in by this scan."""
    ALREADY_CHECKED_IN = "already_checked_in"
    """The ticket was checked in before this scan."""


@dataclass(slots=True, kw_only=True)
class AdmissionView:
    """The check-in of a ticket."""

    id: RecordId
    """The ID of the check-in."""
    ticket_id: RecordId
    """The ID of the ticket."""
    checked_in_at: DateTime
    """When the ticket was checked in, in UTC."""
    gate: str | None
    """The gate where the ticket was scanned, as sent with the scan; null if none was given."""
    checked_in_by: str | None
    """The username of the account that scanned the ticket. Visible only to the event's owner and admins; null for
    other callers, and if the account has been deleted."""

    @classmethod
    def from_model(cls, check_in: CheckIn, *, with_account: bool = True) -> Self:
        """Return the view of a check-in whose account has been loaded; ``with_account`` includes its username."""
        account = check_in.checked_in_by if with_account else None
        return cls(
            id=RecordId(check_in.id),
            ticket_id=RecordId(check_in.ticket_id),
            checked_in_at=check_in.checked_in_at,
            gate=check_in.gate,
            checked_in_by=account.username if account else None,
        )


@dataclass(slots=True, kw_only=True)
class CheckInView(AdmissionView):
    """The result of a scan. If the ticket had been checked in before, the details are those of the first check-in."""

    outcome: CheckInOutcome
    """The outcome of the scan."""
    ticket: TicketView
    """The ticket that was scanned."""


@dataclass(slots=True, kw_only=True)
class AttendanceView:
    """The attendance of an event. Tickets that were refunded after their check-in still count as checked in."""

    id: RecordId
    """The ID of the event."""
    checked_in: int
    """The number of tickets that are checked in."""
    expected: int
    """The number of approved tickets."""


class CheckInTicket(Input):
    """The scan of a ticket."""

    code: str
    """The unguessable code of the ticket, which its QR code contains."""
    event_id: Id | None = None
    """The ID of the event to enter; a ticket for another event is refused."""
    gate: ShortText | None = None
    """The gate where the ticket is scanned, such as `North gate`."""
    scan_id: ShortText | None = None
    """A unique value of your choice for this scan. Repeating a scan with the same value has no further effect."""


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE),
    raises=(
        errors.NotFound,
        errors.Forbidden,
        errors.WrongEvent,
        errors.TicketNotValid,
        errors.ScanMismatch,
        errors.ScanUndone,
    ),
)
async def check_in_ticket(ctx: Context, data: CheckInTicket) -> CheckInView:
    """Check in a ticket by its code, once.

    A second scan reports when and where the ticket was first checked in. Repeating a scan with the same scan ID returns
    the first result, as long as the ticket is valid.
    """
    found = await get_managed_ticket(ctx, has_code(data.code))
    # Concurrent requests may use the same scan ID for another ticket, or delete the caller's account. The lock prevents
    # a second check-in of the same ticket, so a violation of ticket_id is raised as it is.
    with integrity_errors({"scan_id": errors.ScanMismatch(), "ticket_id": None}, otherwise=errors.Unauthenticated()):
        async with in_transaction():
            ticket = await lock_ticket(found.id)
            if refusal := refusal_of(ticket, found.event_name, data.event_id):
                raise refusal
            outcome, admission = await _admit(ctx, ticket, data)
            if ticket.updated_at != found.updated_at:  # changed until it was locked
                found = await get_managed_ticket(ctx, sql("tickets.id = ?", found.id))
    return extend(admission, to=partial(CheckInView, outcome=outcome, ticket=found))


async def _admit(ctx: Context, ticket: Ticket, data: CheckInTicket) -> tuple[CheckInOutcome, AdmissionView]:
    """Check in a locked ticket, or return the check-in of the same scan or of an earlier one."""
    if data.scan_id is not None:
        scans = CheckIn.filter(event_id=ticket.event_id, scan_id=data.scan_id)
        if scanned := await scans.select_related("checked_in_by").get_or_none():
            return CheckInOutcome.ADMITTED, _repeated_scan(scanned, ticket)
    if first := await _active_check_ins([ticket.id]).get_or_none():
        return CheckInOutcome.ALREADY_CHECKED_IN, AdmissionView.from_model(first)
    return CheckInOutcome.ADMITTED, await _create_check_in(ctx, ticket, data)


def _repeated_scan(scanned: CheckIn, ticket: Ticket) -> AdmissionView:
    if scanned.ticket_id != ticket.id:
        raise errors.ScanMismatch
    if scanned.undone_at is not None:
        raise errors.ScanUndone
    return AdmissionView.from_model(scanned)


def _active_check_ins(ticket_ids: Sequence[int]) -> QuerySet[CheckIn]:
    """Return the check-ins that have not been undone, at most one per ticket, each with the account that scanned it."""
    return CheckIn.filter(ticket_id__in=list(ticket_ids), undone_at__isnull=True).select_related("checked_in_by")


async def _create_check_in(ctx: Context, ticket: Ticket, data: CheckInTicket) -> AdmissionView:
    account = ctx.principal.require_account()
    check_in = await CheckIn.create(
        ticket_id=ticket.id,
        event_id=ticket.event_id,
        gate=data.gate,
        scan_id=data.scan_id,
        checked_in_by_id=account.id,
        checked_in_at=ctx.now,
    )
    ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.UPDATED, ticket.id))
    return AdmissionView(
        id=RecordId(check_in.id),
        ticket_id=RecordId(ticket.id),
        checked_in_at=ctx.now,
        gate=data.gate,
        checked_in_by=account.username,
    )


class UndoCheckIn(Input):
    """The ticket whose check-in to undo."""

    ticket_id: Id
    """The ID of the ticket."""


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE), raises=(errors.NotFound, errors.Forbidden, errors.NotCheckedIn)
)
async def undo_check_in(ctx: Context, data: UndoCheckIn) -> TicketDetailView:
    """Undo the check-in of a ticket, so that it can be checked in again by a new scan.

    Repeating the scan that was undone, with the same scan ID, does not check the ticket in.
    """
    await require_ticket_manager(ctx, sql("tickets.id = ?", data.ticket_id))
    async with in_transaction():
        ticket = await lock_ticket(data.ticket_id)
        if not await CheckIn.filter(ticket_id=ticket.id, undone_at__isnull=True).update(undone_at=ctx.now):
            raise errors.NotCheckedIn
        ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.UPDATED, ticket.id))
    return await load_ticket(ctx, data.ticket_id)


async def load_admissions(ctx: Context, ticket_ids: Sequence[int]) -> dict[int, AdmissionView]:
    """Return the check-ins of tickets that the caller may see, by ticket ID, in one statement."""
    rows = await _active_check_ins(ticket_ids).select_related("ticket__event__organization")
    return {row.ticket_id: _admission_view(ctx, row) for row in rows}


async def load_check_ins(ctx: Context, ids: Sequence[int]) -> dict[int, AdmissionView]:
    """Return the check-ins of tickets that the caller may see, by ID and without those undone, in two statements."""
    found = await CheckIn.filter(id__in=list(ids)).values_list("ticket_id")
    visible = is_in("tickets.id", [ticket_id for (ticket_id,) in found]) & visible_tickets(ctx)
    rows = _active_check_ins(await fetch_column(TICKETS.where(visible).ids("id"))).filter(id__in=list(ids))
    return {row.id: _admission_view(ctx, row) for row in await rows.select_related("ticket__event__organization")}


def _admission_view(ctx: Context, row: CheckIn) -> AdmissionView:
    return AdmissionView.from_model(row, with_account=manages(ctx, row.ticket.event.organization.user_id))


async def load_attendance(ctx: Context, event_ids: Sequence[int]) -> dict[int, AttendanceView]:
    """Return the attendance of the events that the caller manages, by event ID, in three statements."""
    ids = await managed_event_ids(ctx, event_ids)
    checked_in = await _count_by_event(CheckIn.filter(event_id__in=ids, undone_at__isnull=True))
    approved = await _count_by_event(Ticket.filter(event_id__in=ids, status=TicketStatus.SUCCESS))
    return {
        event_id: AttendanceView(
            id=RecordId(event_id), checked_in=checked_in.get(event_id, 0), expected=approved.get(event_id, 0)
        )
        for event_id in ids
    }


async def count_checked_in(event_id: int) -> int:
    """Return the number of tickets for an event that are checked in."""
    return await CheckIn.filter(event_id=event_id, undone_at__isnull=True).count()


async def _count_by_event(rows: QuerySet[CheckIn] | QuerySet[Ticket]) -> dict[int, int]:
    return dict(await rows.annotate(rows=Count("id")).group_by("event_id").values_list("event_id", "rows"))
