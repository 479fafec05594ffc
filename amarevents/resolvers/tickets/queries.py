"""Lists of tickets, and single tickets with their answers (decisions 6.7 to 6.9)."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import ClassVar, Self

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import Event, Ticket
from amarevents.models.enums import KeyType, PaymentMethod, TicketStatus
from amarevents.resolvers.core.bulk_connections import ConnectionRequest, load_connections
from amarevents.resolvers.core.bulk_pages import PageRequest, load_pages
from amarevents.resolvers.core.connections import Connection, ConnectionArguments, load_connection
from amarevents.resolvers.core.ids import EventId, TicketId
from amarevents.resolvers.core.inputs import DateTime, Id, Ids, Input, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import (
    NOT_THE_MANAGER,
    managed_by_caller,
    managed_event_ids,
    own_tickets,
    require_event_manager,
    visible_tickets,
)
from amarevents.resolvers.core.sorting import Segment, SortOrder, parse_id
from amarevents.resolvers.core.views import extend
from amarevents.resolvers.tickets.custom_answers import CustomAnswerView, load_answers
from amarevents.resolvers.tickets.holds import expires_at
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, USERS, Scope, allow


@dataclass(slots=True, kw_only=True)
class TicketView:
    """A registration of one attendee for an event."""

    REST_ONLY = frozenset({"transid"})

    id: RecordId
    """The ID of the ticket."""
    code: str
    """The unguessable code of the ticket, which its QR code contains."""
    event_id: RecordId
    """The ID of the event."""
    event_name: str
    """The name of the event."""
    event_date: datetime.date | None
    """The date of the event; null if it has not been set."""
    user_id: RecordId
    """The ID of the account that registered the ticket."""
    ticket_type_id: RecordId | None
    """The ID of the ticket type; null for a ticket without one."""
    ticket_type_name: str | None
    """The name of the ticket type; null for a ticket without one."""
    name: str
    """The name of the attendee."""
    email: str
    """The email address of the attendee, in lower case."""
    number: str | None
    """The phone number of the attendee; null if there is none."""
    amount: Decimal
    """The amount that was paid or, until the organizer has approved it, is said to have been paid, in taka with at most
    two decimals."""
    due: Decimal
    """The price of the ticket when it was registered, in taka with at most two decimals. The owner of the event and
    admins can set another one."""
    status: TicketStatus
    """The status of the ticket. Pending and approved tickets hold a place; rejected and refunded tickets do not."""
    transaction_id: str | None
    """The transaction ID of the payment, as it was entered; null if none was given."""
    transid: str | None
    """An alias of `transaction_id`."""
    payment_method: PaymentMethod | None
    """The payment method; null if none was given."""
    note: str | None
    """A note about the registration; null if there is none."""
    expires_at: DateTime | None
    """When the place is no longer reserved, in UTC, unless a transaction ID is added or the organizer decides before;
    null if it does not expire."""
    created_at: DateTime
    """When the ticket was registered, in UTC."""
    updated_at: DateTime
    """When the ticket was last changed, in UTC."""

    @classmethod
    def from_model(cls, ticket: Ticket) -> Self:
        """Return the view of a ticket whose event and type have been loaded."""
        kind = ticket.ticket_type
        return cls(
            id=RecordId(ticket.id),
            code=ticket.code,
            event_id=RecordId(ticket.event_id),
            event_name=ticket.event.name,
            event_date=ticket.event.date,
            user_id=RecordId(ticket.user_id),
            ticket_type_id=RecordId(kind.id) if kind else None,
            ticket_type_name=kind.name if kind else None,
            name=ticket.name,
            email=ticket.email,
            number=ticket.number,
            amount=ticket.amount,
            due=ticket.due,
            status=ticket.status,
            transaction_id=ticket.transaction_id,
            transid=ticket.transaction_id,
            payment_method=ticket.payment_method,
            note=ticket.note,
            expires_at=expires_at(ticket),
            created_at=ticket.created_at,
            updated_at=ticket.updated_at,
        )


@dataclass(slots=True, kw_only=True)
class TicketDetailView(TicketView):
    """A ticket with the answers to the event's custom fields."""

    custom_fields: list[CustomAnswerView]
    """The answers to the event's custom fields."""


