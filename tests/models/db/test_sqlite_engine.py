"""SQLite serves one process well, and several in turn."""

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
def stranger(empty: Settings) -> Iterator[sqlite3.Connection]:
    """A connection of another process, as it were, to a table ``rows`` that it makes; it never waits for a lock."""
    with closing(sqlite3.connect(path_of(empty), isolation_level=None, timeout=0)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE rows (id INTEGER)")
        yield connection


def path_of(settings: Settings) -> str:
    return settings.database_url.removeprefix("sqlite:///")


async def read_then_write(stranger: sqlite3.Connection) -> None:
    async with in_transaction() as transaction:
        await transaction.execute_query("SELECT * FROM rows")
        stranger.execute("INSERT INTO rows VALUES (1)")
        await transaction.execute_query("INSERT INTO rows VALUES (2)")


async def test_others_do_not_write_between_our_reading_and_writing(
    empty: Settings, stranger: sqlite3.Connection
) -> None:
    async with connected(empty):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await read_then_write(stranger)


async def test_others_would_write_in_between_after_a_deferred_begin(
    empty: Settings, stranger: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: it is our transaction that fails, at once and whatever the time-out."""
    monkeypatch.setattr(GuardedSqliteTransaction, "BEGIN", "BEGIN")
    async with connected(empty):
        with pytest.raises(DatabaseBusy):
            await read_then_write(stranger)


async def test_waiting_for_another_process_ends(empty: Settings, stranger: sqlite3.Connection) -> None:
    async with connected(empty) as client:
        await client.execute_query("PRAGMA busy_timeout = 50")
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy):
            async with in_transaction():
                pass
        with pytest.raises(DatabaseBusy):
            await client.execute_query("INSERT INTO rows VALUES (1)")
        stranger.execute("ROLLBACK")
        assert (await client.execute_query("INSERT INTO rows VALUES (1)"))[0] == 1


async def test_waiting_for_another_task_ends(empty: Settings) -> None:
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


async def test_pragmas_are_in_force(empty: Settings) -> None:
    async with connected(empty) as client:
        found = {}
        for pragma in ("busy_timeout", "foreign_keys", "journal_mode", "synchronous"):
            ((value,),) = (await client.execute_query(f"PRAGMA {pragma}"))[1]
            found[pragma] = value
        assert found == {"busy_timeout": 10_000, "foreign_keys": 1, "journal_mode": "wal", "synchronous": 1}


async def test_script_within_a_transaction_can_be_rolled_back(empty: Settings, stranger: sqlite3.Connection) -> None:
    async with connected(empty) as client:
        async with in_transaction() as transaction:
            await transaction.execute_script("INSERT INTO rows VALUES (1); INSERT INTO rows VALUES (2)")
            await transaction.rollback()
        assert await client.execute_query_dict("SELECT * FROM rows") == []


async def test_execute_many_adds_all_or_nothing(empty: Settings, stranger: sqlite3.Connection) -> None:
    stranger.execute("CREATE UNIQUE INDEX one ON rows (id)")
    async with connected(empty) as client:
        with pytest.raises(Exception, match="UNIQUE"):
            await client.execute_many("INSERT INTO rows VALUES (?)", [[1], [1]])
        assert await client.execute_query_dict("SELECT * FROM rows") == []


async def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Not a database, but long enough to be taken for one. " * 20)
    with pytest.raises(DatabaseUnavailable, match=r"notes\.txt"):
        async with connected(Settings(database_url=f"sqlite:///{tmp_path / 'notes.txt'}")):
            pass


async def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="folder"):
        async with connected(Settings(database_url=f"sqlite:///{tmp_path / 'file' / 'test.db'}")):
            pass


async def test_transactions_take_turns(empty: Settings, stranger: sqlite3.Connection) -> None:
    stranger.execute("INSERT INTO rows VALUES (0)")

    async def increment() -> None:
        async with in_transaction() as transaction:
            ((value,),) = (await transaction.execute_query("SELECT id FROM rows"))[1]
            await asyncio.sleep(0)
            await transaction.execute_query(f"UPDATE rows SET id = {value + 1}")

    async with connected(empty):
        await asyncio.gather(*(increment() for _ in range(20)))
    assert stranger.execute("SELECT id FROM rows").fetchone() == (20,)


async def test_commit_that_fails_leaves_no_transaction_open(empty: Settings, stranger: sqlite3.Connection) -> None:
    stranger.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    stranger.execute("CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)")
    async with connected(empty) as client:

        async def add_orphan() -> None:
            async with in_transaction() as transaction:
                await transaction.execute_query("INSERT INTO children VALUES (1)")

        with pytest.raises(sqlite3.IntegrityError):
            await add_orphan()
        assert await client.execute_query_dict("SELECT * FROM children") == []
        stranger.execute("INSERT INTO rows VALUES (1)")


async def test_file_that_is_gone_for_a_while_holds_nobody_up(empty: Settings, stranger: sqlite3.Connection) -> None:
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


async def test_new_file_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    for number in range(60):
        options = {"connection_name": "one", "busy_timeout": 10_000}
        clients = [GuardedSqliteClient(str(tmp_path / f"{number}.db"), **options) for _ in range(4)]
        try:
            await asyncio.gather(*(client.create_connection(with_db=True) for client in clients))
        finally:
            await asyncio.gather(*(client.close() for client in clients))


async def open_while_it_is_locked(file: Path) -> None:
    """Raises DatabaseBusy if a new file is refused that somebody else locks for a moment."""
    client = GuardedSqliteClient(str(file), connection_name="one", busy_timeout=0, journal_mode="WAL")
    with closing(sqlite3.connect(file, isolation_level=None)) as stranger:
        stranger.execute("BEGIN EXCLUSIVE")
        opening = asyncio.create_task(client.create_connection(with_db=True))
        await asyncio.wait([opening], timeout=0.3)
        stranger.execute("ROLLBACK")
        try:
            await opening
        finally:
            await client.close()


async def test_new_file_that_is_locked_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    await open_while_it_is_locked(tmp_path / "new.db")


async def test_new_file_is_refused_to_who_does_not_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    monkeypatch.setattr(GuardedSqliteClient, "lock_seconds", 0)
    with pytest.raises(DatabaseBusy):
        await open_while_it_is_locked(tmp_path / "new.db")
