"""The context of a GraphQL operation: the request it belongs to, its deadline and its data loaders."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from strawberry.types import Info as StrawberryInfo

from amarevents import errors
from amarevents.schema.core.dataloaders import Loader, LoadFunction, Outcome, outcome_of
from amarevents.schema.core.timeouts import Deadline
from amarevents.security.auth.sessions import StartedSession
from amarevents.security.context import Context

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True)
class ResponseSize:
    """The size of a response so far, in objects."""

    objects: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What the operations of a batch share: their time limit, and the maximum size of the response."""

    response_size: ResponseSize = field(default_factory=ResponseSize)
    started_at: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """The seconds since the batch was started."""
        return time.monotonic() - self.started_at


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a selection needs of the views that an operation or a load function returns.

    ``fields`` are the names of their attributes, None for all; ``total`` is whether it needs the total of a list.
    """

    fields: frozenset[str] | None = None
    total: bool = True

    def __or__(self, other: "Wanted") -> "Wanted":
        """Return what two selections of the same views need."""
        both = None if self.fields is None or other.fields is None else self.fields | other.fields
        return Wanted(both, self.total or other.total)


class GraphQLContext:
    """The context of one operation, available to its fields as ``info.context``.

    ``batch`` is set if the operation belongs to one, which has been charged; ``cost`` is known once it has been
    computed; ``deadline`` is the time limit of queries and mutations. ``started`` is set once a subscription has been
    accepted: it misses no change from then on.
    """

    def __init__(self, request: Context, batch: Batch | None = None) -> None:
        self.request = request
        self.batch = batch
        self.response_size = ResponseSize() if batch is None else batch.response_size
        self.cost: int | None = None
        self.deadline = Deadline()
        self._has_mutated = False
        self._session_before: StartedSession | None = None
        # By load function. Any: each has its own keys and values.
        self._loaders: dict[LoadFunction[Any, Any], Loader[Any, Any]] = {}
        # Of root fields of queries, by their names in the response.
        self._answers: dict[str, Outcome[object]] = {}

    @cached_property
    def started(self) -> asyncio.Event:
        return asyncio.Event()

    def request_for(self, wanted: Wanted) -> Context:
        """Return the context of the request with what is needed of the views that it is passed to load.

        It is a copy, because fields are loaded at the same time.
        """
        narrowed = Context.__new__(Context)
        for name in Context.__slots__:
            setattr(narrowed, name, getattr(self.request, name))
        narrowed.fields, narrowed.needs_total = wanted.fields, wanted.total
        return narrowed

    async def answer(self, name: str, work: Callable[[], Awaitable[object]]) -> object:
        """Return the result of a root field of a query, whose work is done once, whichever engine asks for it first."""
        if name not in self._answers:
            self._answers[name] = await outcome_of(lambda: self.deadline.start(work))
        return self._answers[name].get()

    async def load(self, load: LoadFunction[K, T], key: K) -> T | None:
        """Return what a load function finds for a key, None if it finds nothing.

        Keys that are needed at the same moment are loaded together, and each key at most once.
        """
        return await self._loader(load).get(key)

    async def load_all(self, load: LoadFunction[K, T], keys: Collection[K], wanted: Wanted) -> Mapping[K, T]:
        """Return what a load function finds for the keys, loaded together. All calls have to want the same of it."""
        return await self._loader(load).get_all(keys, lambda: self.request_for(wanted))

    def _loader(self, load: LoadFunction[K, T]) -> Loader[K, T]:
        loader: Loader[K, T] | None = self._loaders.get(load)
        if loader is None:
            loader = self._loaders[load] = Loader(load, self.request, self.deadline)
        return loader

    async def require(self, load: LoadFunction[K, T], key: K, noun: str) -> T:
        """Return what a load function finds for a key. Raises NotFound if that is nothing the caller may see."""
        found = await self.load(load, key)
        if found is None:
            raise errors.NotFound(noun)
        return found

    async def start_mutation(self) -> None:
        """Prepare for the next mutation of the document: data that the previous one may have changed is loaded again.

        From the second mutation on the caller is identified again as well: the previous one may have revoked its API
        key, ended its session, changed its role or started another session. Raises the error of a credential that is
        no longer valid.
        """
        self.reset_loaders()
        if self._has_mutated:
            await self.request.reauthenticate()
        self._has_mutated = True
        self._session_before = self.request.started_session

    async def finish_mutation(self) -> None:
        """Show the fields of the result of a login as the account sees them: it has started a session."""
        if self.request.started_session not in (None, self._session_before):
            await self.request.reauthenticate()

    def start_delivery(self) -> None:
        """Prepare for the next result of a subscription, which has fresh data and the time limit of an operation."""
        self.deadline = Deadline(self.request.services.settings.graphql_timeout_seconds)
        self.reset_loaders()

    def reset_loaders(self) -> None:
        """Forget all data that has been loaded."""
        self._loaders.clear()


Info: TypeAlias = StrawberryInfo[GraphQLContext, None]
