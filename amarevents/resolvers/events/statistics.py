"""Statistics of an event and of the platform: sums in the database, exact to the cent (decisions 4.8, 8.4)."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tortoise.expressions import Q, RawSQL
from tortoise.functions import Count

from amarevents import errors
from amarevents.models import ApiKey, Donation, Event, Organization, Ticket, TicketType, User
from amarevents.models.enums import AccountType, DonationStatus, Privacy, TicketStatus
from amarevents.resolvers.core.ids import EventId
from amarevents.resolvers.core.inputs import RecordId, Taka
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import managed_event_ids, require_event_manager
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, ORGANIZERS, Scope, allow

_RECENTLY = datetime.timedelta(days=7)
# SQLite keeps money as text and would add it up as binary floats: whole cents are exact on both databases. Millions of
# cents and the rest are added up apart, so that no number of tickets is too much for SQLite's integers.
_MILLION = 1_000_000
_MILLIONS = RawSQL(f"SUM(CAST(ROUND(amount * 100) AS BIGINT) / {_MILLION})")
_REST = RawSQL(f"SUM(CAST(ROUND(amount * 100) AS BIGINT) % {_MILLION})")


@dataclass(slots=True, kw_only=True)
class TicketCounts:
    """Registrations by status, and what was paid for the approved ones, in taka."""

    total: int
    """The number of tickets, whatever their status."""
    approved: int
    """The number of approved tickets."""
    pending: int
    """The number of tickets that wait for a decision."""
    failed: int
    """The number of rejected tickets."""
    refunded: int
    """The number of refunded tickets; they count in the total as well."""
    revenue: Decimal
    """The sum of the amounts of approved tickets, in taka."""


@dataclass(slots=True, kw_only=True)
class TicketTypeStatsView(TicketCounts):
    """The counts of one ticket type; of none (null) if there are tickets without a type."""

    ticket_type_id: RecordId | None
    """The id of the ticket type; null without one."""
    name: str | None
    """The name that people read."""
    price: Decimal | None
    """What a place costs, in taka with at most two decimals; 0 is free."""
    capacity: int | None
    """How many places there are; 0 is unlimited, null for tickets without a type."""


@dataclass(slots=True, kw_only=True)
class EventStatsView(TicketCounts):
    """The counts of an event, and of each of its ticket types."""

    by_ticket_type: list[TicketTypeStatsView]
    """The same counts for each ticket type of the event."""


@dataclass(frozen=True, slots=True)
class _Tally:
    """Tickets of one type and status; ``paid`` in taka."""

    event_id: int
    ticket_type_id: int | None
    status: TicketStatus
    tickets: int
    paid: Decimal


async def tally(which: Q) -> list[_Tally]:
    """The tickets that meet a condition, counted by event, type and status in one statement."""
    rows = (
        await Ticket.filter(which)
        .annotate(tickets=Count("id"), millions=_MILLIONS, rest=_REST)
        .group_by("event_id", "ticket_type_id", "status")
        .values_list("event_id", "ticket_type_id", "status", "tickets", "millions", "rest")
    )
    return [
        _Tally(event_id, ticket_type_id, TicketStatus(status), tickets, _taka(millions, rest))
        for event_id, ticket_type_id, status, tickets, millions, rest in rows
    ]


def _taka(millions: int | Decimal, rest: int | Decimal) -> Decimal:
    """Of the two sums of cents, with two decimals as all money."""
    return (Decimal(millions) * _MILLION + Decimal(rest)).scaleb(-2)


def counts(tallies: Iterable[_Tally]) -> dict[str, Any]:  # Any: counts and money
    """The fields of TicketCounts."""
    by_status = dict.fromkeys(TicketStatus, 0)
    revenue = Decimal(0)
    for one in tallies:
        by_status[one.status] += one.tickets
        if one.status is TicketStatus.SUCCESS:
            revenue += one.paid
    return {
        "total": sum(by_status.values()),
        "approved": by_status[TicketStatus.SUCCESS],
        "pending": by_status[TicketStatus.PENDING],
        "failed": by_status[TicketStatus.FAILED],
        "refunded": by_status[TicketStatus.REFUNDED],
        "revenue": revenue,
    }


@operation(allow(*ORGANIZERS, scope=Scope.TICKETS_READ), raises=(errors.NotFound, errors.Forbidden))
async def get_event_stats(ctx: Context, id: EventId) -> EventStatsView:
    """How many have registered for an event and what they have paid."""
    event = await require_event_manager(ctx, id)
    return (await _event_stats_of([event.id]))[event.id]


async def load_event_stats(ctx: Context, event_ids: Sequence[int]) -> dict[int, EventStatsView]:
    """The statistics of those of the events that the caller manages, by event, in three statements."""
    return await _event_stats_of(await managed_event_ids(ctx, event_ids))


async def _event_stats_of(event_ids: Sequence[int]) -> dict[int, EventStatsView]:
    tallies: dict[int, list[_Tally]] = {event_id: [] for event_id in event_ids}
    for one in await tally(Q(event_id__in=list(event_ids))):
        tallies[one.event_id].append(one)
    types: dict[int, list[TicketType]] = {event_id: [] for event_id in event_ids}
    for row in await TicketType.filter(event_id__in=list(event_ids)).order_by("-id"):
        types[row.event_id].append(row)
    return {event_id: _event_stats_view(tallies[event_id], types[event_id]) for event_id in event_ids}


def _event_stats_view(tallies: list[_Tally], types: list[TicketType]) -> EventStatsView:
    by_type = [_type_stats(row, [one for one in tallies if one.ticket_type_id == row.id]) for row in types]
    if untyped := [one for one in tallies if one.ticket_type_id is None]:
        by_type.append(_type_stats(None, untyped))
    return EventStatsView(**counts(tallies), by_ticket_type=by_type)


def _type_stats(row: TicketType | None, tallies: list[_Tally]) -> TicketTypeStatsView:
    return TicketTypeStatsView(
        **counts(tallies),
        ticket_type_id=RecordId(row.id) if row else None,
        name=row.name if row else None,
        price=row.price if row else None,
        capacity=row.capacity if row else None,
    )


@dataclass(slots=True, kw_only=True)
class PlatformStatsView:
    """The platform in numbers; money in taka. ``7d``: in the last seven days."""

    total_users: int
    """How many accounts there are, of all types."""
    total_organizers: int
    """How many accounts are organizers."""
    total_admins: int
    """How many accounts are admins."""
    total_organizations: int
    """How many organizations there are."""
    total_events: int
    """How many events there are, public and private."""
    public_events: int
    """How many of the events are public."""
    total_tickets: int
    """How many tickets there are, whatever their status."""
    tickets_by_status: dict[str, int]
    """How many tickets there are, by status."""
    total_revenue: Decimal
    """The sum of all approved tickets, in taka with at most two decimals."""
    total_donations: int
    """How many donations there are, whatever their status."""
    donations_by_status: dict[str, int]
    """How many donations there are, by status."""
    verified_donation_amount: Taka
    """The sum of all verified donations, in whole taka."""
    active_api_keys: int
    """How many keys can be used now."""
    new_users_7d: int
    """How many accounts were created in the last seven days."""
    new_tickets_7d: int
    """How many tickets were registered in the last seven days."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def get_platform_stats(ctx: Context) -> PlatformStatsView:
    """Accounts, events, tickets, donations and keys of the whole platform."""
    active = Q(is_active=True, revoked_at__isnull=True) & (Q(expires_at__isnull=True) | Q(expires_at__gt=ctx.now))
    since = ctx.now - _RECENTLY
    return PlatformStatsView(
        **await _account_stats(),
        **await _event_stats(),
        **await _ticket_stats(),
        **await _donation_stats(),
        total_organizations=await Organization.all().count(),
        active_api_keys=await ApiKey.filter(active).count(),
        new_users_7d=await User.filter(created_at__gte=since).count(),
        new_tickets_7d=await Ticket.filter(created_at__gte=since).count(),
    )