def with_event(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Load each ticket together with its event and type, which its view shows."""
    return tickets.select_related("event", "ticket_type")


NEWEST_FIRST = SortOrder(name="tickets/1", columns={"id": parse_id}, segments=(Segment(descending=True),))
"""The order of tickets in lists (decisions 1.7)."""


def newest_first(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Sort tickets as lists show them (decisions 1.7), each together with its event and type."""
    return with_event(tickets).order_by("-id")


async def load_tickets(ctx: Context, ids: Sequence[int]) -> dict[int, TicketView]:
    """Return the tickets that the caller may see, by ID, in one statement."""
    tickets = await with_event(visible_tickets(ctx).filter(id__in=list(ids)))
    return {ticket.id: TicketView.from_model(ticket) for ticket in tickets}


async def load_ticket_detail(ctx: Context, ticket: Ticket) -> TicketDetailView:
    """Return a ticket, whose event and type have been loaded, with its answers."""
    answers = await load_answers(ctx, [ticket.id])
    return extend(TicketView.from_model(ticket), to=partial(TicketDetailView, custom_fields=answers[ticket.id]))


async def load_ticket(ctx: Context, tickets: QuerySet[Ticket], ticket_id: int) -> TicketDetailView:
    """Return one of ``tickets`` with its answers. Raises NotFound."""
    ticket = await with_event(tickets).get_or_none(id=ticket_id)
    if ticket is None:
        raise errors.NotFound("Ticket")
    return await load_ticket_detail(ctx, ticket)


def managed_tickets(ctx: Context) -> QuerySet[Ticket]:
    """Return the tickets for events that the caller manages, each together with its event and type."""
    return with_event(Ticket.filter(managed_by_caller(ctx, "event__organization__user_id")))


async def require_ticket_manager(ctx: Context, condition: Q) -> Ticket:
    """Return the ticket that meets a condition, together with its event and type.

    Raises NotFound, or Forbidden if it is the caller's own ticket for an event that the caller does not manage.
    """
    ticket = await managed_tickets(ctx).get_or_none(condition)
    if ticket is not None:
        return ticket
    if await Ticket.filter(own_tickets(ctx)).filter(condition).exists():
        raise errors.Forbidden(NOT_THE_MANAGER)
    raise errors.NotFound("Ticket")


_COUNTED_MODELS = (Ticket, Event)
"""The models whose changes affect the number of tickets in a list."""


class TicketStatusFilter(Input):
    """A filter for tickets by status."""

    status: TicketStatus | None = None
    """Return only tickets with this status."""


class ListTicketsByStatus(TicketStatusFilter, Paging):
    """A page of tickets, filtered by status."""


class TicketFilters(TicketStatusFilter):
    """Filters for tickets: those of an event that the caller manages, by default the caller's own."""

    GRAPHQL_ONLY: ClassVar[frozenset[str]] = frozenset({"ids"})

    event_id: Id | None = None
    """The ID of an event that you manage. Without it, your own tickets are returned."""
    ids: Ids | None = None
    """Return only tickets with these IDs, at most 100."""


class ListTickets(TicketFilters, ListTicketsByStatus):
    """A page of the caller's own tickets or of an event's tickets."""


@operation(allow(*USERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def list_tickets(ctx: Context, data: ListTickets) -> Page[TicketView]:
    """List the caller's own tickets, or those of an event that the caller manages, newest first."""
    return await _load_page(ctx, await _selected(ctx, data), data)


class ListTicketsByCursor(ConnectionArguments, TicketFilters):
    """A part of the caller's own tickets or of an event's tickets."""

    ORDER = NEWEST_FIRST


@operation(allow(*USERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def list_tickets_by_cursor(ctx: Context, data: ListTicketsByCursor) -> Connection[TicketView]:
    """List the caller's own tickets, or those of an event that the caller manages, newest first, by cursor."""
    found = with_event(tickets_in(await _selected(ctx, data), data))
    return await load_connection(ctx, found, data, depends_on=_COUNTED_MODELS, view=TicketView.from_model)


async def _selected(ctx: Context, data: TicketFilters) -> Q:
    """Return the condition for the tickets that the filters select. Raises NotFound, Forbidden."""
    if data.event_id is None:
        selected = own_tickets(ctx)
    else:
        selected = Q(event_id=(await require_event_manager(ctx, data.event_id)).id)
    return selected if data.ids is None else selected & Q(id__in=data.ids)


def tickets_in(condition: Q, data: TicketStatusFilter) -> QuerySet[Ticket]:
    """Return the tickets that meet a condition and have the requested status."""
    found = Ticket.filter(condition)
    return found if data.status is None else found.filter(status=data.status)


async def _load_page(ctx: Context, condition: Q, data: ListTicketsByStatus) -> Page[TicketView]:
    found = newest_first(tickets_in(condition, data))
    return await load_page(ctx, found, data, depends_on=_COUNTED_MODELS, view=TicketView.from_model)


@operation(allow(*ORGANIZERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def list_event_tickets(ctx: Context, id: EventId, data: ListTicketsByStatus) -> Page[TicketView]:
    """List the tickets for an event, newest first."""
    event = await require_event_manager(ctx, id)
    return await _load_page(ctx, Q(event_id=event.id), data)


async def load_event_tickets(
    ctx: Context, requests: Sequence[tuple[int, ListTicketsByStatus]]
) -> dict[tuple[int, ListTicketsByStatus], Page[TicketView]]:
    """Return pages of the tickets for events that the caller manages, by event and request, in four statements."""
    managed_ids = set(await managed_event_ids(ctx, {event_id for event_id, _ in requests}))
    pages = {
        (event_id, data): PageRequest(rows=tickets_in(Q(event_id=event_id), data), order=NEWEST_FIRST, paging=data)
        for event_id, data in requests
        if event_id in managed_ids
    }
    return await load_pages(pages, prepare=with_event, view=TicketView.from_model)


class ListTicketsOfByCursor(ConnectionArguments, TicketStatusFilter):
    """The slice of an event's tickets to return."""

    ORDER = NEWEST_FIRST


async def load_event_ticket_connections(
    ctx: Context, requests: Sequence[tuple[int, ListTicketsOfByCursor]]
) -> dict[tuple[int, ListTicketsOfByCursor], Connection[TicketView]]:
    """Return slices of the tickets for events that the caller manages, by event and request, in three statements."""
    managed_ids = set(await managed_event_ids(ctx, {event_id for event_id, _ in requests}))
    wanted = {
        (event_id, data): ConnectionRequest(rows=tickets_in(Q(event_id=event_id), data), arguments=data)
        for event_id, data in requests
        if event_id in managed_ids
    }
    return await load_connections(ctx, wanted, prepare=with_event, view=TicketView.from_model)


@operation(allow(KeyType.USER, scope=Scope.TICKETS_READ))
async def list_own_tickets(ctx: Context, data: ListTicketsByStatus) -> Page[TicketView]:
    """List the caller's own tickets, newest first."""
    return await _load_page(ctx, own_tickets(ctx), data)


@operation(allow(*USERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound,))
async def get_ticket(ctx: Context, id: TicketId) -> TicketDetailView:
    """Get a ticket with its answers."""
    return await load_ticket(ctx, visible_tickets(ctx), id)
