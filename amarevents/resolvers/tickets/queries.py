"""Lists of tickets, and single tickets with their answers (decisions 6.7 to 6.9)."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Never, TypeVar

from amarevents import errors
from amarevents.models import Event, Ticket
from amarevents.models.db.sql import TRUE, Sql, is_in, sql
from amarevents.models.enums import KeyType, PaymentMethod, TicketStatus
from amarevents.resolvers.core.bulk_connections import ConnectionRequest, load_connections
from amarevents.resolvers.core.bulk_pages import PageRequest, load_pages
from amarevents.resolvers.core.connections import Connection, ConnectionArguments, load_connection
from amarevents.resolvers.core.ids import EventId, TicketId
from amarevents.resolvers.core.inputs import DateTime, Id, Ids, Input, RecordId
from amarevents.resolvers.core.loading import load_with_parent
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import (
    NOT_THE_MANAGER,
    managed_event_ids,
    managed_tickets,
    own_tickets,
    require_event_manager,
    visible_tickets,
)
from amarevents.resolvers.core.select import Select, by_id
from amarevents.resolvers.core.sorting import Segment, SortOrder, parse_id
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.tickets.custom_answers import CustomAnswerView, load_answers
from amarevents.resolvers.tickets.holds import UNPAID
from amarevents.security.context import Context
from amarevents.security.policy import ORGANIZERS, USERS, Scope, allow

TicketT = TypeVar("TicketT", bound="TicketView")


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


@dataclass(slots=True, kw_only=True)
class TicketDetailView(TicketView):
    """A ticket with the answers to the event's custom fields."""

    custom_fields: list[CustomAnswerView]
    """The answers to the event's custom fields."""


def _selected(view: type[TicketT], *later: str) -> Select[TicketT]:
    return Select(
        Source(
            view,
            "tickets",
            joins={
                "events": "JOIN events ON events.id = tickets.event_id",
                "ticket_types": "LEFT JOIN ticket_types ON ticket_types.id = tickets.ticket_type_id",
            },
            later=later,
            event_name="events.name",
            event_date="events.date",
            ticket_type_name="ticket_types.name",
            transid="tickets.transaction_id",
            expires_at=f"CASE WHEN {UNPAID} THEN tickets.hold_expires_at END",
        )
    )


TICKETS = _selected(TicketView)
_DETAILS = _selected(TicketDetailView, "custom_fields")

NEWEST_FIRST = SortOrder(name="tickets/1", columns={"id": parse_id}, segments=(Segment(descending=True),))
"""The order of tickets in lists (decisions 1.7)."""


async def load_tickets(ctx: Context, ids: Sequence[int]) -> dict[int, TicketView]:
    """Return the tickets that the caller may see, by ID, in one statement."""
    return by_id(await TICKETS.where(is_in("tickets.id", ids), visible_tickets(ctx)).fetch(ctx.fields))


async def load_ticket(ctx: Context, ticket_id: int, condition: Sql = TRUE) -> TicketDetailView:
    """Return a ticket that meets a condition, with its answers. Raises NotFound."""
    ticket = await _DETAILS.where(sql("tickets.id = ?", ticket_id), condition).first()
    if ticket is None:
        raise errors.NotFound("Ticket")
    ticket.custom_fields = (await load_answers(ctx, [ticket_id]))[ticket_id]
    return ticket


async def load_managed_tickets(ctx: Context, condition: Sql) -> list[Ticket]:
    """Return the models of the tickets that the caller manages and may change, each with its event."""
    return await load_with_events(condition & managed_tickets(ctx))


async def load_with_events(condition: Sql) -> list[Ticket]:
    """Return the models of tickets that are about to be changed, each with its event."""
    found = await load_with_parent(Ticket, Event, "event_id", condition)
    for ticket, event in found:
        ticket.event = event
    return [ticket for ticket, _ in found]


async def get_managed_ticket(ctx: Context, condition: Sql) -> TicketView:
    """Return the ticket that meets a condition. Raises what ``require_ticket_manager`` raises."""
    ticket = await TICKETS.where(condition, managed_tickets(ctx)).first()
    return ticket or await refuse_ticket(ctx, condition)


