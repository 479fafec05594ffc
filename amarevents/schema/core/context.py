"""The context of a GraphQL operation: the request it belongs to, its deadline and its data loaders."""

import asyncio
import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from amarevents import errors
from amarevents.schema.core.dataloaders import LoadFunction, make_loader
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


class GraphQLContext:
    """The context of one operation, available to its fields as ``info.context``.

    ``operation_name`` is the name that the caller sent; ``batch`` is set if the operation belongs to one, which has
    been charged; ``cost`` is known once the document has been validated; ``deadline`` is the time limit of queries and
    mutations. ``started`` is set once a subscription has been accepted: it misses no change from then on.
    """

    def __init__(self, request: Context, operation_name: str | None, batch: Batch | None = None) -> None:
        self.request = request
        self.operation_name = operation_name
        self.batch = batch
        self.response_size = ResponseSize() if batch is None else batch.response_size
        self.cost: int | None = None
        self.deadline = Deadline()
        self.started = asyncio.Event()
        self._has_mutated = False
        self._session_before: StartedSession | None = None
        # By load function. Any: each has its own keys and values.
        self._loaders: dict[LoadFunction[Any, Any], DataLoader[Any, Any]] = {}

    async def load(self, load: LoadFunction[K, T], key: K) -> T | None:
        """Return what a load function finds for a key, None if it finds nothing.

        Keys that are needed at the same moment are loaded together, and each key at most once.
        """
        if load not in self._loaders:
            self._loaders[load] = make_loader(load, self.request, self.deadline)
        loader: DataLoader[K, T | None] = self._loaders[load]
        return await loader.load(key)

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
