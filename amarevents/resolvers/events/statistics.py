"""Statistics of events and of the platform, summed in the database exactly to the cent (decisions 4.8, 8.4)."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from tortoise.models import Model

from amarevents import errors
from amarevents.infra.versions import table_of
from amarevents.models import ApiKey, Event, Organization, Ticket, User
from amarevents.models.db.sql import TRUE, Sql, dialect, fetch, is_in, sql
from amarevents.models.enums import AccountType, DonationStatus, Privacy, TicketStatus
from amarevents.resolvers.core.ids import EventId
from amarevents.resolvers.core.inputs import RecordId, Taka
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import managed_event_ids, require_event_manager
from amarevents.resolvers.core.views import extend
from amarevents.resolvers.events.ticket_types import TICKET_TYPES_OF_EVENT, TicketTypeView
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, ORGANIZERS, Scope, allow

_RECENTLY = datetime.timedelta(days=7)
# SQLite stores money as text and would sum it as binary floats, so whole cents are summed there, which is exact.
# Millions of cents and the remainder are summed separately, so that its integers cannot overflow.
_MILLION = 1_000_000
_CENTS = "CAST(ROUND(amount * 100) AS BIGINT)"
_SUMS = {"postgres": "SUM(amount)", "sqlite": f"SUM({_CENTS} / {_MILLION}), SUM({_CENTS} % {_MILLION})"}


@dataclass(frozen=True, slots=True)
class TicketTally:
    """The number of tickets of one event, type and status, and the sum of their amounts in taka."""

    event_id: int
    ticket_type_id: int | None
    status: TicketStatus
    tickets: int
    amount: Decimal


@dataclass(slots=True, kw_only=True)
class TicketCounts:
    """The number of tickets by status, and their revenue."""

    total: int
    """The number of tickets, regardless of their status."""
    approved: int
    """The number of approved tickets."""
    pending: int
    """The number of pending tickets."""
    failed: int
    """The number of rejected tickets."""
    refunded: int
    """The number of refunded tickets."""
    revenue: Decimal
    """The sum of the amounts of approved tickets, in taka."""

    @classmethod
    def from_tallies(cls, tallies: Iterable[TicketTally]) -> "TicketCounts":
        by_status = dict.fromkeys(TicketStatus, 0)
        revenue = Decimal(0)
        for one in tallies:
            by_status[one.status] += one.tickets
            if one.status is TicketStatus.SUCCESS:
                revenue += one.amount
        return TicketCounts(
            total=sum(by_status.values()),
            approved=by_status[TicketStatus.SUCCESS],
            pending=by_status[TicketStatus.PENDING],
            failed=by_status[TicketStatus.FAILED],
            refunded=by_status[TicketStatus.REFUNDED],
            revenue=revenue,
        )


@dataclass(slots=True, kw_only=True)
class TicketTypeStatsView(TicketCounts):
    """The ticket statistics of a ticket type, or of the tickets of an event that have no ticket type."""

    ticket_type_id: RecordId | None
    """The ID of the ticket type; null for tickets without a type, as are the other fields of the type."""
    name: str | None
    """The name of the ticket type."""
    price: Decimal | None
    """The ticket price in taka; 0 is free."""
    capacity: int | None
    """The maximum number of places; 0 means unlimited."""


@dataclass(slots=True, kw_only=True)
class EventStatsView(TicketCounts):
    """The ticket statistics of an event."""

    by_ticket_type: list[TicketTypeStatsView]
    """The ticket statistics of each ticket type, newest first."""


@dataclass(slots=True, kw_only=True)
class IdentifiedEventStatsView(EventStatsView):
    """The ticket statistics of an event, with the ID by which clients keep them in a cache."""

    id: RecordId
    """The ID of the event."""


async def tally_tickets(condition: Sql) -> list[TicketTally]:
    """Return the tallies of the tickets that meet the condition, in one statement."""
    groups = "tickets.event_id, tickets.ticket_type_id, tickets.status"
    text = f"SELECT {groups}, COUNT(*), {_SUMS[dialect()]} FROM tickets WHERE {condition.text} GROUP BY {groups}"
    rows = await fetch(Sql(text, condition.values))
    return [
        TicketTally(event_id, ticket_type_id, TicketStatus(status), tickets, _taka(sums))
        for event_id, ticket_type_id, status, tickets, *sums in rows
    ]


def _taka(sums: Sequence[Decimal]) -> Decimal:
    """Return the amount in taka of the columns in ``_SUMS``."""
    if len(sums) == 1:
        return sums[0]
    millions, rest = sums
    return (Decimal(millions) * _MILLION + rest).scaleb(-2)


@operation(allow(*ORGANIZERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def get_event_stats(ctx: Context, id: EventId) -> EventStatsView:
    """Get the ticket statistics of an event."""
    event = await require_event_manager(ctx, id)
    return (await _event_stats_of(ctx, [event.id]))[event.id]


async def load_event_stats(ctx: Context, event_ids: Sequence[int]) -> dict[int, IdentifiedEventStatsView]:
    """Return the statistics of the events that the caller manages, by event ID, in three statements."""
    found = await _event_stats_of(ctx, await managed_event_ids(ctx, event_ids))
    return {
        event_id: extend(stats, to=partial(IdentifiedEventStatsView, id=RecordId(event_id)))
        for event_id, stats in found.items()
    }


async def _event_stats_of(ctx: Context, event_ids: Sequence[int]) -> dict[int, EventStatsView]:
    tallies: dict[int, list[TicketTally]] = {event_id: [] for event_id in event_ids}
    for one in await tally_tickets(is_in("tickets.event_id", event_ids)):
        tallies[one.event_id].append(one)
    types = await TICKET_TYPES_OF_EVENT.rows.grouped_by("event_id", event_ids)
    return {event_id: _event_stats_view(tallies[event_id], types[event_id]) for event_id in event_ids}


def _event_stats_view(tallies: list[TicketTally], types: list[TicketTypeView]) -> EventStatsView:
    by_type = [_type_stats_view(row, [one for one in tallies if one.ticket_type_id == row.id]) for row in types]
    if untyped := [one for one in tallies if one.ticket_type_id is None]:
        by_type.append(_type_stats_view(None, untyped))
    return extend(TicketCounts.from_tallies(tallies), to=partial(EventStatsView, by_ticket_type=by_type))


def _type_stats_view(row: TicketTypeView | None, tallies: list[TicketTally]) -> TicketTypeStatsView:
    return extend(
        TicketCounts.from_tallies(tallies),
        to=partial(
            TicketTypeStatsView,
            ticket_type_id=RecordId(row.id) if row else None,
            name=row.name if row else None,
            price=row.price if row else None,
            capacity=row.capacity if row else None,
        ),
    )


@dataclass(slots=True, kw_only=True)
class PlatformStatsView:
    """Statistics of the whole platform."""

    total_users: int
    """The number of accounts of all types."""
    total_organizers: int
    """The number of organizer accounts."""
    total_admins: int
    """The number of admin accounts."""
    total_organizations: int
    """The number of organizations."""
    total_events: int
    """The number of events, public and private."""
    public_events: int
    """The number of public events."""
    total_tickets: int
    """The number of tickets, regardless of their status."""
    tickets_by_status: dict[str, int]
    """The number of tickets by status."""
    total_revenue: Decimal
    """The sum of the amounts of all approved tickets, in taka."""
    total_donations: int
    """The number of donations, regardless of their status."""
    donations_by_status: dict[str, int]
    """The number of donations by status."""
    verified_donation_amount: Taka
    """The sum of all verified donations, in whole taka."""
    active_api_keys: int
    """The number of API keys that can be used now."""
    new_users_7d: int
    """The number of accounts created in the last 7 days."""
    new_tickets_7d: int
    """The number of tickets created in the last 7 days."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def get_platform_stats(ctx: Context) -> PlatformStatsView:
    """Get the statistics of the platform: accounts, events, tickets, donations and API keys."""
    active = sql("is_active = TRUE AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", ctx.now)
    since = ctx.now - _RECENTLY
    tickets, donations = await _tickets(), await _donations()
    return PlatformStatsView(
        total_users=await _total(ctx, User),
        total_organizers=await _total(ctx, User, sql("type = ?", AccountType.ORGANIZER)),
        total_admins=await _total(ctx, User, sql("admin = TRUE")),
        total_organizations=await _total(ctx, Organization),
        total_events=await _total(ctx, Event),
        public_events=await _total(ctx, Event, sql("privacy = ?", Privacy.PUBLIC)),
        total_tickets=sum(tickets.by_status.values()),
        tickets_by_status=tickets.by_status,
        total_revenue=tickets.revenue,
        total_donations=sum(donations.by_status.values()),
        donations_by_status=donations.by_status,
        verified_donation_amount=donations.verified,
        active_api_keys=await _count(ApiKey, active),
        new_users_7d=await _count(User, sql("created_at >= ?", since)),
        new_tickets_7d=await _count(Ticket, sql("created_at >= ?", since)),
    )


