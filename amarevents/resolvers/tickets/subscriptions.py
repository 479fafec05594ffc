"""Subscriptions of an event's owner and of admins: the statistics of the event and the changes of its tickets."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from amarevents.infra.pubsub import Subscriber, TicketChange
from amarevents.models.db.sql import is_in, sql
from amarevents.models.enums import TicketChangeKind
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.core.select import by_id
from amarevents.resolvers.core.subscription import SharedResult, SubscriberAuthorization, shared_result, subscription
from amarevents.resolvers.core.views import extend
from amarevents.resolvers.events.statistics import IdentifiedEventStatsView, get_event_stats
from amarevents.resolvers.tickets.check_in import count_checked_in
from amarevents.resolvers.tickets.queries import TICKETS, TicketView, list_event_tickets

PAUSE_SECONDS = 0.25
"""The minimum time between two reads of the same data, and the maximum age of data and authorization that are sent."""

# Of several changes of one ticket the last in this order is reported.
_PRECEDENCE = (TicketChangeKind.UPDATED, TicketChangeKind.CREATED, TicketChangeKind.DELETED)


@dataclass(slots=True, kw_only=True)
class LiveEventStatsView(IdentifiedEventStatsView):
    """The ticket statistics of an event, in total and by ticket type, and the number of tickets that are checked in."""

    checked_in: int
    """The number of tickets that are checked in."""


@subscription(LiveEventStatsView, policy_of=get_event_stats)
async def event_stats(
    authorization: SubscriberAuthorization, subscriber: Subscriber
) -> AsyncGenerator[LiveEventStatsView, None]:
    """Receive the statistics of an event: once at the start, and within a second of every change.

    Changes in quick succession are combined into one result.
    """
    sent: LiveEventStatsView | None = None
    shared: SharedResult[LiveEventStatsView] = shared_result(event_stats.name, authorization.event_id)
    while True:
        subscriber.clear()  # before the statistics are read, so that later changes cause another result
        read_at = time.monotonic()
        await authorization.check()
        stats = await shared.get(partial(_read_stats, authorization), since=read_at)
        if stats != sent:
            sent = stats
            yield stats
        await authorization.wait(subscriber)
        await _pause_since(read_at)


async def _read_stats(authorization: SubscriberAuthorization) -> LiveEventStatsView:
    """Raises NotFound, Forbidden."""
    event_id = authorization.event_id
    stats = await get_event_stats.run(authorization.ctx, id=event_id)
    checked_in = await count_checked_in(event_id)
    return extend(stats, to=partial(LiveEventStatsView, id=RecordId(event_id), checked_in=checked_in))


async def _pause_since(read_at: float) -> None:
    await asyncio.sleep(max(0.0, read_at + PAUSE_SECONDS - time.monotonic()))


@dataclass(slots=True, kw_only=True)
class TicketUpdateView:
    """A change of a ticket."""

    kind: TicketChangeKind
    """The kind of change."""
    ticket_id: RecordId
    """The ID of the ticket."""
    ticket: TicketView | None
    """The current state of the ticket; null if it has been deleted."""


@subscription(TicketUpdateView, policy_of=list_event_tickets)
async def ticket_updated(
    authorization: SubscriberAuthorization, subscriber: Subscriber
) -> AsyncGenerator[TicketUpdateView, None]:
    """Receive the tickets of an event that are registered, changed or deleted, each within a second.

    Several changes of one ticket in quick succession are combined into one result. A subscriber that receives results
    too slowly gets the error UPDATES_MISSED: subscribe again, and load the list of tickets again.
    """
    read_at = -math.inf
    while True:
        await authorization.wait(subscriber)
        await _pause_since(read_at)
        read_at = time.monotonic()
        async with contextlib.aclosing(_updates(authorization, merge_changes(iter(subscriber.pop, None)))) as updates:
            async for update in updates:
                yield update


def merge_changes(changes: Iterable[TicketChange]) -> dict[int, TicketChangeKind]:
    """Return one kind of change for each ticket, in the order of the tickets' first changes."""
    kinds: dict[int, TicketChangeKind] = {}
    for kind, ticket_id in changes:
        kinds[ticket_id] = max(kinds.get(ticket_id, kind), kind, key=_PRECEDENCE.index)
    return kinds


async def _updates(
    authorization: SubscriberAuthorization, changes: Mapping[int, TicketChangeKind]
) -> AsyncGenerator[TicketUpdateView, None]:
    """Yield the current state of the tickets; for a slow subscriber it is read, and authorized, repeatedly.

    A ticket that has been deleted since its change is left out, because its deletion is a change of its own.
    """
    shared: SharedResult[dict[int, TicketView]] = shared_result(
        ticket_updated.name, authorization.event_id, frozenset(changes)
    )
    tickets: dict[int, TicketView] = {}
    read_at = -math.inf
    for ticket_id, kind in changes.items():
        if read_at + PAUSE_SECONDS <= time.monotonic():
            read_at = time.monotonic()
            await authorization.check()
            tickets = await shared.get(partial(_read_tickets, authorization.event_id, list(changes)), since=read_at)
        ticket = None if kind is TicketChangeKind.DELETED else tickets.get(ticket_id)
        if ticket is not None or kind is TicketChangeKind.DELETED:
            yield TicketUpdateView(kind=kind, ticket_id=RecordId(ticket_id), ticket=ticket)


async def _read_tickets(event_id: int, ticket_ids: Sequence[int]) -> dict[int, TicketView]:
    """Return those of the tickets that exist, by ID, in one statement."""
    return by_id(await TICKETS.where(is_in("tickets.id", ticket_ids), sql("tickets.event_id = ?", event_id)).fetch())
