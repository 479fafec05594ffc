"""At the door: letting attendees in once, saying who is in, and taking back what was a mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.functions import Count
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.infra.pubsub import TicketChange
from amarevents.models import CheckIn, Ticket
from amarevents.models.db.connection import violates
from amarevents.models.enums import TicketChangeKind, TicketStatus
from amarevents.resolvers.core.inputs import DateTime, Id, Input, ShortText
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import managed_event_ids, manages
from amarevents.resolvers.tickets.queries import (
    TicketDetailView,
    TicketView,
    load_ticket,
    require_ticket_manager,
)
from amarevents.resolvers.tickets.updates import lock_ticket
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow


class CheckInOutcome(StrEnum):
    """What a scan has come to."""

    ADMITTED = "admitted"
    """Let them in."""
    ALREADY_CHECKED_IN = "already_checked_in"
    """Somebody is in with this ticket: see when and where."""


@dataclass(slots=True, kw_only=True)
class AdmissionView:
    """That a ticket has let somebody in: when, at which gate, and the username of the account that scanned it.

    The account is for the event's owner and admins; it is null for attendees, and once it has been deleted.
    """

    checked_in_at: DateTime
    """When somebody was let in, in UTC."""
    gate: str | None
    """Where the ticket is scanned, in your own words."""
    checked_in_by: str | None
    """The username of the account that scanned the ticket; for the event's owner and admins."""


@dataclass(slots=True, kw_only=True)
class CheckInView(AdmissionView):
    """What a scan has come to. Where the ticket was checked in already, the rest is of the first time."""

    outcome: CheckInOutcome
    """What the scan has come to."""
    ticket: TicketView
    """The ticket that was scanned."""


@dataclass(slots=True, kw_only=True)
class AttendanceView:
    """How many are in, and how many approved tickets there are.

    Who has been let in stays counted, also where the ticket was refunded afterwards.
    """

    checked_in: int
    """How many of the tickets have let somebody in."""
    expected: int
    """How many tickets are approved."""


class CheckInTicket(Input):
    """The code that was scanned. ``scan_id``: the scanning device's own name of this scan, new for each one."""

    code: ShortText
    """The unguessable code of the ticket, which its QR code holds and verification finds it by."""
    gate: ShortText | None = None
    """Where the ticket is scanned, in your own words."""
    scan_id: ShortText | None = None
    """Your own name of this scan, new for each one: sent again, it is the same scan."""


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE),
    raises=(errors.NotFound, errors.Forbidden, errors.TicketNotValid, errors.ScanMismatch, errors.ScanUndone),
)
async def check_in_ticket(ctx: Context, data: CheckInTicket) -> CheckInView:
    """Let somebody in by the code of a ticket, once. A second scan is told when and where the first was.

    The same scan again, by its id, is answered like the first time, as long as the ticket is good."""
    found = await require_ticket_manager(ctx, Q(code=data.code))
    try:
        async with in_transaction():
            ticket = await lock_ticket(found.id)
            if ticket.status is not TicketStatus.SUCCESS:
                raise errors.TicketNotValid(ticket.status)
            outcome, admission = await _admit(ctx, ticket, data)
    except IntegrityError as error:
        if violates(error, "scan_id"):  # by a ticket that was checked in at the same time
            raise errors.ScanMismatch from error
        if violates(error, "ticket_id"):  # the lock does not let it happen
            raise
        raise errors.Unauthenticated from error  # the account has been deleted meanwhile
    ticket.event, ticket.ticket_type = found.event, found.ticket_type
    return CheckInView(
        outcome=outcome,
        ticket=TicketView.from_model(ticket),
        checked_in_at=admission.checked_in_at,
        gate=admission.gate,
        checked_in_by=admission.checked_in_by,
    )


async def _admit(ctx: Context, ticket: Ticket, data: CheckInTicket) -> tuple[CheckInOutcome, AdmissionView]:
    """The check-in of this scan, or the one that stands in its way. The ticket is locked."""
    if data.scan_id is not None:
        scans = CheckIn.filter(event_id=ticket.event_id, scan_id=data.scan_id)
        if scanned := await scans.select_related("checked_in_by").get_or_none():
            return CheckInOutcome.ADMITTED, _same_scan(scanned, ticket)
    if first := await _standing([ticket.id]).get_or_none():
        return CheckInOutcome.ALREADY_CHECKED_IN, _admission_view(first)
    return CheckInOutcome.ADMITTED, await _new_check_in(ctx, ticket, data)


