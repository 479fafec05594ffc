"""SQLite: one connection per process, used by one task at a time; writers of other processes wait for their turn."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import cast

import aiosqlite
from tortoise.backends.base.client import ConnectionWrapper, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper

from amarevents.models.db.engines.failures import DatabaseBusy, DatabaseUnavailable
from amarevents.models.db.engines.guarding import GuardedSavepoint, GuardedTransaction, GuardedTransactionClient
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
    """Raise DatabaseBusy or DatabaseUnavailable for what SQLite says of the file rather than of the statement."""
    try:
        yield
    except sqlite3.Error as error:
        # Errors that Python itself raises, such as a wrong number of parameters, carry no code.
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
        if code in BUSY:
            raise DatabaseBusy(f"Another process is writing to {file_path} for too long ({error})") from error
        if code in UNUSABLE:
            raise DatabaseUnavailable(
                f"{file_path} cannot be used ({error}): check the file, its rights and the disk"
            ) from error
        raise


class _Turn(ConnectionWrapper[aiosqlite.Connection]):
    """The connection, for one statement of one task."""

    client: "GuardedSqliteClient | GuardedSqliteTransaction"

    async def __aenter__(self) -> aiosqlite.Connection:
        await take_turn(self._lock, self.client.turn_seconds)
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
        """End the statement of a cancelled task. One in a transaction ends by itself: SQLite would undo all of it."""
        if not isinstance(self.client, GuardedSqliteClient):
            await _drain(self.connection)
            return
        await self.connection.interrupt()
        try:
            await _drain(self.connection)
        except sqlite3.OperationalError:
            # Something else is running that nobody has read to its end: until then SQLite would interrupt whatever
            # comes next. The next task connects anew.
            await self.client.close()


async def take_turn(lock: asyncio.Lock, seconds: float) -> None:
    """Acquire ``lock``. Raises DatabaseBusy after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            await lock.acquire()
    except TimeoutError as error:
        raise DatabaseBusy(f"The one SQLite connection of this process was in use for {seconds} s") from error


async def _drain(connection: aiosqlite.Connection) -> None:
    """Wait for the statement of a cancelled task: its thread knows nothing of tasks and carries on.

    The thread works in the order of arrival, so whatever stood before this is done when this is. The next task would
    otherwise count the changes of that statement as its own.
    """
    with suppress(ValueError):  # closed meanwhile, which waits for the thread as well
        await connection.execute_fetchall("SELECT 1")


class GuardedSqliteClient(SqliteClient):
    """Tortoise's client for SQLite, proof against cancellation. ``turn_seconds`` bounds the wait for the connection."""

    turn_seconds: float = 10

    def acquire_connection(self) -> _Turn:
        return _Turn(self._lock, self)

    def _in_transaction(self) -> TransactionContext:
        return GuardedTransaction(GuardedSqliteTransaction(self))

    async def create_connection(self, with_db: bool) -> None:
        """Connect unless connected; the file's folder is made. Raises DatabaseUnavailable, DatabaseBusy."""
        if self._connection is None:
            await finish(self._connect(with_db))

    async def _connect(self, with_db: bool) -> None:
        deadline = time.monotonic() + self.turn_seconds
        while True:
            try:
                return await self._connect_once(with_db)
            except DatabaseBusy:
                # Of several that turn a new file to WAL at the same time, SQLite lets some not wait but fail.
                if time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def _connect_once(self, with_db: bool) -> None:
        try:
            with translated_errors(self.filename):
                Path(self.filename).parent.mkdir(parents=True, exist_ok=True)
                await super().create_connection(with_db)
        except OSError as error:
            raise DatabaseUnavailable(f"The folder of {self.filename} cannot be made: {error}") from error
        except BaseException:
            await self.close()  # a connection that lacks some of its PRAGMAs would not check foreign keys
            raise

    async def execute_many(self, query: str, values: list[list[object]]) -> None:
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


class GuardedSqliteTransaction(SqliteTransactionWrapper, GuardedTransactionClient):
    """Holds the connection from its beginning to its end; another process's writer is waited for at the beginning.

    A deferred BEGIN would fail at the first write after a read, at once, if another process wrote in between.
    """

    BEGIN = "BEGIN IMMEDIATE"
    _parent: "GuardedSqliteClient | GuardedSqliteTransaction"

    def __init__(self, parent: "GuardedSqliteClient | GuardedSqliteTransaction") -> None:
        super().__init__(parent)
        self.filename = parent.filename
        self.turn_seconds: float = parent.turn_seconds

    def acquire_connection(self) -> _Turn:
        return _Turn(self._lock, self)

    def _in_transaction(self) -> TransactionContext:
        return GuardedSavepoint(GuardedSqliteTransaction(self))

    async def create_connection(self, with_db: bool) -> None:
        """Nothing: a transaction has its connection from ``begin``."""

    async def take(self) -> None:
        await take_turn(self._parent._lock, self.turn_seconds)  # noqa: SLF001

    async def give_back(self) -> None:
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
        """Run the statements one by one: SQLite's own way of running a script commits the transaction first."""
        for statement in split_script(query):
            await self.execute_query(statement)


def split_script(script: str) -> list[str]:
    """The statements of a script. Semicolons in comments, texts and the bodies of triggers end none of them."""
    statements, begun = [], ""
    for part in script.split(";"):
        begun += f"{part};"
        if sqlite3.complete_statement(begun):
            statements.append(begun.strip())
            begun = ""
    return [statement for statement in statements if statement != ";"]


client_class = GuardedSqliteClient
