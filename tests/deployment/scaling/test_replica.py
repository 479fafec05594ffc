"""Several processes with a streaming replica: what anonymous callers see is never older than a second."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg
import pytest

from tests.support.platforms import Deployment, OnSale, RunningPlatform, put_on_sale
from tests.support.postgres_server import PostgresServer, private_postgres, private_standby

pytestmark = pytest.mark.backend("postgres")


class Replicated(NamedTuple):
    """Two processes with a primary and its standby."""

    processes: tuple[RunningPlatform, RunningPlatform]
    standby: PostgresServer
    database: str
    admin_key: str


@pytest.fixture(scope="module")
def replicated(redis_url: str) -> Iterator[Replicated]:
    with private_postgres() as primary, private_standby(primary) as standby:
        url = primary.create_database()
        database = url.rpartition("/")[2]
        deployment = Deployment(database_url=url, redis_url=redis_url, has_outages=True)
        deployment.run("migrate")
        admin_key = deployment.create_admin()
        replica_url = f"{standby.url.rpartition('/')[0]}/{database}"
        with (
            deployment.serving(database_replica_url=replica_url) as first,
            deployment.serving(database_replica_url=replica_url) as second,
        ):
            yield Replicated((first, second), standby, database, admin_key)


@asynccontextmanager
async def _paused_replay(replicated: Replicated) -> AsyncIterator[None]:
    connection = await asyncpg.connect(replicated.standby.url)
    await connection.execute("SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        await connection.execute("SELECT pg_wal_replay_resume()")
        await connection.close()


async def _scans(replicated: Replicated) -> int:
    """Return how often the standby has looked for events."""
    connection = await asyncpg.connect(f"{replicated.standby.url.rpartition('/')[0]}/{replicated.database}")
    scans = await connection.fetchval(
        "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'events'"
    )
    await connection.close()
    return int(scans)


async def _sold(platform: RunningPlatform, sale: OnSale) -> int:
    """Return how many places are taken, as an anonymous caller sees it."""
    async with platform.client() as client:
        answer = await client.get(f"/api/events/{sale.event_id}")
    assert answer.status_code == 200, answer.text
    event = answer.json()["data"]
    return int(event["ticket_types"][0]["sold"])


async def test_public_lists_are_read_from_the_replica_and_those_of_accounts_are_not(replicated: Replicated) -> None:
    platform = replicated.processes[0]
    await asyncio.sleep(1)  # the replica is up to date
    before = await _scans(replicated)
    async with platform.client(replicated.admin_key) as admin:
        for page in range(1, 21):
            assert (await admin.get("/api/events", params={"page": page})).status_code == 200
    await asyncio.sleep(1.2)  # PostgreSQL reports what it has counted once a second
    after_own = await _scans(replicated)
    async with platform.client() as visitor:
        for page in range(1, 21):
            assert (await visitor.get("/api/events", params={"page": page})).status_code == 200
    await asyncio.sleep(1.2)
    after_public = await _scans(replicated)
    assert after_own == before
    assert after_public >= before + 20


@pytest.mark.parametrize("is_paused", [False, True], ids=["following", "stuck"])
async def test_registration_is_seen_by_every_process_within_a_second(
    replicated: Replicated, *, is_paused: bool
) -> None:
    first, second = replicated.processes
    async with first.client(replicated.admin_key) as admin:
        sale = await put_on_sale(admin, capacity=100)
        await asyncio.sleep(1)
        async with _paused_replay(replicated) if is_paused else _nothing():
            for number in range(1, 11):
                assert (await admin.post("/api/tickets", json={"event_id": sale.event_id})).status_code == 201
                assert await _sold(first, sale) == number
                assert await _seconds_until_sold(second, sale, number) < 1


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


async def _seconds_until_sold(platform: RunningPlatform, sale: OnSale, number: int) -> float:
    start = time.monotonic()
    async with asyncio.timeout(5):
        while await _sold(platform, sale) != number:
            pass
    return time.monotonic() - start


async def test_public_reads_go_on_without_the_replica(replicated: Replicated) -> None:
    platform = replicated.processes[0]
    replicated.standby.stop()
    async with platform.client() as visitor:
        answers = await asyncio.gather(*(visitor.get("/api/events", params={"limit": n}) for n in range(1, 41)))
    replicated.standby.start()
    assert {answer.status_code for answer in answers} == {200}
