"""Whatever is cancelled, and when: the engines hold nothing afterwards, and nothing half done is to be seen."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from amarevents.models.db.connection import database_is_ready
from amarevents.settings import Settings
from tests.models.conftest import connected
from tests.support.selection import Backend

pytestmark = pytest.mark.anyio

CANCELLATIONS = 400
AT_ONCE = 8
PATIENCE = 5.0  # seconds
STOCK = {"sqlite": "tortoise.backends.sqlite", "postgres": "tortoise.backends.asyncpg"}
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
        task.cancel()  # shutdown cancels what a time-out is cancelling already
    with suppress(asyncio.CancelledError):
        await task


async def cancel_often(client: BaseDBAsyncClient, works: Sequence[Work]) -> None:
    async def one_after_another(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(CANCELLATIONS // AT_ONCE):
            await cancel_at_random(client, works, chance)

    await asyncio.gather(*(one_after_another(seed) for seed in range(AT_ONCE)))


async def use_every_connection(connections: int) -> None:
    """Hold as many transactions at once as the engine should have connections for."""
    everybody_is_in = asyncio.Barrier(connections)

    async def one() -> None:
        async with in_transaction() as transaction:
            await everybody_is_in.wait()
            await transaction.execute_query(INSERT)

    await asyncio.gather(*(one() for _ in range(connections)))


async def cancel_and_use(settings: Settings, works: Sequence[Work], *, engine: str | None = None) -> None:
    """Raises TimeoutError if a connection is missing in the end."""
    connections = settings.database_pool_size if settings.on_postgres else 1
    async with connected(settings, engine=engine) as client:
        await client.execute_script("CREATE TABLE halves (half INTEGER NOT NULL)")
        try:
            async with asyncio.timeout(PATIENCE * 4):
                await cancel_often(client, works)
            async with asyncio.timeout(PATIENCE):
                assert await count(client) % 2 == 0
                await use_every_connection(connections)
        except BaseException:
            if settings.on_postgres:
                client._pool.terminate()  # closing it would wait for the connections that are lost
            raise
        if settings.on_postgres:
            assert client._pool.get_idle_size() == client._pool.get_size() == connections


@pytest.mark.parametrize("works", [TRANSACTIONS, EVERYTHING], ids=["transactions", "everything"])
async def test_hundreds_of_cancellations_leave_nothing_behind(empty: Settings, works: Sequence[Work]) -> None:
    await cancel_and_use(empty, works)


@pytest.fixture
async def unheard_errors() -> AsyncIterator[None]:
    """For the stock engines, which also make the event loop report errors that nobody awaits."""
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, _context: None)
    yield
    loop.set_exception_handler(handler)


@pytest.mark.usefixtures("unheard_errors")
async def test_stock_engine_loses_connections_by_cancelled_transactions(empty: Settings, backend: Backend) -> None:
    """Negative control: the same test without the guards."""
    with pytest.raises(TimeoutError):
        await cancel_and_use(empty, TRANSACTIONS, engine=STOCK[backend])


@pytest.mark.backend("sqlite")
async def test_changes_of_a_cancelled_statement_are_not_counted_for_the_next(empty: Settings) -> None:
    async with connected(empty) as client:
        assert await changes_after_cancelled_insert(client) == 1


@pytest.mark.backend("sqlite")
async def test_stock_engine_counts_changes_of_a_cancelled_statement_for_the_next(empty: Settings) -> None:
    """Negative control: a conditional UPDATE that changed nothing would pass for one that did."""
    async with connected(empty, engine=STOCK["sqlite"]) as client:
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
async def test_cancelled_statement_ends_at_once(empty: Settings) -> None:
    """Its thread would go on for minutes, and everybody else wait for the one connection."""
    async with connected(empty) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.execute_query(f"{NUMBERS % 1_000_000_000} SELECT max(n) FROM numbers")
        async with asyncio.timeout(PATIENCE):
            assert (await client.execute_query_dict("SELECT 1 AS one")) == [{"one": 1}]


@pytest.mark.backend("sqlite")
async def test_an_interruption_does_not_last_where_a_statement_has_not_been_read_to_its_end(empty: Settings) -> None:
    """SQLite interrupts all that comes next for as long as any statement is running, and such a one is."""
    async with connected(empty) as client:
        async with client.acquire_connection() as connection:
            await connection.execute("SELECT 1")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.execute_query_dict(f"{NUMBERS % 50_000_000} SELECT count(*) FROM numbers")
        assert (await client.execute_query_dict("SELECT 1 AS one")) == [{"one": 1}]


@pytest.mark.backend("sqlite")
async def test_a_probe_leaves_nothing_running(empty: Settings) -> None:
    async with connected(empty) as client:
        before = client._connection
        assert await database_is_ready()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.execute_query_dict(f"{NUMBERS % 50_000_000} SELECT count(*) FROM numbers")
        assert (await client.execute_query_dict("SELECT 1 AS one")) == [{"one": 1}]
        assert client._connection is before  # connecting anew was not necessary


@pytest.mark.backend("sqlite")
async def test_cancelled_statement_in_a_transaction_undoes_nothing_before_it(empty: Settings) -> None:
    """SQLite answers the interruption of a statement that writes by rolling all of its transaction back."""
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE halves (half INTEGER NOT NULL)")
        async with in_transaction() as outer:
            await outer.execute_query(INSERT)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02), in_transaction() as inner:
                    await inner.execute_query(f"{NUMBERS % 300_000} INSERT INTO halves SELECT n FROM numbers")
        assert await count(client) == 1


async def test_cancelled_commit_is_committed(empty: Settings) -> None:
    """Between "not yet" and "done" there is no third state, and the caller is cancelled all the same."""
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


async def test_savepoint_of_a_block_that_timed_out_is_undone(empty: Settings) -> None:
    async with connected(empty) as client:
        await client.execute_script("CREATE TABLE halves (half INTEGER NOT NULL)")
        async with in_transaction() as outer:
            await outer.execute_query(INSERT)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05), in_transaction() as inner:
                    await inner.execute_query(INSERT)
                    await asyncio.sleep(PATIENCE)
        assert await count(client) == 1
