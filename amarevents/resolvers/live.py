"""An event as it happens: its numbers and its tickets, told to its owner and to admins for as long as they may know.

Whoever follows is identified anew before each delivery, and every few seconds beside: a key may be revoked meanwhile, a
session end, an account lose its role or the event its owner (decisions 2.4).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from amarevents.models import Ticket
from amarevents.models.enums import TicketChangeKind
from amarevents.models.fields import utc_now
from amarevents.resolvers.base import Context, Id, Input, RecordId, public_text
from amarevents.resolvers.check_in import count_checked_in
from amarevents.resolvers.operation import Operation, validate
from amarevents.resolvers.ownership import require_event_manager
from amarevents.resolvers.statistics import EventStatsView, get_event_stats
from amarevents.resolvers.tickets import TicketView, list_event_tickets, ticket_view, with_event
from amarevents.security.broker import Listener, TicketChange
from amarevents.security.identification import identify

T = TypeVar("T")

CHECK_SECONDS = 3.0
"""How long a follower of an event in which nothing happens may go on after it has lost its right to."""

PAUSE_SECONDS = 0.25
"""At least between two readings of the same numbers, however fast they change."""


@dataclass(slots=True, kw_only=True)
class TicketUpdateView:
    """What has happened to a ticket; ``ticket`` as it is now, null where it has been deleted."""

    kind: TicketChangeKind
    ticket_id: RecordId
    ticket: TicketView | None


class FollowEvent(Input):
    """Which event."""

    event_id: Id


class Standing:
    """The right of one follower, which may end at any time. ``shows_the_same`` is the operation whose policy holds."""

    def __init__(self, ctx: Context, event_id: int, shows_the_same: Operation[Any]) -> None:  # Any: its own view
        self.ctx = ctx
        self.event_id = event_id
        self._policy = shows_the_same.policy

    async def identify(self) -> None:
        """Find anew who follows. Raises what is wrong with the credential now, or what the policy refuses."""
        self.ctx.now = utc_now()
        self.ctx.principal = await identify(self.ctx.credential)
        self._policy.check(self.ctx.principal)

    async def check(self) -> None:
        """Raises what the operation that shows the same would raise now, NotFound for an event that is gone."""
        await self.identify()
        await require_event_manager(self.ctx, self.event_id)

    async def wait(self, listener: Listener) -> None:
        """Until something has happened; raises as ``check``, which is repeated as long as nothing does."""
        while not await listener.wait(CHECK_SECONDS):
            await self.check()


@dataclass(frozen=True, kw_only=True)
class Subscription(Generic[T]):
    """Something that a caller can follow: what an operation answers once, over and over."""

    name: str
    description: str
    shows_the_same: Operation[Any]  # Any: each has its own view
    run: Callable[[Standing, Listener], AsyncGenerator[T, None]]
    view: Any  # the annotation of what it yields
    input_type: type[Input] = FollowEvent

    async def __call__(
        self, ctx: Context, data: Mapping[str, object], *, begun: Callable[[], None]
    ) -> AsyncGenerator[T, None]:
        """Views until the caller leaves; ``begun`` is called once it has been let in, and misses nothing from then on.

        Raises what the operation that shows the same raises, at any time, and UpdatesMissed.
        """
        self.shows_the_same.policy.check(ctx.principal)
        wanted = validate(FollowEvent, data)
        assert isinstance(wanted, FollowEvent)  # noqa: S101 - for the type checker
        standing = Standing(ctx, wanted.event_id, self.shows_the_same)
        await standing.check()
        async with (
            ctx.services.broker.subscribe(wanted.event_id) as listener,
            contextlib.aclosing(self.run(standing, listener)) as views,
        ):
            begun()
            async for view in views:
                yield view


SUBSCRIPTIONS: dict[str, Subscription[Any]] = {}
"""Every subscription by its name; tests compare the schema with it. Any: each has its own view."""


def _subscription(
    view: type[T], shows_the_same: Operation[Any]
) -> Callable[[Callable[[Standing, Listener], AsyncGenerator[T, None]]], Subscription[T]]:
    """Make a generator of views a subscription."""

    def decorate(run: Callable[[Standing, Listener], AsyncGenerator[T, None]]) -> Subscription[T]:
        made = Subscription(
            name=run.__name__,
            description=public_text(run.__doc__),
            shows_the_same=shows_the_same,
            run=run,
            view=view,
        )
        SUBSCRIPTIONS[made.name] = made
        return made

    return decorate


@dataclass(slots=True, kw_only=True)
class LiveEventStatsView(EventStatsView):
    """The counts of an event, of each of its ticket types, and of the tickets that have let somebody in."""

    checked_in: int


@_subscription(LiveEventStatsView, get_event_stats)
async def event_stats(standing: Standing, listener: Listener) -> AsyncGenerator[LiveEventStatsView, None]:
    """The numbers of an event: as they are now, and within a second whenever they change.

    What changes faster than it is read is told as the sum of it.
    """
    told: LiveEventStatsView | None = None
    while True:
        listener.clear()  # before the numbers are read: what happens from here on is told next time
        read_at = time.monotonic()
        await standing.identify()
        stats = await _read_stats(standing)
        if stats != told:
            told = stats
            yield stats
        await standing.wait(listener)
        await asyncio.sleep(max(0.0, read_at + PAUSE_SECONDS - time.monotonic()))


async def _read_stats(standing: Standing) -> LiveEventStatsView:
    """Raises NotFound, Forbidden."""
    stats = await get_event_stats.run(standing.ctx, id=standing.event_id)
    counted = {field.name: getattr(stats, field.name) for field in fields(stats)}
    return LiveEventStatsView(**counted, checked_in=await count_checked_in(standing.event_id))


@_subscription(TicketUpdateView, list_event_tickets)
async def ticket_updated(standing: Standing, listener: Listener) -> AsyncGenerator[TicketUpdateView, None]:
    """The tickets of an event that are registered, changed or deleted from now on, one by one.

    Whoever takes them too slowly gets the error UPDATES_MISSED: subscribe again, and read the list anew.
    """
    while True:
        while (change := listener.take()) is not None:
            update = await _read(standing, change)
            if update is not None:
                yield update
        await standing.wait(listener)


async def _read(standing: Standing, change: TicketChange) -> TicketUpdateView | None:
    """The ticket as it is now; None where it has been deleted meanwhile, which is a change of its own."""
    await standing.check()
    ticket_id = RecordId(change.ticket_id)
    if change.kind is TicketChangeKind.DELETED:
        return TicketUpdateView(kind=change.kind, ticket_id=ticket_id, ticket=None)
    row = await with_event(Ticket.filter(event_id=standing.event_id)).get_or_none(id=ticket_id)
    return TicketUpdateView(kind=change.kind, ticket_id=ticket_id, ticket=ticket_view(row)) if row else None