async def require_ticket_manager(ctx: Context, condition: Sql) -> Ticket:
    """Return the model of the ticket that meets a condition, together with its event.

    Raises NotFound, or Forbidden if it is the caller's own ticket for an event that the caller does not manage.
    """
    tickets = await load_managed_tickets(ctx, condition)
    if not tickets:
        await refuse_ticket(ctx, condition)
    return tickets[0]


async def refuse_ticket(ctx: Context, condition: Sql) -> Never:
    """Raise Forbidden if the caller may see a ticket that it does not manage, otherwise NotFound."""
    if await TICKETS.where(own_tickets(ctx), condition).exists():
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
    return await _load_page(ctx, await _filter(ctx, data), data)


class ListTicketsByCursor(ConnectionArguments, TicketFilters):
    """A part of the caller's own tickets or of an event's tickets."""

    ORDER = NEWEST_FIRST


@operation(allow(*USERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def list_tickets_by_cursor(ctx: Context, data: ListTicketsByCursor) -> Connection[TicketView]:
    """List the caller's own tickets, or those of an event that the caller manages, newest first, by cursor."""
    found = tickets_in(await _filter(ctx, data), data)
    return await load_connection(ctx, found, data, depends_on=_COUNTED_MODELS)


async def _filter(ctx: Context, data: TicketFilters) -> Sql:
    """Return the condition for the tickets that the filters select. Raises NotFound, Forbidden."""
    if data.event_id is None:
        selected = own_tickets(ctx)
    else:
        selected = _of_event((await require_event_manager(ctx, data.event_id)).id)
    return selected if data.ids is None else selected & is_in("tickets.id", data.ids)


def _of_event(event_id: int) -> Sql:
    return sql("tickets.event_id = ?", event_id)


def tickets_in(condition: Sql, data: TicketStatusFilter) -> Select[TicketView]:
    """Return the tickets that meet a condition and have the requested status."""
    return TICKETS.where(condition, TRUE if data.status is None else sql("tickets.status = ?", data.status))


async def _load_page(ctx: Context, condition: Sql, data: ListTicketsByStatus) -> Page[TicketView]:
    return await load_page(ctx, tickets_in(condition, data), data, depends_on=_COUNTED_MODELS, order=NEWEST_FIRST)


@operation(allow(*ORGANIZERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def list_event_tickets(ctx: Context, id: EventId, data: ListTicketsByStatus) -> Page[TicketView]:
    """List the tickets for an event, newest first."""
    event = await require_event_manager(ctx, id)
    return await _load_page(ctx, _of_event(event.id), data)


async def load_event_tickets(
    ctx: Context, requests: Sequence[tuple[int, ListTicketsByStatus]]
) -> dict[tuple[int, ListTicketsByStatus], Page[TicketView]]:
    """Return pages of the tickets for events that the caller manages, by event and request, in four statements."""
    managed_ids = set(await managed_event_ids(ctx, {event_id for event_id, _ in requests}))
    pages = {
        (event_id, data): PageRequest(rows=tickets_in(_of_event(event_id), data), order=NEWEST_FIRST, paging=data)
        for event_id, data in requests
        if event_id in managed_ids
    }
    return await load_pages(pages)


class ListTicketsOfByCursor(ConnectionArguments, TicketStatusFilter):
    """The slice of an event's tickets to return."""

    ORDER = NEWEST_FIRST


async def load_event_ticket_connections(
    ctx: Context, requests: Sequence[tuple[int, ListTicketsOfByCursor]]
) -> dict[tuple[int, ListTicketsOfByCursor], Connection[TicketView]]:
    """Return slices of the tickets for events that the caller manages, by event and request, in three statements."""
    managed_ids = set(await managed_event_ids(ctx, {event_id for event_id, _ in requests}))
    wanted = {
        (event_id, data): ConnectionRequest(rows=tickets_in(_of_event(event_id), data), arguments=data)
        for event_id, data in requests
        if event_id in managed_ids
    }
    return await load_connections(ctx, wanted)


@operation(allow(KeyType.USER, scope=Scope.TICKETS_READ))
async def list_own_tickets(ctx: Context, data: ListTicketsByStatus) -> Page[TicketView]:
    """List the caller's own tickets, newest first."""
    return await _load_page(ctx, own_tickets(ctx), data)


@operation(allow(*USERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound,))
async def get_ticket(ctx: Context, id: TicketId) -> TicketDetailView:
    """Get a ticket with its answers."""
    return await load_ticket(ctx, id, visible_tickets(ctx))
