"""PostgreSQL engine: a pool whose connections are checked before use if they have been idle."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, cast

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import PoolConnectionWrapper, TransactionContext

from amarevents.models.db.engines.connection_queue import ConnectionQueue
from amarevents.models.db.engines.errors import DatabaseUnavailable
from amarevents.models.db.engines.postgres_errors import translated_errors
from amarevents.models.db.engines.transactions import GuardedSavepoint, GuardedTransaction, GuardedTransactionClient
from amarevents.tasks import finish

PING_SECONDS = 2.0

# Any: a PoolConnectionProxy, which behaves like the Connection that it wraps; the stubs have no type for this.
Pooled = Any


class StaleConnection(Exception):
    """An idle connection was found dead, and the pool has closed it."""


class Connection(asyncpg.Connection):
    """A connection that records since when it has been idle, in seconds of the monotonic clock."""

    __slots__ = ("idle_since",)

    def __init__(self, *arguments: Any, **options: Any) -> None:  # Any: arguments of asyncpg, passed on
        super().__init__(*arguments, **options)
        self.idle_since = time.monotonic()

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's signature
        await super().reset(timeout=timeout)
        self.mark_idle()

    def mark_idle(self) -> None:
        self.idle_since = time.monotonic()

    def get_reset_query(self) -> str:
        """Return no query: our statements leave no settings, cursors or locks behind in a session.

        An open transaction is still rolled back. The default query would cost a round trip after each statement.
        """
        return ""


class _PooledConnection(PoolConnectionWrapper[Pooled]):
    """A connection of the pool that is held for one statement."""

    client: "GuardedPostgresClient"

    async def __aenter__(self) -> Pooled:
        self.connection = await self.client.hold_connection()
        return self.connection

    async def __aexit__(
        self, failure: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.client.release_connection(self.connection, succeeded=failure is None)


async def _connect(*arguments: Any, **options: Any) -> asyncpg.Connection:  # Any: asyncpg.connect's, passed on
    """Connect; if cancelled, finish and close: asyncpg logs errors of a handshake that is aborted half way."""
    return await finish(asyncpg.connect(*arguments, **options), undo=lambda connection: connection.close())


async def _acquire_live(pool: asyncpg.Pool) -> Pooled:
    while True:
        try:
            return await pool.acquire()
        except StaleConnection:
            # It is closed now, so the next attempt connects or fails with a reason.
            continue


def _is_open(connection: Pooled) -> bool:
    """Return whether the server has not closed the connection; the pool then takes it out of its wrapper."""
    return connection._con is not None and not connection.is_closed()  # noqa: SLF001 - is_closed() would raise


class _TranslatingErrors(AsyncpgDBClient):
    """Adds our translation of errors to Tortoise's, which every statement passes through."""

    async def _translate_exceptions(
        self, func: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> Any:  # Any: the result of any method of the client
        with translated_errors():
            return await super()._translate_exceptions(func, *args, **kwargs)

    async def execute_rows(self, text: str, values: Sequence[object]) -> Sequence[asyncpg.Record]:
        """Return the rows of a statement. Raises IntegrityError, DatabaseBusy, DatabaseUnavailable."""
        with translated_errors():
            async with self.acquire_connection() as connection:
                self.log.debug("%s: %s", text, values)
                rows: Sequence[asyncpg.Record] = await connection.fetch(text, *values)
                return rows


class GuardedPostgresClient(_TranslatingErrors):
    """Tortoise's client for PostgreSQL, safe for cancellation and for restarts of the server.

    ``acquire_seconds`` limits the wait for a connection. A connection that was idle for at least
    ``idle_check_seconds`` is checked before use. ``transaction_limits`` are settings of the server that every
    transaction sets for itself, because a pooler gives each of them another session.
    """

    connection_class = Connection  # type: ignore[assignment] # declared as generic over records
    idle_check_seconds: float = 1

    def __init__(
        self, *arguments: Any, acquire_seconds: float, transaction_limits: Mapping[str, str], **options: Any
    ) -> None:  # Any: passed on to Tortoise
        super().__init__(*arguments, **options)
        self.acquire_seconds = acquire_seconds
        self._queue: ConnectionQueue[Pooled] = ConnectionQueue(self.pool_maxsize)
        self.begin_script = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in transaction_limits.items())

    def acquire_connection(self) -> _PooledConnection:
        return _PooledConnection(self, self._pool_init_lock)

    def _in_transaction(self) -> TransactionContext:
        return GuardedTransaction(GuardedPostgresTransaction(self))

    async def create_connection(self, with_db: bool) -> None:
        """Open the pool. Raises DatabaseUnavailable, DatabaseBusy."""
        with translated_errors():
            await finish(super().create_connection(with_db))

    async def create_pool(self, **options: Any) -> asyncpg.Pool:  # Any: options of asyncpg.create_pool
        return await super().create_pool(connect=_connect, setup=self._check, **options)

    async def _check(self, connection: Pooled) -> None:
        if not self._is_stale(connection):
            return
        try:
            await connection.execute("SELECT 1", timeout=PING_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise StaleConnection from error

    def _is_stale(self, connection: Pooled) -> bool:
        return time.monotonic() - float(connection.idle_since) >= self.idle_check_seconds

    async def execute_rows(self, text: str, values: Sequence[object]) -> Sequence[asyncpg.Record]:
        with translated_errors():
            connection = await self.hold_connection()
            succeeded = False
            try:
                self.log.debug("%s: %s", text, values)
                rows: Sequence[asyncpg.Record] = await connection.fetch(text, *values)
                succeeded = True
            finally:
                await self.release_connection(connection, succeeded=succeeded)
            return rows

    async def hold_connection(self) -> Pooled:
        """Wait for a working connection. None is held if this fails or is cancelled.

        Raises DatabaseUnavailable, DatabaseBusy.
        """
        connection = self._queue.take()
        if connection is not None and self._is_usable(connection):
            return connection
        with translated_errors():
            return await self._wait_for_connection(connection)

    async def _wait_for_connection(self, connection: Pooled | None) -> Pooled:
        """Open a connection if there is room for one, otherwise wait for one; close those that cannot be used."""
        deadline = asyncio.get_running_loop().time() + self.acquire_seconds
        while True:
            if connection is not None:
                if self._is_usable(connection):
                    return connection
                await self.release_connection(connection)
            if self._queue.reserve():
                return await self._open_connection(deadline)
            connection = self._queue.take() or await self._queue.wait(deadline)

    async def _open_connection(self, deadline: float) -> Pooled:
        try:
            async with asyncio.timeout_at(deadline):
                return await _acquire_live(await self._open_pool())
        except BaseException:
            self._queue.remove()
            raise

    def _is_usable(self, connection: Pooled) -> bool:
        return _is_open(connection) and not self._is_stale(connection)

    async def release_connection(self, connection: Pooled, *, succeeded: bool = False) -> None:
        """Release a connection: to the next caller if its statement ``succeeded``, otherwise to the pool.

        The pool ends what is unfinished, or closes the connection; asyncpg completes this even when cancelled.
        """
        if self._pool is None:  # it has been closed, with all its connections
            return
        if succeeded and _is_open(connection) and not connection.is_in_transaction():
            connection.mark_idle()
            self._queue.put_back(connection)
            return
        try:
            await self._pool.release(connection)
        finally:
            self._queue.remove()

    async def close(self) -> None:
        while (connection := self._queue.take()) is not None:
            await self.release_connection(connection)
        self._queue = ConnectionQueue(self.pool_maxsize)
        await super().close()

    async def _open_pool(self) -> asyncpg.Pool:
        if self._pool is not None:
            return self._pool
        async with self._pool_init_lock:
            if self._pool is None:
                await self.create_connection(with_db=True)
            return cast(asyncpg.Pool, self._pool)

    async def execute_many(self, query: str, values: list[list[object]]) -> None:
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


class GuardedPostgresTransaction(_TranslatingErrors, TransactionWrapper, GuardedTransactionClient):
    """A transaction that holds a connection of the pool."""

    _parent: "GuardedPostgresClient"

    def _in_transaction(self) -> TransactionContext:
        return GuardedSavepoint(GuardedPostgresTransaction(self))

    async def acquire(self) -> None:
        self._connection = await self._parent.hold_connection()

    async def release(self) -> None:
        await self._parent.release_connection(self._connection, succeeded=self._finalized)

    async def begin(self) -> None:
        await super().begin()
        if self._parent.begin_script:
            await self.execute_script(self._parent.begin_script)

    async def savepoint(self) -> None:
        await super().begin()

    async def commit(self) -> None:
        with translated_errors():
            await super().commit()

    async def rollback(self) -> None:
        try:
            with translated_errors():
                await super().rollback()
        except DatabaseUnavailable:
            # The connection is lost, and the server rolls back its transaction.
            self._finalized = True


client_class = GuardedPostgresClient
