"""The SQLite engine: transactions, locks and files, in one process and with others."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tortoise.transactions import in_transaction

from amarevents.models.db.connection import DatabaseBusy, DatabaseUnavailable
from amarevents.models.db.engines.sqlite import GuardedSqliteClient, GuardedSqliteTransaction, split_script
from amarevents.settings import Settings
from tests.models.conftest import connected

pytestmark = [pytest.mark.anyio, pytest.mark.backend("sqlite")]


@pytest.fixture
def other_process(empty: Settings) -> Iterator[sqlite3.Connection]:
    """Open a second connection, as of another process, that never waits for locks; create the table ``rows``."""
    with closing(sqlite3.connect(path_of(empty), isolation_level=None, timeout=0)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE rows (id INTEGER)")
        yield connection


def path_of(settings: Settings) -> str:
    return settings.database_url.removeprefix("sqlite:///")


async def read_then_write(other_process: sqlite3.Connection) -> None:
    async with in_transaction() as transaction:
        await transaction.execute_query("SELECT * FROM rows")
        other_process.execute("INSERT INTO rows VALUES (1)")
        await transaction.execute_query("INSERT INTO rows VALUES (2)")


async def test_other_processes_cannot_write_during_a_transaction(
    empty: Settings, other_process: sqlite3.Connection
) -> None:
    async with connected(empty):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await read_then_write(other_process)


async def test_after_a_deferred_begin_other_processes_can_write(
    empty: Settings, other_process: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: here, the transaction of this process fails immediately, despite the timeout."""
    monkeypatch.setattr(GuardedSqliteTransaction, "BEGIN", "BEGIN")
    async with connected(empty):
        with pytest.raises(DatabaseBusy):
            await read_then_write(other_process)


async def test_waiting_for_another_process_times_out(empty: Settings, other_process: sqlite3.Connection) -> None:
    async with connected(empty) as client:
        await client.execute_query("PRAGMA busy_timeout = 50")
        other_process.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy):
            async with in_transaction():
                pass
        with pytest.raises(DatabaseBusy):
            await client.execute_query("INSERT INTO rows VALUES (1)")
        other_process.execute("ROLLBACK")
        assert (await client.execute_query("INSERT INTO rows VALUES (1)"))[0] == 1


async def test_waiting_for_another_task_times_out(empty: Settings) -> None:
    async with connected(empty) as client:
        assert isinstance(client, GuardedSqliteClient)
        client.lock_seconds = 0.05
        async with in_transaction():
            with pytest.raises(DatabaseBusy):
                await client.execute_query("SELECT 1")
            with pytest.raises(DatabaseBusy):
                async with client._in_transaction():
                    pass
        await client.execute_query("SELECT 1")


async def test_pragmas_are_set(empty: Settings) -> None:
    async with connected(empty) as client:
        found = {}
        for pragma in ("busy_timeout", "foreign_keys", "journal_mode", "synchronous"):
            ((value,),) = (await client.execute_query(f"PRAGMA {pragma}"))[1]
            found[pragma] = value
        assert found == {"busy_timeout": 10_000, "foreign_keys": 1, "journal_mode": "wal", "synchronous": 1}


async def test_script_in_a_transaction_can_be_rolled_back(empty: Settings, other_process: sqlite3.Connection) -> None:
    async with connected(empty) as client:
        async with in_transaction() as transaction:
            await transaction.execute_script("INSERT INTO rows VALUES (1); INSERT INTO rows VALUES (2)")
            await transaction.rollback()
        assert await client.execute_query_dict("SELECT * FROM rows") == []


async def test_execute_many_adds_all_or_nothing(empty: Settings, other_process: sqlite3.Connection) -> None:
    other_process.execute("CREATE UNIQUE INDEX one ON rows (id)")
    async with connected(empty) as client:
        with pytest.raises(Exception, match="UNIQUE"):
            await client.execute_many("INSERT INTO rows VALUES (?)", [[1], [1]])
        assert await client.execute_query_dict("SELECT * FROM rows") == []


