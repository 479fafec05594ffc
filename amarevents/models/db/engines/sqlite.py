"""SQLite engine: one connection per process, which one task uses at a time."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import cast

import aiosqlite
from tortoise.backends.base.client import ConnectionWrapper, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper
from tortoise.exceptions import IntegrityError

from amarevents.models.db.engines.errors import DatabaseBusy, DatabaseUnavailable
from amarevents.models.db.engines.transactions import GuardedSavepoint, GuardedTransaction, GuardedTransactionClient
from amarevents.tasks import finish

BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
RETRY_SECONDS = 0.05
PRIMARY_CODE = 0xFF  # SQLite's extended result codes have the primary one in their lowest byte


@contextmanager
def translated_errors(file_path: str) -> Iterator[None]:
    """Raise DatabaseBusy or DatabaseUnavailable for errors of the file rather than the statement."""
    try:
        yield
    except sqlite3.Error as error:
        # Errors raised by Python itself, such as a wrong number of parameters, have no code.
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
        if code in BUSY:
            raise DatabaseBusy(f"{file_path} has been locked by another process for too long ({error})") from error
        if code in UNUSABLE:
            raise DatabaseUnavailable(
                f"{file_path} cannot be used ({error}): check the file, its permissions and the disk"
            ) from error
        raise


class _LockedConnection(ConnectionWrapper[aiosqlite.Connection]):
    """The connection, locked for one statement of one task."""

    client: "GuardedSqliteClient | GuardedSqliteTransaction"

    async def __aenter__(self) -> aiosqlite.Connection:
        await acquire_lock(self._lock, self.client.lock_seconds)
        try:
            await self.client.create_connection(with_db=True)
        except BaseException:
            self._lock.release()
            raise
        self.connection = cast(aiosqlite.Connection, self.client._connection)  # noqa: SLF001
        return self.connection

    async def __aexit__(
        self, failure: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if failure is not None and issubclass(failure, asyncio.CancelledError):
                await finish(self._give_up())
        finally:
            self._lock.release()
        if error is not None:
            with translated_errors(self.client.filename):
                raise error

    async def _give_up(self) -> None:
        """Interrupt a cancelled statement. Wait for it in a transaction, which interrupting would roll back."""
        if not isinstance(self.client, GuardedSqliteClient):
            await _drain(self.connection)
            return
        await self.connection.interrupt()
        try:
            await _drain(self.connection)
        except sqlite3.OperationalError:
            # Another statement has not been read to its end, and SQLite would interrupt every statement until then.
            # The next task opens a new connection.
            await self.client.close()


async def acquire_lock(lock: asyncio.Lock, seconds: float) -> None:
    """Acquire ``lock``. Raises DatabaseBusy after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            await lock.acquire()
    except TimeoutError as error:
        raise DatabaseBusy(f"The SQLite connection of this process was in use for {seconds} seconds") from error


async def _drain(connection: aiosqlite.Connection) -> None:
    """Wait for the statement of a cancelled task, which continues in the thread of the connection.

    The thread executes statements in order, so that one is done when this one is. Otherwise the next task would count
    its changes as its own.
    """
    with suppress(ValueError):  # the connection was closed, which also waits for the thread
        await connection.execute_fetchall("SELECT 1")


class _Reading(SqliteClient):
    """Reads rows without Tortoise."""

    async def execute_rows(self, text: str, values: Sequence[object]) -> Sequence[sqlite3.Row]:
        """Return the rows of a statement. Raises IntegrityError, DatabaseBusy, DatabaseUnavailable."""
        try:
            async with self.acquire_connection() as connection:
                self.log.debug("%s: %s", text, values)
                return list(await connection.execute_fetchall(text, values))
        except sqlite3.IntegrityError as error:
            raise IntegrityError(error) from error


class GuardedSqliteClient(_Reading):
    """Tortoise's client for SQLite, safe for cancellation. ``lock_seconds`` limits the wait for the connection."""

    lock_seconds: float = 10

    def acquire_connection(self) -> _LockedConnection:
        return _LockedConnection(self._lock, self)

    def _in_transaction(self) -> TransactionContext:
        return GuardedTransaction(GuardedSqliteTransaction(self))

    async def create_connection(self, with_db: bool) -> None:
        """Connect unless connected, creating the folder of the file. Raises DatabaseUnavailable, DatabaseBusy."""
        if self._connection is None:
            await finish(self._connect(with_db))

    async def _connect(self, with_db: bool) -> None:
        deadline = time.monotonic() + self.lock_seconds
        while True:
            try:
                return await self._connect_once(with_db)
            except DatabaseBusy:
                # SQLite fails instead of waiting when several processes switch a new file to WAL mode at once.
                if time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def _connect_once(self, with_db: bool) -> None:
        try:
            with translated_errors(self.filename):
                Path(self.filename).parent.mkdir(parents=True, exist_ok=True)
                await super().create_connection(with_db)
        except OSError as error:
            raise DatabaseUnavailable(f"The folder of {self.filename} cannot be created: {error}") from error
        except BaseException:
            await self.close()  # without its PRAGMAs the connection would not check foreign keys
            raise

    async def execute_many(self, query: str, values: list[list[object]]) -> None:
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


class GuardedSqliteTransaction(_Reading, SqliteTransactionWrapper, GuardedTransactionClient):
    """A transaction that holds the connection, and waits at its beginning for writers of other processes.

    After a deferred BEGIN, the first write would fail immediately if another process wrote since the first read.
    """

    BEGIN = "BEGIN IMMEDIATE"
    _parent: "GuardedSqliteClient | GuardedSqliteTransaction"

    def __init__(self, parent: "GuardedSqliteClient | GuardedSqliteTransaction") -> None:
        super().__init__(parent)
        self.filename = parent.filename
        self.lock_seconds: float = parent.lock_seconds

    def acquire_connection(self) -> _LockedConnection:
        return _LockedConnection(self._lock, self)

    def _in_transaction(self) -> TransactionContext:
        return GuardedSavepoint(GuardedSqliteTransaction(self))

    async def create_connection(self, with_db: bool) -> None:
        """Do nothing: ``begin`` has set the connection."""

    async def acquire(self) -> None:
        await acquire_lock(self._parent._lock, self.lock_seconds)  # noqa: SLF001

    async def release(self) -> None:
        self._parent._lock.release()  # noqa: SLF001

    async def begin(self) -> None:
        await self._parent.create_connection(with_db=True)
        self._connection = cast(aiosqlite.Connection, self._parent._connection)  # noqa: SLF001
        with translated_errors(self.filename):
            await self._connection.execute_fetchall(self.BEGIN)

    async def commit(self) -> None:
        try:
            with translated_errors(self.filename):
                await super().commit()
        except BaseException:
            await self._connection.rollback()
            raise

    async def execute_script(self, query: str) -> None:
        """Execute the statements of a script one by one: SQLite's own method would commit the transaction first."""
        for statement in split_script(query):
            await self.execute_query(statement)


def split_script(script: str) -> list[str]:
    """Return the statements of a script. Semicolons in comments, strings and trigger bodies do not end a statement."""
    statements, current = [], ""
    for part in script.split(";"):
        current += f"{part};"
        if sqlite3.complete_statement(current):
            statements.append(current.strip())
            current = ""
    return [statement for statement in statements if statement != ";"]


client_class = GuardedSqliteClient
