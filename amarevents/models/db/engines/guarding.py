"""What both engines have in common: work that a cancellation may not interrupt, and transactions made of it.

Time-outs, clients that go away and shutdown all cancel tasks, at any ``await``. A connection that was taken is given
back and a transaction that was begun is ended all the same, and only then does the cancellation go on its way.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from types import TracebackType

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.connection import get_connections
from tortoise.exceptions import TransactionManagementError

from amarevents.tasks import finish

# Coroutine[Any, Any, T]: what it sends and yields is between it and the event loop.


class GuardedTransactionClient(TransactionalDBClient):
    """Holds its connection for as long as its transaction lasts."""

    @abstractmethod
    async def take(self) -> None:
        """Wait for a connection. If this fails or is cancelled, none is held."""

    @abstractmethod
    async def give_back(self) -> None:
        """Let others have the connection."""


class GuardedTransaction(TransactionContext):
    """``async with``: commit at the end, roll back on any exception, give the connection back in every case."""

    client: GuardedTransactionClient

    def __init__(self, client: GuardedTransactionClient) -> None:
        self.client = client

    async def __aenter__(self) -> TransactionalDBClient:
        await self.client.take()
        await finish(self._begin(), undo=lambda _: self._end(asyncio.CancelledError))
        # Not inside _begin: what a task sets in its context is not seen outside of it.
        self._token = get_connections().set(self.client.connection_name, self.client)
        return self.client

    async def __aexit__(
        self, failure: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        get_connections().reset(self._token)
        await finish(self._end(failure))

    async def _begin(self) -> None:
        try:
            await self.client.begin()
        except BaseException:
            await self.client.give_back()
            raise

    async def _end(self, failure: type[BaseException] | None) -> None:
        try:
            await end_transaction(self.client, failure, self.client.commit, self.client.rollback)
        finally:
            await self.client.give_back()


class GuardedSavepoint(TransactionContext):
    """A transaction inside a transaction: on an exception, only what happened inside is undone."""

    def __init__(self, client: TransactionalDBClient) -> None:
        self.client = client

    async def __aenter__(self) -> TransactionalDBClient:
        await finish(self.client.savepoint(), undo=lambda _: self.client.savepoint_rollback())
        return self.client

    async def __aexit__(
        self, failure: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        client = self.client
        await finish(end_transaction(client, failure, client.release_savepoint, client.savepoint_rollback))


async def end_transaction(
    client: TransactionalDBClient,
    failure: type[BaseException] | None,
    commit: Callable[[], Awaitable[None]],
    roll_back: Callable[[], Awaitable[None]],
) -> None:
    """Commit, or roll back after a ``failure``; nothing if the block has already done either itself."""
    if client._finalized:  # noqa: SLF001 - Tortoise's own contexts ask the same way
        return
    if failure is None:
        await commit()
    elif failure is not TransactionManagementError:
        await roll_back()
