"""Subscriptions: views of an event that are sent to a subscriber whenever something changes.

A subscriber is authorized again before each view that is sent, and every few seconds while nothing happens, because its
API key may be revoked, its session may end, its account may lose its role or the event may get another owner (decisions
2.4). Work that several subscribers need at the same moment is done once: subscribers are not charged for views.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from amarevents.infra.pubsub import Subscriber
from amarevents.models.columns import utc_now
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.core.inputs import Id, Input
from amarevents.resolvers.core.operation import Operation, validate
from amarevents.resolvers.core.permissions import require_event_manager
from amarevents.security.context import Context
from amarevents.security.policy import Principal

T = TypeVar("T")
AnyOperation: TypeAlias = Operation[object]

CHECK_SECONDS = 3.0
"""The maximum time for which a subscription goes on after its subscriber has lost access, while nothing happens."""


class SubscribeToEvent(Input):
    """The event to subscribe to."""

    event_id: Id
    """The ID of the event."""


class SharedResult(Generic[T]):
    """The result of work that several subscribers need, which is done once for all that wait for it."""

    def __init__(self) -> None:
        self.started_at = -math.inf
        self._lock = asyncio.Lock()

    async def get(self, work: Callable[[], Awaitable[T]], *, since: float) -> T:
        """Return the latest result if work on it was started after ``since`` (monotonic seconds), else a new one."""
        async with self._lock:
            if self.started_at <= since:
                started_at = time.monotonic()
                self._result = await work()
                self.started_at = started_at
            return self._result


_SHARED_RESULTS: WeakValueDictionary[Hashable, SharedResult[Any]] = WeakValueDictionary()
"""The shared results of this process, for as long as subscribers need them. Any: each has its own type."""


def shared_result(*key: Hashable) -> SharedResult[Any]:  # Any: as above
    """Return the result that all subscribers with the same key share."""
    return _SHARED_RESULTS.setdefault(key, SharedResult())


class SubscriberAuthorization:
    """The permission of a subscriber to receive views of an event, which may be withdrawn at any time.

    It is that of ``policy_of``, the operation that returns the same data.
    """

    def __init__(self, ctx: Context, event_id: int, policy_of: AnyOperation) -> None:
        self.ctx = ctx
        self.event_id = event_id
        self._policy = policy_of.policy
        self._checks: SharedResult[Principal] = shared_result(ctx.credential, event_id, policy_of.name)

    async def identify(self) -> None:
        """Identify the subscriber again. Raises the errors of an invalid credential and those of the policy."""
        self.ctx.now = utc_now()
        await self.ctx.reauthenticate()
        self._policy.check(self.ctx.principal)

    async def check(self, *, within: float = 0.0) -> None:
        """Check the permission. Raises what the operation that returns the same data would raise now.

        A check for the same credential and event within the last ``within`` seconds is reused.
        """
        self.ctx.principal = await self._checks.get(self._check, since=time.monotonic() - within)
        self.ctx.now = utc_now()

    async def _check(self) -> Principal:
        await self.identify()
        await require_event_manager(self.ctx, self.event_id)
        return self.ctx.principal

    async def wait(self, subscriber: Subscriber) -> None:
        """Wait for the next change, checking the permission repeatedly. Raises what ``check`` raises."""
        while not await subscriber.wait(self._checks.started_at + CHECK_SECONDS - time.monotonic()):
            await self.check(within=CHECK_SECONDS)


Source = Callable[[SubscriberAuthorization, Subscriber], AsyncGenerator[T, None]]
"""A function that yields views for a subscriber."""


@dataclass(frozen=True, kw_only=True)
class Subscription(Generic[T]):
    """A subscription that callers can start; ``policy_of`` is the operation that returns the same data once."""

    name: str
    description: str
    policy_of: AnyOperation
    run: Source[T]
    view: type[T]
    input_type: type[SubscribeToEvent] = SubscribeToEvent

    async def __call__(
        self, ctx: Context, data: Mapping[str, object], *, on_started: Callable[[], None]
    ) -> AsyncGenerator[T, None]:
        """Yield views until the caller stops; no change is missed once ``on_started`` has been called.

        Raises, at any time, what ``policy_of`` raises, and TooManyOperations or UpdatesMissed.
        """
        self.policy_of.policy.check(ctx.principal)
        event_id = validate(self.input_type, data).event_id
        authorization = SubscriberAuthorization(ctx, event_id, self.policy_of)
        with ctx.services.connections.for_subscription(ctx.principal.require_account()):
            await authorization.check()
            async with (
                ctx.services.broker.subscribe(event_id) as subscriber,
                contextlib.aclosing(self.run(authorization, subscriber)) as views,
            ):
                on_started()
                async for view in views:
                    yield view


SUBSCRIPTIONS: dict[str, Subscription[Any]] = {}
"""Every subscription by its name; tests compare the schema with it. Any: each has its own view."""


def subscription(view: type[T], *, policy_of: AnyOperation) -> Callable[[Source[T]], Subscription[T]]:
    """Make a subscription of a function that yields views; its docstring is the description that callers read."""

    def decorate(run: Source[T]) -> Subscription[T]:
        made = Subscription(
            name=run.__name__,
            description=public_text(run.__doc__),
            policy_of=policy_of,
            run=run,
            view=view,
        )
        SUBSCRIPTIONS[made.name] = made
        return made

    return decorate
