"""The PostgreSQL engine: restarts, refused connections, locks and timeouts raise one kind of error, or none."""

import asyncio
import math
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction

from amarevents.models.db.connection import DatabaseBusy, DatabaseUnavailable
from amarevents.models.db.engines.postgres import GuardedPostgresClient
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.support.postgres_server import PostgresServer, private_postgres

pytestmark = [pytest.mark.anyio, pytest.mark.backend("postgres")]


@pytest.fixture
def stoppable_server() -> Iterator[PostgresServer]:
    """Start a PostgreSQL server that the test may stop."""
    with private_postgres() as server:
        yield server


async def fill_pool(client: BaseDBAsyncClient, connections: int) -> None:
    all_are_open = asyncio.Barrier(connections)

    async def one() -> None:
        async with in_transaction():
            await all_are_open.wait()

    await asyncio.gather(*(one() for _ in range(connections)))


def terminate_connections(settings: Settings) -> None:
    """Make the server end all connections of the application, without running the event loop."""
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'amarevents'"
    subprocess.run(["psql", "--quiet", "--command", kill, settings.database_url], check=True, capture_output=True)


async def test_statements_and_transactions_work_after_a_restart(stoppable_server: PostgresServer) -> None:
    settings = Settings(database_url=stoppable_server.create_database(), database_pool_size=3)
    async with connected(settings) as client:
        await fill_pool(client, 3)
        stoppable_server.stop()
        with pytest.raises(DatabaseUnavailable):
            await client.execute_query("SELECT 1")
        with pytest.raises(DatabaseUnavailable):
            async with in_transaction():
                pass
        stoppable_server.start()
        await fill_pool(client, 3)
        assert (await client.execute_query("SELECT 1"))[0] == 1


@pytest.mark.parametrize("in_a_transaction", [False, True], ids=["statement", "transaction"])
async def test_dead_idle_connections_are_replaced(empty: Settings, *, in_a_transaction: bool) -> None:
    async with connected(empty) as client:
        assert isinstance(client, GuardedPostgresClient)
        client.idle_check_seconds = 0
        await fill_pool(client, 3)
        terminate_connections(empty)
        for _ in range(3):
            if in_a_transaction:
                await fill_pool(client, 1)
            else:
                await client.execute_query("SELECT 1")


async def test_dead_idle_connections_fail_without_the_check(empty: Settings) -> None:
    """The negative control of the test above."""
    async with connected(empty) as client:
        assert isinstance(client, GuardedPostgresClient)
        client.idle_check_seconds = math.inf
        await fill_pool(client, 3)
        terminate_connections(empty)
        with pytest.raises(DatabaseUnavailable):
            await client.execute_query("SELECT 1")


async def test_connection_lost_in_a_transaction_is_database_unavailable(empty: Settings) -> None:
    async with connected(empty) as client:

        async def lose_connection() -> None:
            async with in_transaction() as transaction:
                await transaction.execute_query("SELECT 1")
                terminate_connections(empty)
                await transaction.execute_query("SELECT 1")

        with pytest.raises(DatabaseUnavailable):
            await lose_connection()
        await fill_pool(client, 3)


async def test_refused_connection_is_database_unavailable(empty: Settings) -> None:
    refusing = Settings(database_url="postgres://postgres@127.0.0.1:9/nothing")
    with pytest.raises(DatabaseUnavailable, match="check that it is running"):
        async with connected(refusing):
            pass


async def test_missing_database_is_database_unavailable(empty: Settings) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with connected(Settings(database_url=empty.database_url + "_missing")):
            pass


@pytest.mark.parametrize(
    ("limit", "statement"),
    [
        ("statement_timeout", "SELECT pg_sleep(5)"),
        ("lock_timeout", "SELECT pg_advisory_xact_lock(1)"),
    ],
)
async def test_timeouts_of_the_server_are_database_busy(empty: Settings, limit: str, statement: str) -> None:
    async with connected(empty) as client, in_transaction() as other, client._in_transaction() as transaction:
        await other.execute_query("SELECT pg_advisory_xact_lock(1)")
        await transaction.execute_query(f"SET LOCAL {limit} = '50ms'")
        with pytest.raises(DatabaseBusy):
            await transaction.execute_query(statement)


async def test_deadlock_is_database_busy_for_one_of_two(empty: Settings) -> None:
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE rows (id INT); INSERT INTO rows VALUES (1), (2)")
        both_hold_a_lock = asyncio.Barrier(2)

        async def lock(first: int, second: int) -> None:
            async with in_transaction() as transaction:
                await transaction.execute_query("SET LOCAL deadlock_timeout = '50ms'")
                await transaction.execute_query(f"SELECT * FROM rows WHERE id = {first} FOR UPDATE")
                await both_hold_a_lock.wait()
                await transaction.execute_query(f"SELECT * FROM rows WHERE id = {second} FOR UPDATE")

        outcomes = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes if outcome is not None] == [DatabaseBusy]
        await fill_pool(client, 3)


async def test_waiting_for_a_connection_times_out(empty: Settings) -> None:
    async with connected(empty) as client:
        assert isinstance(client, GuardedPostgresClient)
        client.acquire_seconds = 0.05
        all_are_open, done = asyncio.Barrier(4), asyncio.Event()

        async def hold() -> None:
            async with in_transaction():
                await all_are_open.wait()
                await done.wait()

        holders = [asyncio.ensure_future(hold()) for _ in range(3)]
        await all_are_open.wait()
        with pytest.raises(DatabaseBusy):
            await client.execute_query("SELECT 1")
        done.set()
        await asyncio.gather(*holders)
        await fill_pool(client, 3)


async def test_errors_of_statements_keep_their_type(empty: Settings) -> None:
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE rows (id INT PRIMARY KEY)")
        await client.execute_insert("INSERT INTO rows VALUES ($1)", [1])
        with pytest.raises(IntegrityError):
            await client.execute_insert("INSERT INTO rows VALUES ($1)", [1])
        with pytest.raises(OperationalError):
            await client.execute_query("SELECT * FROM nothing")
        with pytest.raises(asyncpg.InterfaceError):
            await client.execute_query("SELECT $1::int", [1, 2])


async def test_no_session_state_remains_for_the_next_transaction(empty: Settings) -> None:
    """Connections are returned to the pool without a reset, which would clear such state."""
    async with connected(Settings(database_url=empty.database_url, database_pool_size=1)) as client:
        with suppress(OperationalError):
            async with in_transaction() as transaction:
                await transaction.execute_query("SET LOCAL lock_timeout = '1ms'")
                await transaction.execute_query("SELECT * FROM nothing")
        rows = await client.execute_query_dict("SHOW lock_timeout")
        assert rows == [{"lock_timeout": "5s"}]
