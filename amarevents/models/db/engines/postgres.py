"""PostgreSQL: a pool of connections, each checked before use when it has been idle."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, cast

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import PoolConnectionWrapper, TransactionContext
from tortoise.exceptions import DBConnectionError

from amarevents.models.db.engines.failures import DatabaseBusy, DatabaseUnavailable
from amarevents.models.db.engines.guarding import GuardedSavepoint, GuardedTransaction, GuardedTransactionClient
from amarevents.tasks import finish

PING_SECONDS = 2.0

# A PoolConnectionProxy, which passes for the Connection that it stands for; no type of the stubs says both.
Pooled = Any

BUSY = (
    asyncpg.exceptions.TransactionRollbackError,  # deadlocks, serialization failures
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,  # by statement_timeout
    asyncpg.exceptions.InsufficientResourcesError,  # too many connections, disk full, out of memory
)
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,  # shutdown, starting up
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InternalClientError,  # when the server's farewell has arrived, but the loss is not noticed yet
    DBConnectionError,
    OSError,
)


class StaleConnection(Exception):
    """An idle connection turned out to be dead; the pool has closed it."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise DatabaseBusy or DatabaseUnavailable for what is the matter with the server rather than the statement."""
    try:
        yield
    except BUSY as error:
        raise DatabaseBusy(f"PostgreSQL gave up: {error}") from error
    except TimeoutError as error:  # before LOST: it is an OSError
        raise DatabaseBusy("PostgreSQL did not answer in time, or every connection of the pool was in use") from error
    except LOST as error:
        raise _unavailable(error) from error
    except asyncpg.InterfaceError as error:
        if "clos" not in str(error) and "released" not in str(error):
            raise  # a misuse of the driver
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"PostgreSQL cannot be reached ({str(error) or type(error).__name__}): "
        "check that it runs and that AMAREVENTS_DATABASE_URL is right"
    )


class Connection(asyncpg.Connection):
    """Knows since when it has been idle, in seconds of the monotonic clock."""

    __slots__ = ("idle_since",)

    def __init__(self, *arguments: Any, **options: Any) -> None:  # Any: asyncpg calls it, with arguments of its own
        super().__init__(*arguments, **options)
        self.idle_since = time.monotonic()

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's signature
        await super().reset(timeout=timeout)
        self.idle_since = time.monotonic()

    def get_reset_query(self) -> str:
        """Nothing: no statement of ours leaves settings, cursors or locks behind in its session.

        An open transaction is rolled back all the same. The default would cost a round trip after each statement.
        """
        return ""


class _Lease(PoolConnectionWrapper[Pooled]):
    """A connection of the pool, for one statement."""

    client: "GuardedPostgresClient"

    async def __aenter__(self) -> Pooled:
        self.connection = await self.client.take_connection()
        return self.connection

    async def __aexit__(
        self, failure: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.client.release_connection(self.connection)


async def _connect(*arguments: Any, **options: Any) -> asyncpg.Connection:  # Any: asyncpg.connect's, passed on
    """Connect, even if cancelled, and hang up then: left half way, asyncpg's handshake logs errors of its own."""
    return await finish(asyncpg.connect(*arguments, **options), undo=lambda connection: connection.close())


async def _acquire_live(pool: asyncpg.Pool) -> Pooled:
    while True:
        try:
            return await pool.acquire()
        except StaleConnection:
            # It is closed now: acquiring it again connects, and fails with a reason if that cannot be done.
            continue


class _NamingFailures(AsyncpgDBClient):
    """Tortoise leads every statement through this method, to name errors its way; the rest is named here."""

    async def _translate_exceptions(
        self, func: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> Any:  # Any: passes through every method of the client
        with translated_errors():
            return await super()._translate_exceptions(func, *args, **kwargs)


class GuardedPostgresClient(_NamingFailures):
    """Tortoise's client for PostgreSQL, proof against cancellation and against restarts of the server.

    ``acquire_seconds`` bounds the wait for a connection; one that was idle for ``trust_seconds`` is checked before use.
    """

    connection_class = Connection  # type: ignore[assignment] # declared for one kind of record
    acquire_seconds: float = 10
    trust_seconds: float = 1

    def acquire_connection(self) -> _Lease:
        return _Lease(self, self._pool_init_lock)

    def _in_transaction(self) -> TransactionContext:
        return GuardedTransaction(GuardedPostgresTransaction(self))

    async def create_connection(self, with_db: bool) -> None:
        """Open the pool. Raises DatabaseUnavailable, DatabaseBusy."""
        with translated_errors():
            await finish(super().create_connection(with_db))

    async def create_pool(self, **options: Any) -> asyncpg.Pool:  # Any: the options of asyncpg.create_pool
        return await super().create_pool(connect=_connect, setup=self._check, **options)

    async def _check(self, connection: Pooled) -> None:
        if time.monotonic() - connection.idle_since < self.trust_seconds:
            return
        try:
            await connection.execute("SELECT 1", timeout=PING_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise StaleConnection from error

    async def take_connection(self) -> Pooled:
        """Wait for a connection that works. If this fails or is cancelled, none is held.

        Raises DatabaseUnavailable, DatabaseBusy.
        """
        pool = await self._open_pool()
        with translated_errors():
            async with asyncio.timeout(self.acquire_seconds):
                return await _acquire_live(pool)

    async def release_connection(self, connection: Pooled) -> None:
        """Give a connection back; asyncpg goes through with it when cancelled."""
        if self._pool is not None:  # otherwise the pool has been closed, with all its connections
            await self._pool.release(connection)

    async def _open_pool(self) -> asyncpg.Pool:
        async with self._pool_init_lock:
            if self._pool is None:
                await self.create_connection(with_db=True)
            return cast(asyncpg.Pool, self._pool)

    async def execute_many(self, query: str, values: list[list[object]]) -> None:
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


class GuardedPostgresTransaction(_NamingFailures, TransactionWrapper, GuardedTransactionClient):
    """Holds a connection of the pool from its beginning to its end."""

    _parent: "GuardedPostgresClient"

    def _in_transaction(self) -> TransactionContext:
        return GuardedSavepoint(GuardedPostgresTransaction(self))

    async def take(self) -> None:
        self._connection = await self._parent.take_connection()

    async def give_back(self) -> None:
        await self._parent.release_connection(self._connection)

    async def commit(self) -> None:
        with translated_errors():
            await super().commit()

    async def rollback(self) -> None:
        try:
            with translated_errors():
                await super().rollback()
        except DatabaseUnavailable:
            # The connection is gone, and the transaction with it: the server rolls back what nobody commits.
            self._finalized = True


client_class = GuardedPostgresClient
