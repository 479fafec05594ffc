"""Verification of a ticket by its ID or its code, without checking it in (decisions 6.10)."""

import datetime
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from pydantic import ValidationInfo, field_validator, model_validator

from amarevents import errors
from amarevents.models.columns import MAX_ID
from amarevents.models.db.sql import FALSE, Sql, sql
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.core.inputs import Id, Input, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import managed_tickets
from amarevents.resolvers.core.select import Select
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.tickets.codes import has_code
from amarevents.resolvers.tickets.queries import refuse_ticket
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, Scope, allow

_MAX_DIGITS = len(str(MAX_ID))


@dataclass(slots=True, kw_only=True)
class VerificationView:
    """The result of a verification: the ticket's attendee and event, and whether the ticket is valid for entry."""

    ticket_id: RecordId
    """The ID of the ticket."""
    name: str
    """The name of the attendee."""
    email: str
    """The email address of the attendee, in lower case."""
    status: TicketStatus
    """The status of the ticket."""
    event: str
    """The name of the event."""
    event_date: datetime.date | None
    """The date of the event; null if it has not been set."""
    valid: bool
    """Whether the ticket is valid for entry, which is the case if it is approved and for the event to enter."""
    reason: str | None
    """The code of the error with which a check-in would refuse the ticket, `WRONG_EVENT` or `TICKET_NOT_VALID`; null if
    the ticket is valid."""


@dataclass(slots=True, kw_only=True)
class _FoundTicket:
    """What verification reads of a ticket."""

    id: RecordId
    event_id: RecordId
    name: str
    email: str
    status: TicketStatus
    event_name: str
    event_date: datetime.date | None


_TICKETS = Select(
    Source(
        _FoundTicket,
        "tickets",
        joins={"events": "JOIN events ON events.id = tickets.event_id"},
        event_name="events.name",
        event_date="events.date",
    )
)


class _ForEntry(Protocol):
    @property
    def event_id(self) -> int: ...

    @property
    def status(self) -> TicketStatus: ...


def refusal_of(ticket: _ForEntry, event_name: str, event_id: int | None) -> errors.AmarEventsError | None:
    """Return why a ticket for the event with this name is not valid for entry; None if it is.

    ``event_id`` is that of the event to enter, None for the event of the ticket.
    """
    if event_id is not None and ticket.event_id != event_id:
        return errors.WrongEvent(event_name)
    if ticket.status is not TicketStatus.SUCCESS:
        return errors.TicketNotValid(ticket.status)
    return None


class VerifyTicket(Input):
    """The ticket to verify, by exactly one of its ID and its code. REST takes either in the path, as ``ticket``."""

    REST_ONLY: ClassVar[frozenset[str]] = frozenset({"ticket"})
    GRAPHQL_ONLY: ClassVar[frozenset[str]] = frozenset({"id", "code"})

    ticket: str | None = None
    """The ID or the code of the ticket."""
    id: Id | None = None
    """The ID of the ticket."""
    code: str | None = None
    """The unguessable code of the ticket, which its QR code contains."""
    event_id: Id | None = None
    """The ID of the event to enter; a ticket for another event is not valid there."""

    @field_validator("id", "code")
    @classmethod
    def _require_single_reference(cls, value: int | str | None, info: ValidationInfo) -> int | str | None:
        if value is not None and any(info.data.get(name) is not None for name in ("ticket", "id")):
            raise ValueError("must be left out because the ticket is already identified")
        return value

    @model_validator(mode="after")
    def _require_reference(self) -> Self:
        if self.id is None and self.code is None and self.ticket is None:
            raise ValueError("must contain the id or the code of the ticket")
        return self

    def condition(self) -> Sql:
        """Return the condition for the ticket. IDs consist of digits; codes begin with letters."""
        if self.id is not None:
            return sql("tickets.id = ?", self.id)
        if self.ticket is not None and self.ticket.isascii() and self.ticket.isdecimal():
            is_id = len(self.ticket) <= _MAX_DIGITS and int(self.ticket) <= MAX_ID
            return sql("tickets.id = ?", int(self.ticket)) if is_id else FALSE
        return has_code(self.code or self.ticket or "")


@operation(allow(*ORGANIZERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def verify_ticket(ctx: Context, data: VerifyTicket) -> VerificationView:
    """Verify that a ticket is valid for entry, without checking it in."""
    ticket = await _TICKETS.where(data.condition(), managed_tickets(ctx)).first()
    if ticket is None:
        await refuse_ticket(ctx, data.condition())
    refusal = refusal_of(ticket, ticket.event_name, data.event_id)
    return VerificationView(
        ticket_id=ticket.id,
        name=ticket.name,
        email=ticket.email,
        status=ticket.status,
        event=ticket.event_name,
        event_date=ticket.event_date,
        valid=refusal is None,
        reason=None if refusal is None else refusal.code,
    )
