"""What is read from a streaming replica: nothing that lacks a known change, and nothing while it is away or behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from typing import NamedTuple

import asyncpg
import pytest
from tortoise.connection import get_connection

from amarevents.errors import NotFound
from amarevents.infra.count_cache import CountCache
from amarevents.infra.replica import MAX_LAG, Replica
from amarevents.infra.versions import Versions
from amarevents.models import Event, Organization
from amarevents.models.db.connection import CONNECTION, open_database
from amarevents.models.db.sql import Sql, fetch, sql
from amarevents.settings import Settings
from tests.support.postgres_server import PostgresServer, private_postgres, private_standby

pytestmark = [pytest.mark.anyio, pytest.mark.backend("postgres")]

IS_STANDBY = sql("SELECT pg_is_in_recovery()")
NUMBER = sql("SELECT number FROM changes")


class Servers(NamedTuple):
    """A primary with its standby."""

    primary: PostgresServer
    standby: PostgresServer


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with private_postgres() as primary, private_standby(primary) as standby:
        yield Servers(primary, standby)


@pytest.fixture
async def settings(servers: Servers) -> AsyncIterator[Settings]:
    """Open a database that has a replica, with a table of one row."""
    url = servers.primary.create_database()
    replica_url = f"{servers.standby.url.rpartition('/')[0]}/{url.rpartition('/')[2]}"
    settings = Settings(database_url=url, database_replica_url=replica_url)
    async with open_database(settings, check_schema=False):
        await get_connection(CONNECTION).execute_script("CREATE TABLE changes AS SELECT 0 AS number")
        yield settings


@pytest.fixture
def versions() -> Versions:
    return Versions()


@pytest.fixture
async def replica(settings: Settings, versions: Versions) -> AsyncIterator[Replica]:
    """Return a replica that is watched and up to date."""
    watched = Replica(settings, versions)
    watching = asyncio.create_task(watched.watch())
    await _until(lambda: watched.is_usable)
    yield watched
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await watched.aclose()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it becomes true on a server
            await asyncio.sleep(0.01)


async def _set_number(number: int, versions: Versions, changed: type[Event | Organization] = Event) -> None:
    await get_connection(CONNECTION).execute_script(f"UPDATE changes SET number = {number}")
    versions.record([changed])


class Answer(NamedTuple):
    """A value that has been read."""

    value: int
    scopes: frozenset[str]


async def _read(replica: Replica, statement: Sql) -> int:
    """Return the value that a statement reads for an answer about events."""

    async def compute() -> Answer:
        [[value]] = await fetch(statement)
        return Answer(value, frozenset({"events"}))

    return (await replica.read(compute)).value


async def _reads_standby(replica: Replica) -> bool:
    return bool(await _read(replica, IS_STANDBY))


@contextlib.asynccontextmanager
async def _paused_replay(standby: PostgresServer) -> AsyncIterator[None]:
    """Keep the standby from applying changes, which it goes on receiving."""
    connection = await asyncpg.connect(standby.url)
    await connection.execute("SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        await connection.execute("SELECT pg_wal_replay_resume()")
        await connection.close()


@contextlib.contextmanager
def _unresponsive(server: PostgresServer) -> Iterator[None]:
    """Stop the processes of the server's connections, which stay open."""
    found = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=True)
    pids = [server.pid, *map(int, found.stdout.split())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_replica_that_is_up_to_date_answers_public_reads_alone(replica: Replica) -> None:
    assert await _reads_standby(replica)
    assert await fetch(IS_STANDBY) == [(False,)]


async def test_read_after_a_change_always_has_the_change(replica: Replica, versions: Versions) -> None:
    for number in range(1, 200):
        await _set_number(number, versions)
        assert await _read(replica, NUMBER) == number
        await asyncio.sleep(0.002)


async def test_read_lacks_a_change_that_is_not_known(servers: Servers, replica: Replica) -> None:
    """The negative control of the test above."""
    async with _paused_replay(servers.standby):
        await _until(lambda: replica.is_usable)
        await _set_number(1, Versions())
        assert await _read(replica, NUMBER) == 0


async def test_totals_that_were_counted_on_the_replica_have_every_known_change(
    servers: Servers, replica: Replica, versions: Versions
) -> None:
    totals = CountCache(versions, seconds=5)

    async def count() -> int:
        [[number]] = await fetch(NUMBER)
        return int(number)

    async def compute() -> Answer:
        return Answer(await totals.count(NUMBER, count, of=(Event,)), frozenset({"events"}))

    async with _paused_replay(servers.standby):
        await _set_number(1, versions)
        assert (await replica.read(compute)).value == 1
        assert (await compute()).value == 1


async def test_replica_is_used_again_once_it_has_the_change(replica: Replica, versions: Versions) -> None:
    await _set_number(1, versions)
    assert not await _reads_standby(replica)
    async with asyncio.timeout(5):
        while not await _reads_standby(replica):
            pass
    assert await _read(replica, NUMBER) == 1


async def test_row_that_is_not_on_the_replica_yet_is_read_from_the_primary(replica: Replica) -> None:
    read_from: list[bool] = []

    async def compute() -> Answer:
        [[is_standby]] = await fetch(IS_STANDBY)
        read_from.append(is_standby)
        if is_standby:
            raise NotFound
        return Answer(1, frozenset())

    assert (await replica.read(compute)).value == 1
    assert read_from == [True, False]


async def test_change_of_something_else_does_not_matter(replica: Replica, versions: Versions) -> None:
    await _set_number(1, versions, changed=Organization)
    assert await _reads_standby(replica)
    versions._apply_all()
    assert not await _reads_standby(replica)


async def test_replica_that_lags_is_not_used(
    servers: Servers, replica: Replica, versions: Versions, caplog: pytest.LogCaptureFixture
) -> None:
    async with _paused_replay(servers.standby):
        await _set_number(1, versions, changed=Organization)
        await _until(lambda: "reading from the primary" in caplog.text)
        assert not await _reads_standby(replica)
    await _until(lambda: replica.is_usable)
    assert await _reads_standby(replica)


async def test_reads_go_to_the_primary_while_the_replica_is_away(servers: Servers, replica: Replica) -> None:
    servers.standby.stop()
    assert not await _reads_standby(replica)
    servers.standby.start()
    await _until(lambda: replica.is_usable)
    assert await _reads_standby(replica)


async def test_unresponsive_replica_delays_a_read_by_a_second_and_later_ones_not_at_all(
    servers: Servers, replica: Replica
) -> None:
    with _unresponsive(servers.standby):
        async with asyncio.timeout(3):
            assert not await _reads_standby(replica)
        await asyncio.sleep(MAX_LAG)
        async with asyncio.timeout(0.5):
            assert not await _reads_standby(replica)


async def test_replica_is_not_used_while_changes_of_other_processes_are_unknown(
    replica: Replica, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Versions, "is_informed", False)
    assert not await _reads_standby(replica)
