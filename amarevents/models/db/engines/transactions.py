"""Cancellation-safe transactions for both engines.

Timeouts, disconnected clients and shutdown cancel tasks at any ``await``. A transaction is always ended and its
connection released before the cancellation continues.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from types import TracebackType

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.connection import get_connections
from tortoise.exceptions import TransactionManagementError

from amarevents.tasks import finish


class GuardedTransactionClient(TransactionalDBClient):
    """A client that holds its connection from the beginning to the end of its transaction."""

    @abstractmethod
    async def acquire(self) -> None:
        """Wait for a connection. None is held if this fails or is cancelled."""

    @abstractmethod
    async def release(self) -> None:
        """Release the connection."""


class GuardedTransaction(TransactionContext):
    """A context that commits at its end or rolls back on any exception, and always releases the connection."""

    client: GuardedTransactionClient

    def __init__(self, client: GuardedTransactionClient) -> None:
        self.client = client

    async def __aenter__(self) -> TransactionalDBClient:
        await self.client.acquire()
        await finish(self._begin(), undo=lambda _: self._end(asyncio.CancelledError))
        # Not in _begin: finish() runs it in a task, and context variables set in a task are not visible outside it.
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
            await self.client.release()
            raise

    async def _end(self, failure: type[BaseException] | None) -> None:
        try:
            await end_transaction(self.client, failure, self.client.commit, self.client.rollback)
        finally:
            await self.client.release()


class GuardedSavepoint(TransactionContext):
    """A nested transaction: an exception undoes only the changes made inside it."""

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
    """Commit, or roll back after a ``failure``, unless the transaction has already been ended explicitly."""
    if client._finalized:  # noqa: SLF001 - as in Tortoise's own contexts
        return
    if failure is None:
        await commit()
    elif failure is not TransactionManagementError:
        await roll_back()