async def test_file_that_is_not_a_database_is_database_unavailable(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Not a database, but long enough to be taken for one. " * 20)
    with pytest.raises(DatabaseUnavailable, match=r"notes\.txt"):
        async with connected(Settings(database_url=f"sqlite:///{tmp_path / 'notes.txt'}")):
            pass


async def test_folder_that_cannot_be_created_is_database_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="folder"):
        async with connected(Settings(database_url=f"sqlite:///{tmp_path / 'file' / 'test.db'}")):
            pass


async def test_transactions_run_one_after_another(empty: Settings, other_process: sqlite3.Connection) -> None:
    other_process.execute("INSERT INTO rows VALUES (0)")

    async def increment() -> None:
        async with in_transaction() as transaction:
            ((value,),) = (await transaction.execute_query("SELECT id FROM rows"))[1]
            await asyncio.sleep(0)
            await transaction.execute_query(f"UPDATE rows SET id = {value + 1}")

    async with connected(empty):
        await asyncio.gather(*(increment() for _ in range(20)))
    assert other_process.execute("SELECT id FROM rows").fetchone() == (20,)


async def test_failed_commit_leaves_no_transaction_open(empty: Settings, other_process: sqlite3.Connection) -> None:
    other_process.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    other_process.execute(
        "CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    async with connected(empty) as client:

        async def add_orphan() -> None:
            async with in_transaction() as transaction:
                await transaction.execute_query("INSERT INTO children VALUES (1)")

        with pytest.raises(sqlite3.IntegrityError):
            await add_orphan()
        assert await client.execute_query_dict("SELECT * FROM children") == []
        other_process.execute("INSERT INTO rows VALUES (1)")


async def test_file_that_is_missing_for_a_while_can_be_reopened(
    empty: Settings, other_process: sqlite3.Connection
) -> None:
    async with connected(empty) as client:
        assert isinstance(client, GuardedSqliteClient)
        await client.close()
        file, client.filename = client.filename, "/dev/null/test.db"
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await client.execute_query("SELECT 1")
        client.filename = file
        assert await client.execute_query_dict("SELECT * FROM rows") == []


def test_script_is_split_at_the_ends_of_statements() -> None:
    trigger = "CREATE TRIGGER t BEFORE INSERT ON r BEGIN SELECT 1; SELECT 2; END;"
    script = f"CREATE TABLE r (a TEXT /* first; then */ DEFAULT ';');\n{trigger} SELECT 3"
    assert split_script(script) == ["CREATE TABLE r (a TEXT /* first; then */ DEFAULT ';');", trigger, "SELECT 3;"]


async def test_new_file_can_be_opened_by_several_clients(tmp_path: Path) -> None:
    for number in range(60):
        options = {"connection_name": "one", "busy_timeout": 10_000}
        clients = [GuardedSqliteClient(str(tmp_path / f"{number}.db"), **options) for _ in range(4)]
        try:
            await asyncio.gather(*(client.create_connection(with_db=True) for client in clients))
        finally:
            await asyncio.gather(*(client.close() for client in clients))


async def open_while_it_is_locked(file: Path) -> None:
    """Open a new file that another connection locks briefly; raise DatabaseBusy if it is refused."""
    client = GuardedSqliteClient(str(file), connection_name="one", busy_timeout=0, journal_mode="WAL")
    with closing(sqlite3.connect(file, isolation_level=None)) as other_process:
        other_process.execute("BEGIN EXCLUSIVE")
        opening = asyncio.create_task(client.create_connection(with_db=True))
        await asyncio.wait([opening], timeout=0.3)
        other_process.execute("ROLLBACK")
        try:
            await opening
        finally:
            await client.close()


async def test_opening_a_new_file_waits_for_a_short_lock(tmp_path: Path) -> None:
    await open_while_it_is_locked(tmp_path / "new.db")


async def test_opening_a_locked_new_file_fails_without_retries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr(GuardedSqliteClient, "lock_seconds", 0)
    with pytest.raises(DatabaseBusy):
        await open_while_it_is_locked(tmp_path / "new.db")
