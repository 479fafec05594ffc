"""Cancellation of statements and transactions: no connection is lost, and no transaction is half committed."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from amarevents.models.db.connection import database_is_ready
from amarevents.models.db.engines.postgres import GuardedPostgresClient
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.support.selection import Backend

pytestmark = pytest.mark.anyio

CANCELLATIONS = 400
TASKS = 8
TIMEOUT = 5.0  # seconds
UNGUARDED_ENGINES = {"sqlite": "tortoise.backends.sqlite", "postgres": "tortoise.backends.asyncpg"}
INSERT = "INSERT INTO halves (half) VALUES (1)"
INSERT_MANY = {
    "sqlite": "INSERT INTO halves (half) VALUES (?)",
    "postgres": "INSERT INTO halves (half) VALUES ($1)",
}

Work = Callable[[BaseDBAsyncClient], Awaitable[object]]


async def add_both_halves(client: BaseDBAsyncClient) -> None:
    async with in_transaction() as transaction:
        await transaction.execute_query(INSERT)
        await asyncio.sleep(0)
        await transaction.execute_query(INSERT)


async def add_halves_in_savepoint(client: BaseDBAsyncClient) -> None:
    async with in_transaction() as transaction:
        await transaction.execute_query(INSERT)
        async with in_transaction() as inner:
            await inner.execute_query(INSERT)


async def add_many(client: BaseDBAsyncClient) -> None:
    await client.execute_many(INSERT_MANY[client.capabilities.dialect], [[1], [2]])


async def count(client: BaseDBAsyncClient) -> int:
    rows = await client.execute_query_dict("SELECT count(*) AS number FROM halves")
    return int(rows[0]["number"])


TRANSACTIONS: Sequence[Work] = [add_both_halves, add_halves_in_savepoint]
EVERYTHING: Sequence[Work] = [*TRANSACTIONS, add_many, count]


async def cancel_at_random(client: BaseDBAsyncClient, works: Sequence[Work], chance: random.Random) -> None:
    task = asyncio.ensure_future(chance.choice(works)(client))
    if chance.random() < 0.5:
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(chance.random() * 0.004)
    task.cancel()
    if chance.random() < 0.2:
        await asyncio.sleep(0)
        task.cancel()  # as shutdown does after a timeout has cancelled the task
    with suppress(asyncio.CancelledError):
        await task


async def cancel_often(client: BaseDBAsyncClient, works: Sequence[Work]) -> None:
    async def one_after_another(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(CANCELLATIONS // TASKS):
            await cancel_at_random(client, works, chance)

    await asyncio.gather(*(one_after_another(seed) for seed in range(TASKS)))


async def use_every_connection(connections: int) -> None:
    """Open as many transactions at the same time as the pool has connections."""
    all_are_open = asyncio.Barrier(connections)

    async def one() -> None:
        async with in_transaction() as transaction:
            await all_are_open.wait()
            await transaction.execute_query(INSERT)

    await asyncio.gather(*(one() for _ in range(connections)))


async def cancel_and_use(settings: Settings, works: Sequence[Work], *, engine: str | None = None) -> None:
    """Cancel work many times, then use every connection; raise TimeoutError if one is lost."""
    connections = settings.database_pool_size if settings.on_postgres else 1
    async with connected(settings, engine=engine) as client:
        await client.execute_script("CREATE TABLE halves (half INTEGER NOT NULL)")
        try:
            async with asyncio.timeout(TIMEOUT * 4):
                await cancel_often(client, works)
            async with asyncio.timeout(TIMEOUT):
                assert await count(client) % 2 == 0
                await use_every_connection(connections)
        except BaseException:
            if settings.on_postgres:
                client._pool.terminate()  # closing it would wait for the lost connections
            raise
        if settings.on_postgres:
            assert isinstance(client, GuardedPostgresClient)
            assert client._pool is not None
            free, idle = len(client._queue._free), client._pool.get_idle_size()
            assert client._queue.used == free
            assert free + idle == client._pool.get_size() == connections


@pytest.mark.parametrize("works", [TRANSACTIONS, EVERYTHING], ids=["transactions", "everything"])
async def test_hundreds_of_cancellations_lose_no_connection(empty: Settings, works: Sequence[Work]) -> None:
    await cancel_and_use(empty, works)


@pytest.fixture
async def ignored_loop_errors() -> AsyncIterator[None]:
    """Ignore errors that the event loop reports: the unguarded engines raise some in tasks that are not awaited."""
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, _context: None)
    yield
    loop.set_exception_handler(handler)


@pytest.mark.usefixtures("ignored_loop_errors")
async def test_unguarded_engine_loses_the_connections_of_cancelled_transactions(
    empty: Settings, backend: Backend
) -> None:
    """The negative control: the same test without the guards."""
    with pytest.raises(TimeoutError):
        await cancel_and_use(empty, TRANSACTIONS, engine=UNGUARDED_ENGINES[backend])


@pytest.mark.backend("sqlite")
async def test_row_count_excludes_the_changes_of_a_cancelled_statement(empty: Settings) -> None:
    async with connected(empty) as client:
        assert await changes_after_cancelled_insert(client) == 1


@pytest.mark.backend("sqlite")
async def test_row_count_of_the_unguarded_engine_includes_a_cancelled_statement(empty: Settings) -> None:
    """The negative control: a conditional UPDATE without effect would seem to have changed a row."""
    async with connected(empty, engine=UNGUARDED_ENGINES["sqlite"]) as client:
        assert await changes_after_cancelled_insert(client) > 1


async def changes_after_cancelled_insert(client: BaseDBAsyncClient) -> int:
    await client.execute_script("CREATE TABLE halves (half INTEGER NOT NULL)")
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300000)"
    task = asyncio.ensure_future(client.execute_query(f"{numbers} INSERT INTO halves SELECT n FROM numbers"))
    await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    changed, _ = await client.execute_query(INSERT.replace("INSERT", "INSERT OR IGNORE"))
    return changed


NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"


@pytest.mark.backend("sqlite")
async def test_cancelled_statement_is_interrupted(empty: Settings) -> None:
    """Otherwise, its thread would run for minutes and block the only connection."""
    async with connected(empty) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.execute_query(f"{NUMBERS % 1_000_000_000} SELECT max(n) FROM numbers")
        async with asyncio.timeout(TIMEOUT):
            assert (await client.execute_query_dict("SELECT 1 AS one")) == [{"one": 1}]


@pytest.mark.backend("sqlite")
async def test_an_interruption_ends_despite_an_unfinished_statement(empty: Settings) -> None:
    """SQLite interrupts further statements while any is running, and one that was not read to its end is."""
    async with connected(empty) as client:
        async with client.acquire_connection() as connection:
            await connection.execute("SELECT 1")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.execute_query_dict(f"{NUMBERS % 50_000_000} SELECT count(*) FROM numbers")
        assert (await client.execute_query_dict("SELECT 1 AS one")) == [{"one": 1}]


@pytest.mark.backend("sqlite")
async def test_a_health_check_leaves_no_statement_running(empty: Settings) -> None:
    async with connected(empty) as client:
        before = client._connection
        assert await database_is_ready()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.execute_query_dict(f"{NUMBERS % 50_000_000} SELECT count(*) FROM numbers")
        assert (await client.execute_query_dict("SELECT 1 AS one")) == [{"one": 1}]
        assert client._connection is before  # no new connection was necessary


@pytest.mark.backend("sqlite")
async def test_cancelled_statement_keeps_earlier_changes_of_its_transaction(empty: Settings) -> None:
    """SQLite rolls the whole transaction back if a statement that writes is interrupted."""
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE halves (half INTEGER NOT NULL)")
        async with in_transaction() as outer:
            await outer.execute_query(INSERT)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02), in_transaction() as inner:
                    await inner.execute_query(f"{NUMBERS % 300_000} INSERT INTO halves SELECT n FROM numbers")
        assert await count(client) == 1


async def test_a_commit_that_is_cancelled_completes(empty: Settings) -> None:
    """The caller is cancelled after the commit, so that the state is never unknown."""
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE halves (half INTEGER NOT NULL)")
        leaving = asyncio.Event()

        async def add() -> None:
            async with in_transaction() as transaction:
                await transaction.execute_query(INSERT)
                leaving.set()

        task = asyncio.ensure_future(add())
        await leaving.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await count(client) == 1


async def test_savepoint_of_a_block_that_timed_out_is_rolled_back(empty: Settings) -> None:
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE halves (half INTEGER NOT NULL)")
        async with in_transaction() as outer:
            await outer.execute_query(INSERT)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05), in_transaction() as inner:
                    await inner.execute_query(INSERT)
                    await asyncio.sleep(TIMEOUT)
        assert await count(client) == 1