async def _account_stats() -> dict[str, Any]:  # Any: the fields of a view
    rows = await User.annotate(accounts=Count("id")).group_by("type", "admin").values_list("type", "admin", "accounts")
    return {
        "total_users": sum(accounts for _, _, accounts in rows),
        "total_organizers": sum(accounts for kind, _, accounts in rows if kind == AccountType.ORGANIZER),
        "total_admins": sum(accounts for _, admin, accounts in rows if admin),
    }


async def _event_stats() -> dict[str, Any]:  # Any: as above
    rows = dict(await Event.annotate(events=Count("id")).group_by("privacy").values_list("privacy", "events"))
    return {"total_events": sum(rows.values()), "public_events": rows.get(Privacy.PUBLIC, 0)}


async def _ticket_stats() -> dict[str, Any]:  # Any: counts, money, and counts by status
    rows = (
        await Ticket.annotate(tickets=Count("id"), millions=_MILLIONS, rest=_REST)
        .group_by("status")
        .values_list("status", "tickets", "millions", "rest")
    )
    by_status = {str(status): 0 for status in TicketStatus}
    by_status |= {str(status): tickets for status, tickets, _, _ in rows}
    paid = [_taka(millions, rest) for status, _, millions, rest in rows if status == TicketStatus.SUCCESS]
    return {
        "total_tickets": sum(by_status.values()),
        "tickets_by_status": by_status,
        "total_revenue": sum(paid, Decimal(0)),
    }


async def _donation_stats() -> dict[str, Any]:  # Any: counts, and counts by status
    rows = (
        await Donation.annotate(donations=Count("id"), amounts=RawSQL("SUM(CAST(amount AS BIGINT))"))
        .group_by("status")
        .values_list("status", "donations", "amounts")
    )
    by_status = {str(status): 0 for status in DonationStatus}
    by_status |= {str(status): donations for status, donations, _ in rows}
    return {
        "total_donations": sum(by_status.values()),
        "donations_by_status": by_status,
        "verified_donation_amount": Taka(
            sum(int(amount) for status, _, amount in rows if status == DonationStatus.VERIFIED)
        ),
    }
