"""An event as it happens: its numbers and its tickets, told to its owner and to admins for as long as they may know.

Whoever follows is identified anew before what has changed is read, and every few seconds beside: a key may be revoked
meanwhile, a session end, an account lose its role or the event its owner (decisions 2.4). What many followers need at
the same moment is worked out once: what is delivered costs them nothing.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from amarevents.infra.pubsub import Subscriber, TicketChange
from amarevents.models import Ticket
from amarevents.models.columns import utc_now
from amarevents.models.enums import TicketChangeKind
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.core.inputs import Id, Input, RecordId
from amarevents.resolvers.core.operation import Operation, validate
from amarevents.resolvers.core.permissions import require_event_manager
from amarevents.resolvers.events.statistics import EventStatsView, get_event_stats
from amarevents.resolvers.tickets.check_in import count_checked_in
from amarevents.resolvers.tickets.queries import TicketView, list_event_tickets, with_event
from amarevents.security.auth.principals import identify
from amarevents.security.context import Context
from amarevents.security.policy import Principal

T = TypeVar("T")

CHECK_SECONDS = 3.0
"""How long a follower of an event in which nothing happens may go on after it has lost its right to."""

PAUSE_SECONDS = 0.25
"""At least between two readings, however fast things change; and how long what was read, and the right to it, hold."""

# Which of several changes of one ticket is told: the later of these.
_WEIGHTS = (TicketChangeKind.UPDATED, TicketChangeKind.CREATED, TicketChangeKind.DELETED)


@dataclass(slots=True, kw_only=True)
class TicketUpdateView:
    """What has happened to a ticket; ``ticket`` as it is now, null where it has been deleted."""

    kind: TicketChangeKind
    """What has happened."""
    ticket_id: RecordId
    """The id of the ticket."""
    ticket: TicketView | None
    """The ticket as it is now; null where it has been deleted."""


class FollowEvent(Input):
    """Which event."""

    event_id: Id
    """The id of the event."""


class Shared(Generic[T]):
    """Something that several followers need, worked out for all who wait for it at once."""

    def __init__(self) -> None:
        self.begun_at = -math.inf
        self._lock = asyncio.Lock()

    async def get(self, work: Callable[[], Awaitable[T]], *, since: float) -> T:
        """What somebody has begun to work out since then (monotonic seconds); by ``work`` where nobody has."""
        async with self._lock:
            if self.begun_at <= since:
                begun_at = time.monotonic()
                self._result = await work()
                self.begun_at = begun_at
            return self._result


_SHARED: WeakValueDictionary[Hashable, Shared[Any]] = WeakValueDictionary()
"""In this process, for as long as somebody follows. Any: each has its own result."""


def _shared(*by: Hashable) -> Shared[Any]:
    """The same for all who have the same in common."""
    return _SHARED.setdefault(by, Shared())


class Standing:
    """The right of one follower, which may end at any time. ``shows_the_same`` is the operation whose policy holds."""

    def __init__(self, ctx: Context, event_id: int, shows_the_same: Operation[Any]) -> None:  # Any: its own view
        self.ctx = ctx
        self.event_id = event_id
        self._policy = shows_the_same.policy
        self._checks: Shared[Principal] = _shared(ctx.credential, event_id, shows_the_same.name)

    async def identify(self) -> None:
        """Find anew who follows. Raises what is wrong with the credential now, or what the policy refuses."""
        self.ctx.now = utc_now()
        self.ctx.principal = await identify(self.ctx.credential)
        self._policy.check(self.ctx.principal)

    async def check(self, *, within: float = 0.0) -> None:
        """Raises what the operation that shows the same would raise now, NotFound for an event that is gone.

        ``within``: for so many seconds, an earlier check of somebody with the same credential is good enough.
        """
        self.ctx.principal = await self._checks.get(self._checked, since=time.monotonic() - within)
        self.ctx.now = utc_now()

    async def _checked(self) -> Principal:
        await self.identify()
        await require_event_manager(self.ctx, self.event_id)
        return self.ctx.principal

    async def wait(self, subscriber: Subscriber) -> None:
        """Until something has happened; raises as ``check``, which is repeated as long as nothing does."""
        while not await subscriber.wait(self._checks.begun_at + CHECK_SECONDS - time.monotonic()):
            await self.check(within=CHECK_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Subscription(Generic[T]):
    """Something that a caller can follow: what an operation answers once, over and over."""

    name: str
    description: str
    shows_the_same: Operation[Any]  # Any: each has its own view
    run: Callable[[Standing, Subscriber], AsyncGenerator[T, None]]
    view: Any  # the annotation of what it yields
    input_type: type[Input] = FollowEvent

    async def __call__(
        self, ctx: Context, data: Mapping[str, object], *, begun: Callable[[], None]
    ) -> AsyncGenerator[T, None]:
        """Views until the caller leaves; ``begun`` is called once it has been let in, and misses nothing from then on.

        Raises what the operation that shows the same raises, at any time, TooManyOperations and UpdatesMissed.
        """
        self.shows_the_same.policy.check(ctx.principal)
        wanted = validate(FollowEvent, data)
        assert isinstance(wanted, FollowEvent)  # noqa: S101 - for the type checker
        standing = Standing(ctx, wanted.event_id, self.shows_the_same)
        with ctx.services.connections.for_subscription(ctx.principal.require_account()):
            await standing.check()
            async with (
                ctx.services.broker.subscribe(wanted.event_id) as subscriber,
                contextlib.aclosing(self.run(standing, subscriber)) as views,
            ):
                begun()
                async for view in views:
                    yield view


SUBSCRIPTIONS: dict[str, Subscription[Any]] = {}
"""Every subscription by its name; tests compare the schema with it. Any: each has its own view."""


def _subscription(
    view: type[T], shows_the_same: Operation[Any]
) -> Callable[[Callable[[Standing, Subscriber], AsyncGenerator[T, None]]], Subscription[T]]:
    """Make a generator of views a subscription."""

    def decorate(run: Callable[[Standing, Subscriber], AsyncGenerator[T, None]]) -> Subscription[T]:
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
    """How many of the tickets have let somebody in."""


@_subscription(LiveEventStatsView, get_event_stats)
async def event_stats(standing: Standing, subscriber: Subscriber) -> AsyncGenerator[LiveEventStatsView, None]:
    """The numbers of an event: as they are now, and within a second whenever they change.

    What changes faster than it is read is told as the sum of it.
    """
    told: LiveEventStatsView | None = None
    numbers: Shared[LiveEventStatsView] = _shared(event_stats.name, standing.event_id)
    while True:
        subscriber.clear()  # before the numbers are read: what happens from here on is told next time
        read_at = time.monotonic()
        await standing.check()
        stats = await numbers.get(partial(_read_stats, standing), since=read_at)
        if stats != told:
            told = stats
            yield stats
        await standing.wait(subscriber)
        await asyncio.sleep(max(0.0, read_at + PAUSE_SECONDS - time.monotonic()))


async def _read_stats(standing: Standing) -> LiveEventStatsView:
    """Raises NotFound, Forbidden."""
    stats = await get_event_stats.run(standing.ctx, id=standing.event_id)
    counted = {field.name: getattr(stats, field.name) for field in fields(stats)}
    return LiveEventStatsView(**counted, checked_in=await count_checked_in(standing.event_id))


@_subscription(TicketUpdateView, list_event_tickets)
async def ticket_updated(standing: Standing, subscriber: Subscriber) -> AsyncGenerator[TicketUpdateView, None]:
    """The tickets of an event that are registered, changed or deleted from now on, one by one, each within a second.

    What happens to one ticket several times at once is told once. Whoever takes them too slowly gets the error
    UPDATES_MISSED: subscribe again, and read the list anew.
    """
    read_at = -math.inf
    while True:
        await standing.wait(subscriber)
        await asyncio.sleep(max(0.0, read_at + PAUSE_SECONDS - time.monotonic()))
        read_at = time.monotonic()
        async with contextlib.aclosing(_updates(standing, gathered(iter(subscriber.pop, None)))) as updates:
            async for update in updates:
                yield update


def gathered(changes: Iterable[TicketChange]) -> dict[int, TicketChangeKind]:
    """What has happened to each ticket, in the order of its first change."""
    kinds: dict[int, TicketChangeKind] = {}
    for kind, ticket_id in changes:
        kinds[ticket_id] = max(kinds.get(ticket_id, kind), kind, key=_WEIGHTS.index)
    return kinds


async def _updates(
    standing: Standing, changes: Mapping[int, TicketChangeKind]
) -> AsyncGenerator[TicketUpdateView, None]:
    """The tickets as they are now; read again, like the right to them, for one who takes them slowly.

    One that has been deleted meanwhile is left out: that is a change of its own.
    """
    readings: Shared[dict[int, TicketView]] = _shared(ticket_updated.name, standing.event_id, frozenset(changes))
    tickets: dict[int, TicketView] = {}
    read_at = -math.inf
    for ticket_id, kind in changes.items():
        if read_at + PAUSE_SECONDS <= time.monotonic():
            read_at = time.monotonic()
            await standing.check()
            tickets = await readings.get(partial(_read, standing.event_id, list(changes)), since=read_at)
        ticket = None if kind is TicketChangeKind.DELETED else tickets.get(ticket_id)
        if ticket is not None or kind is TicketChangeKind.DELETED:
            yield TicketUpdateView(kind=kind, ticket_id=RecordId(ticket_id), ticket=ticket)


async def _read(event_id: int, ticket_ids: Sequence[int]) -> dict[int, TicketView]:
    """Those of the tickets that are there, by id, in one statement."""
    rows = await with_event(Ticket.filter(event_id=event_id, id__in=ticket_ids))
    return {ticket.id: TicketView.from_model(ticket) for ticket in rows}
