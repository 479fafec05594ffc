"""Tickets: registering for an event, approving, and checking at the door (decisions 6)."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import ValidationInfo, field_validator, model_validator
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import CustomValue, Event, Ticket
from amarevents.models.columns import MAX_ID
from amarevents.models.enums import KeyType, PaymentMethod, TicketStatus
from amarevents.resolvers.core.bulk_pages import Asked, load_pages
from amarevents.resolvers.core.connections import Connection, Order, Slicing, load_connection, read_id
from amarevents.resolvers.core.ids import EventId, TicketId
from amarevents.resolvers.core.inputs import DateTime, Id, Input, RecordId, ShortText
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import (
    NOT_THE_MANAGER,
    managed,
    managed_event_ids,
    own_tickets,
    require_event_manager,
    visible_tickets,
)
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, USERS, Scope, allow


@dataclass(slots=True, kw_only=True)
class TicketView:
    """A registration (decisions 6.8); ``amount`` in taka, ``code`` is what a QR code at the door holds."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    code: str
    """The unguessable code of the ticket, which its QR code holds and verification finds it by."""
    event_id: RecordId
    """The id of the event."""
    event_name: str
    """The name of the event."""
    event_date: datetime.date | None
    """The day of the event; null if it has none yet."""
    user_id: RecordId
    """The id of the account that it belongs to."""
    ticket_type_id: RecordId | None
    """The id of the ticket type; null without one."""
    ticket_type_name: str | None
    """The name of the ticket type; null without one."""
    name: str
    """The name that people read."""
    email: str
    """An email address; upper and lower case mean the same."""
    number: str | None
    """A phone number, with or without the country code."""
    amount: Decimal
    """What is paid for the place, in taka with at most two decimals."""
    status: TicketStatus
    """`Pending` and `Success` hold a place; `Failed` and `Refunded` do not."""
    transaction_id: str | None
    """The payment's transaction id, in upper case; no other ticket may have it, unless `Failed`."""
    payment_method: PaymentMethod | None
    """How the place was paid for."""
    note: str | None
    """A free text that goes with it."""
    created_at: DateTime
    """When it was created, in UTC."""
    updated_at: DateTime
    """When it last changed, in UTC."""


@dataclass(slots=True, kw_only=True)
class CustomAnswerView:
    """The answer to one custom field of the event."""

    field_id: RecordId
    """The id of the custom field that is answered."""
    name: str
    """The name that people read."""
    value: str
    """What was answered."""


@dataclass(slots=True, kw_only=True)
class TicketDetailView(TicketView):
    custom_fields: list[CustomAnswerView]
    """The answers to the event's custom fields."""


@dataclass(slots=True, kw_only=True)
class VerificationView:
    """What the door needs to know of a ticket; ``valid`` is whether its status is Success (decisions 6.10)."""

    ticket_id: RecordId
    """The id of the ticket."""
    name: str
    """The name that people read."""
    email: str
    """An email address; upper and lower case mean the same."""
    status: TicketStatus
    """`Pending` and `Success` hold a place; `Failed` and `Refunded` do not."""
    event: str
    """The name of the ticket's event."""
    event_date: datetime.date | None
    """The day of the event; null if it has none yet."""
    valid: bool
    """Whether the ticket's status is `Success`."""


def ticket_view(ticket: Ticket) -> TicketView:
    """``ticket`` with its event and its type loaded."""
    return TicketView(**_shown(ticket))


def _shown(ticket: Ticket) -> dict[str, Any]:  # Any: each field's own type
    kind = ticket.ticket_type
    return {
        "id": RecordId(ticket.id),
        "code": ticket.code,
        "event_id": RecordId(ticket.event_id),
        "event_name": ticket.event.name,
        "event_date": ticket.event.date,
        "user_id": RecordId(ticket.user_id),
        "ticket_type_id": RecordId(kind.id) if kind else None,
        "ticket_type_name": kind.name if kind else None,
        "name": ticket.name,
        "email": ticket.email,
        "number": ticket.number,
        "amount": ticket.amount,
        "status": ticket.status,
        "transaction_id": ticket.transaction_id,
        "payment_method": ticket.payment_method,
        "note": ticket.note,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
    }