async def _total(ctx: Context, model: type[Model], condition: Sql = TRUE) -> int:
    """Return the number of rows that meet a condition, which is kept like the total of a list."""
    key = Sql(f"{table_of(model)} {condition.text}", condition.values)
    return await ctx.services.count_cache.count(key, lambda: _count(model, condition), of=(model,))


async def _count(model: type[Model], condition: Sql) -> int:
    [[number]] = await fetch(Sql(f"SELECT COUNT(*) FROM {table_of(model)} WHERE {condition.text}", condition.values))
    return int(number)


@dataclass(frozen=True, slots=True)
class _Tickets:
    by_status: dict[str, int]
    revenue: Decimal


async def _tickets() -> _Tickets:
    rows = await fetch(sql(f"SELECT status, COUNT(*), {_SUMS[dialect()]} FROM tickets GROUP BY status"))
    by_status = {str(status): 0 for status in TicketStatus}
    by_status |= {str(status): tickets for status, tickets, *_ in rows}
    amounts = [_taka(sums) for status, _, *sums in rows if status == TicketStatus.SUCCESS]
    return _Tickets(by_status, revenue=sum(amounts, Decimal(0)))


@dataclass(frozen=True, slots=True)
class _Donations:
    by_status: dict[str, int]
    verified: Taka


async def _donations() -> _Donations:
    rows = await fetch(sql("SELECT status, COUNT(*), SUM(CAST(amount AS BIGINT)) FROM donations GROUP BY status"))
    by_status = {str(status): 0 for status in DonationStatus}
    by_status |= {str(status): donations for status, donations, _ in rows}
    verified = sum(int(amount) for status, _, amount in rows if status == DonationStatus.VERIFIED)
    return _Donations(by_status, verified=Taka(verified))
