"""PostgreSQL can restart, refuse, block and time out; callers see one kind of error, or none."""

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
from tests.support.servers import PostgresServer, private_postgres

pytestmark = [pytest.mark.anyio, pytest.mark.backend("postgres")]


@pytest.fixture
def mortal_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with private_postgres() as server:
        yield server


async def fill_pool(client: BaseDBAsyncClient, connections: int) -> None:
    everybody_is_in = asyncio.Barrier(connections)

    async def one() -> None:
        async with in_transaction():
            await everybody_is_in.wait()

    await asyncio.gather(*(one() for _ in range(connections)))


def cut_connections(settings: Settings) -> None:
    """Have the server end all others' connections, without letting the event loop notice."""
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'amarevents'"
    subprocess.run(["psql", "--quiet", "--command", kill, settings.database_url], check=True, capture_output=True)


async def test_statements_and_transactions_survive_a_restart(mortal_server: PostgresServer) -> None:
    settings = Settings(database_url=mortal_server.create_database(), database_pool_size=3)
    async with connected(settings) as client:
        await fill_pool(client, 3)
        mortal_server.stop()
        with pytest.raises(DatabaseUnavailable):
            await client.execute_query("SELECT 1")
        with pytest.raises(DatabaseUnavailable):
            async with in_transaction():
                pass
        mortal_server.start()
        await fill_pool(client, 3)
        assert (await client.execute_query("SELECT 1"))[0] == 1


@pytest.mark.parametrize("in_a_transaction", [False, True], ids=["statement", "transaction"])
async def test_idle_connections_that_died_are_replaced(empty: Settings, *, in_a_transaction: bool) -> None:
    async with connected(empty) as client:
        assert isinstance(client, GuardedPostgresClient)
        client.idle_check_seconds = 0
        await fill_pool(client, 3)
        cut_connections(empty)
        for _ in range(3):
            if in_a_transaction:
                await fill_pool(client, 1)
            else:
                await client.execute_query("SELECT 1")


async def test_idle_connections_that_died_fail_once_without_the_check(empty: Settings) -> None:
    """Negative control."""
    async with connected(empty) as client:
        assert isinstance(client, GuardedPostgresClient)
        client.idle_check_seconds = math.inf
        await fill_pool(client, 3)
        cut_connections(empty)
        with pytest.raises(DatabaseUnavailable):
            await client.execute_query("SELECT 1")


async def test_connection_lost_within_a_transaction_is_named_and_given_back(empty: Settings) -> None:
    async with connected(empty) as client:

        async def lose_connection() -> None:
            async with in_transaction() as transaction:
                await transaction.execute_query("SELECT 1")
                cut_connections(empty)
                await transaction.execute_query("SELECT 1")

        with pytest.raises(DatabaseUnavailable):
            await lose_connection()
        await fill_pool(client, 3)


async def test_refused_connection_is_named(empty: Settings) -> None:
    nobody_listens = Settings(database_url="postgres://postgres@127.0.0.1:9/nothing")
    with pytest.raises(DatabaseUnavailable, match="check that it is running"):
        async with connected(nobody_listens):
            pass


async def test_missing_database_is_named(empty: Settings) -> None:
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
async def test_time_limits_of_the_server_are_named(empty: Settings, limit: str, statement: str) -> None:
    async with connected(empty) as client, in_transaction() as other, client._in_transaction() as transaction:
        await other.execute_query("SELECT pg_advisory_xact_lock(1)")
        await transaction.execute_query(f"SET LOCAL {limit} = '50ms'")
        with pytest.raises(DatabaseBusy):
            await transaction.execute_query(statement)


async def test_deadlock_is_named_and_one_of_two_goes_through(empty: Settings) -> None:
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE rows (id INT); INSERT INTO rows VALUES (1), (2)")
        both_have_one = asyncio.Barrier(2)

        async def lock(first: int, second: int) -> None:
            async with in_transaction() as transaction:
                await transaction.execute_query("SET LOCAL deadlock_timeout = '50ms'")
                await transaction.execute_query(f"SELECT * FROM rows WHERE id = {first} FOR UPDATE")
                await both_have_one.wait()
                await transaction.execute_query(f"SELECT * FROM rows WHERE id = {second} FOR UPDATE")

        outcomes = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes if outcome is not None] == [DatabaseBusy]
        await fill_pool(client, 3)


async def test_waiting_for_a_connection_ends(empty: Settings) -> None:
    async with connected(empty) as client:
        assert isinstance(client, GuardedPostgresClient)
        client.acquire_seconds = 0.05
        everybody_is_in, done = asyncio.Barrier(4), asyncio.Event()

        async def hold() -> None:
            async with in_transaction():
                await everybody_is_in.wait()
                await done.wait()

        holders = [asyncio.ensure_future(hold()) for _ in range(3)]
        await everybody_is_in.wait()
        with pytest.raises(DatabaseBusy):
            await client.execute_query("SELECT 1")
        done.set()
        await asyncio.gather(*holders)
        await fill_pool(client, 3)


async def test_errors_of_statements_keep_their_kind(empty: Settings) -> None:
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE rows (id INT PRIMARY KEY)")
        await client.execute_insert("INSERT INTO rows VALUES ($1)", [1])
        with pytest.raises(IntegrityError):
            await client.execute_insert("INSERT INTO rows VALUES ($1)", [1])
        with pytest.raises(OperationalError):
            await client.execute_query("SELECT * FROM nothing")
        with pytest.raises(asyncpg.InterfaceError):
            await client.execute_query("SELECT $1::int", [1, 2])


async def test_no_session_state_is_left_to_the_next_user(empty: Settings) -> None:
    """What the omitted reset of a connection would clean up: our statements must not leave it behind."""
    async with connected(Settings(database_url=empty.database_url, database_pool_size=1)) as client:
        with suppress(OperationalError):
            async with in_transaction() as transaction:
                await transaction.execute_query("SET LOCAL lock_timeout = '1ms'")
                await transaction.execute_query("SELECT * FROM nothing")
        rows = await client.execute_query_dict("SHOW lock_timeout")
        assert rows == [{"lock_timeout": "5s"}]