async def load_ticket_detail(ticket: Ticket) -> TicketDetailView:
    """The view of a ticket whose event and type are loaded, with its answers."""
    answers = await load_answers([ticket.id])
    return TicketDetailView(**_shown(ticket), custom_fields=answers[ticket.id])


async def load_tickets(ctx: Context, ids: Sequence[int]) -> dict[int, TicketView]:
    """Those of the tickets that the caller may see, by id, in one statement."""
    tickets = await with_event(visible_tickets(ctx).filter(id__in=list(ids)))
    return {ticket.id: ticket_view(ticket) for ticket in tickets}


async def load_answers(ticket_ids: Sequence[int]) -> dict[int, list[CustomAnswerView]]:
    """The answers of tickets that the caller may see, by ticket, in the order of the fields, in one statement."""
    answers: dict[int, list[CustomAnswerView]] = {ticket_id: [] for ticket_id in ticket_ids}
    values = CustomValue.filter(ticket_id__in=list(ticket_ids)).select_related("field")
    for value in await values.order_by("field__position", "field_id"):
        answers[value.ticket_id].append(
            CustomAnswerView(field_id=RecordId(value.field_id), name=value.field.name, value=value.value)
        )
    return answers


def with_event(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Load with each ticket what its view shows."""
    return tickets.select_related("event", "ticket_type")


def newest_first(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """With what their views show, in the order of lists (decisions 1.7)."""
    return with_event(tickets).order_by("-id")


class OfStatus(Input):
    """``status``: of the tickets."""

    status: TicketStatus | None = None
    """`Pending` and `Success` hold a place; `Failed` and `Refunded` do not."""


class ListByStatus(OfStatus, Paging):
    """Which tickets, and which page of them."""


class TicketFilters(OfStatus):
    """Without ``event_id`` the account's own tickets, with it those of an event that the caller manages."""

    event_id: Id | None = None
    """The id of the event."""


class ListTickets(TicketFilters, ListByStatus):
    """Whose tickets, and which page of them."""


@operation(allow(*USERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def list_tickets(ctx: Context, data: ListTickets) -> Page[TicketView]:
    """Own tickets, or an event's, newest first."""
    return await _load_tickets(ctx, await _chosen(ctx, data), data)


class ListTicketsByCursor(Slicing, TicketFilters):
    """Whose tickets, and which part of their list."""

    ORDER = Order(name="tickets/1", columns={"id": read_id}, descending=True)


@operation(allow(*USERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def list_tickets_by_cursor(ctx: Context, data: ListTicketsByCursor) -> Connection[TicketView]:
    """Own tickets, or an event's, newest first, from one place in their list to another."""
    found = with_event(tickets_in(await _chosen(ctx, data), data))
    return await load_connection(ctx, found, data, of=_COUNTED_WITH, view=ticket_view)


async def _chosen(ctx: Context, data: TicketFilters) -> Q:
    """Raises NotFound, or Forbidden for another's event."""
    if data.event_id is None:
        return own_tickets(ctx)
    event = await require_event_manager(ctx, data.event_id)
    return Q(event_id=event.id)


_COUNTED_WITH = (Ticket, Event)
"""What totals of tickets depend on."""


def tickets_in(which: Q, data: OfStatus) -> QuerySet[Ticket]:
    """Of the tickets that meet a condition those that are asked for."""
    found = Ticket.filter(which)
    return found if data.status is None else found.filter(status=data.status)


async def _load_tickets(ctx: Context, which: Q, data: ListByStatus) -> Page[TicketView]:
    found = newest_first(tickets_in(which, data))
    return await load_page(ctx, found, data, of=_COUNTED_WITH, view=ticket_view)


@operation(allow(*ORGANIZERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def list_event_tickets(ctx: Context, id: EventId, data: ListByStatus) -> Page[TicketView]:
    """All registrations for an event, newest first."""
    event = await require_event_manager(ctx, id)
    return await _load_tickets(ctx, Q(event_id=event.id), data)


@operation(allow(KeyType.USER, scope=Scope.TICKETS_READ))
async def list_own_tickets(ctx: Context, data: ListByStatus) -> Page[TicketView]:
    """The account's own tickets, newest first."""
    return await _load_tickets(ctx, own_tickets(ctx), data)


@operation(allow(*USERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound,))
async def get_ticket(ctx: Context, id: TicketId) -> TicketDetailView:
    """One ticket with its answers."""
    return await load_ticket(visible_tickets(ctx), id)


async def load_ticket(tickets: QuerySet[Ticket], ticket_id: int) -> TicketDetailView:
    """One of ``tickets`` with its answers. Raises NotFound, also where it has been deleted a moment ago."""
    ticket = await with_event(tickets).get_or_none(id=ticket_id)
    if ticket is None:
        raise errors.NotFound("Ticket")
    return await load_ticket_detail(ticket)


async def require_ticket_manager(ctx: Context, condition: Q) -> Ticket:
    """The ticket with event and type. Raises NotFound, or Forbidden for one's own at another's event."""
    manageable = Ticket.filter(managed(ctx, "event__organization__user_id"))
    ticket = await with_event(manageable).get_or_none(condition)
    if ticket is not None:
        return ticket
    if await Ticket.filter(own_tickets(ctx)).filter(condition).exists():
        raise errors.Forbidden(NOT_THE_MANAGER)
    raise errors.NotFound("Ticket")


class VerifyTicket(Input):
    """The ticket by its id or by its code; REST names either in the path (``ticket``)."""

    REST_ONLY: ClassVar[frozenset[str]] = frozenset({"ticket"})

    ticket: ShortText | None = None
    """The ticket's id or its code."""
    id: Id | None = None
    """The integer that names it in paths and in other fields."""
    code: ShortText | None = None
    """The unguessable code of the ticket, which its QR code holds and verification finds it by."""

    @field_validator("id", "code")
    @classmethod
    def _named_once(cls, value: int | str | None, info: ValidationInfo) -> int | str | None:
        if value is not None and any(info.data.get(name) is not None for name in ("ticket", "id")):
            raise ValueError("must be left out: the ticket is named already")
        return value

    @model_validator(mode="after")
    def _named(self) -> "VerifyTicket":
        if self.id is None and self.code is None and self.ticket is None:
            raise ValueError("name the ticket by its id or by its code")
        return self

    def condition(self) -> Q:
        """A ticket by id (digits alone) or by code (which begins with letters)."""
        if self.id is not None:
            return Q(id=self.id)
        reference = self.code or self.ticket or ""
        if self.ticket is not None and reference.isascii() and reference.isdecimal():
            return Q(id=int(reference)) if int(reference) <= MAX_ID else Q(id__in=[])
        return Q(code=reference)


@operation(allow(*ORGANIZERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def verify_ticket(ctx: Context, data: VerifyTicket) -> VerificationView:
    """Whether a ticket is good, by id or code. Changes nothing."""
    ticket = await require_ticket_manager(ctx, data.condition())
    return VerificationView(
        ticket_id=RecordId(ticket.id),
        name=ticket.name,
        email=ticket.email,
        status=ticket.status,
        event=ticket.event.name,
        event_date=ticket.event.date,
        valid=ticket.status is TicketStatus.SUCCESS,
    )


async def load_event_tickets(
    ctx: Context, asked: Sequence[tuple[int, ListByStatus]]
) -> dict[tuple[int, ListByStatus], Page[TicketView]]:
    """Pages of registrations, by event and what is asked of it; for events that the caller manages. Four statements."""
    managed_ids = set(await managed_event_ids(ctx, {event_id for event_id, _ in asked}))
    pages = {
        (event_id, data): Asked(rows=tickets_in(Q(event_id=event_id), data), paging=data)
        for event_id, data in asked
        if event_id in managed_ids
    }
    return await load_pages(pages, shown=newest_first, view=ticket_view)