def _same_scan(scanned: CheckIn, ticket: Ticket) -> AdmissionView:
    if scanned.ticket_id != ticket.id:
        raise errors.ScanMismatch
    if scanned.undone_at is not None:
        raise errors.ScanUndone
    return _admission_view(scanned)


def _standing(ticket_ids: Sequence[int]) -> QuerySet[CheckIn]:
    """The check-ins of these tickets that have not been undone, at most one of each, with who did it."""
    return CheckIn.filter(ticket_id__in=list(ticket_ids), undone_at__isnull=True).select_related("checked_in_by")


def _admission_view(check_in: CheckIn, *, says_who: bool = True) -> AdmissionView:
    """``check_in`` with who did it."""
    by = check_in.checked_in_by if says_who else None
    return AdmissionView(
        checked_in_at=check_in.checked_in_at, gate=check_in.gate, checked_in_by=by.username if by else None
    )


async def _new_check_in(ctx: Context, ticket: Ticket, data: CheckInTicket) -> AdmissionView:
    account = ctx.principal.require_account()
    await CheckIn.create(
        ticket_id=ticket.id,
        event_id=ticket.event_id,
        gate=data.gate,
        scan_id=data.scan_id,
        checked_in_by_id=account.id,
        checked_in_at=ctx.now,
    )
    ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.UPDATED, ticket.id))
    return AdmissionView(checked_in_at=ctx.now, gate=data.gate, checked_in_by=account.username)


class UndoCheckIn(Input):
    """Of which ticket."""

    ticket_id: Id
    """The id of the ticket."""


@operation(
    allow(*ORGANIZERS, scope=Scope.TICKETS_WRITE), raises=(errors.NotFound, errors.Forbidden, errors.NotCheckedIn)
)
async def undo_check_in(ctx: Context, data: UndoCheckIn) -> TicketDetailView:
    """Take a check-in back, so that the ticket lets in again; by a new scan, not by a late retry of the old one."""
    await require_ticket_manager(ctx, Q(id=data.ticket_id))
    async with in_transaction():
        ticket = await lock_ticket(data.ticket_id)
        if not await CheckIn.filter(ticket_id=ticket.id, undone_at__isnull=True).update(undone_at=ctx.now):
            raise errors.NotCheckedIn
        ctx.record_change(ticket.event_id, TicketChange(TicketChangeKind.UPDATED, ticket.id))
    return await load_ticket(ctx, Ticket.all(), data.ticket_id)


async def load_admissions(ctx: Context, ticket_ids: Sequence[int]) -> dict[int, AdmissionView]:
    """The check-ins that stand, by ticket, of tickets that the caller may see; in one statement."""
    rows = await _standing(ticket_ids).select_related("ticket__event__organization")
    return {
        row.ticket_id: _admission_view(row, says_who=manages(ctx, row.ticket.event.organization.user_id))
        for row in rows
    }


async def load_attendance(ctx: Context, event_ids: Sequence[int]) -> dict[int, AttendanceView]:
    """Who is in at those of the events that the caller manages, by event, in three statements."""
    ids = await managed_event_ids(ctx, event_ids)
    inside = await _count_by_event(CheckIn.filter(event_id__in=ids, undone_at__isnull=True))
    approved = await _count_by_event(Ticket.filter(event_id__in=ids, status=TicketStatus.SUCCESS))
    return {
        event_id: AttendanceView(checked_in=inside.get(event_id, 0), expected=approved.get(event_id, 0))
        for event_id in ids
    }


async def count_checked_in(event_id: int) -> int:
    """How many are in at an event that the caller manages."""
    return await CheckIn.filter(event_id=event_id, undone_at__isnull=True).count()


async def _count_by_event(rows: QuerySet[CheckIn] | QuerySet[Ticket]) -> dict[int, int]:
    return dict(await rows.annotate(rows=Count("id")).group_by("event_id").values_list("event_id", "rows"))
