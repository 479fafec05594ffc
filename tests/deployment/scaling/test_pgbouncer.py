"""PgBouncer in transaction mode between several processes and PostgreSQL."""

import asyncio
from collections.abc import Callable, Iterator
from uuid import uuid4

import asyncpg
import pytest

from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.settings import Settings
from tests.deployment.test_capacity import register_simultaneously
from tests.models.conftest import connected
from tests.models.db.test_cancellation import EVERYTHING, cancel_and_use
from tests.support.pgbouncer import SERVER_CONNECTIONS, private_pgbouncer
from tests.support.platforms import Deployment, RunningPlatform, new_user_key, put_on_sale
from tests.support.postgres_server import PostgresServer, private_postgres
from tests.support.servers import PrivateServer

pytestmark = pytest.mark.backend("postgres")

WORKERS = 4


def _through(pooler: PrivateServer, database_url: str) -> str:
    return f"{pooler.url}/{database_url.rpartition('/')[2]}"


def _settings(pooler: PrivateServer, server: PostgresServer, *, pool_size: int = 3) -> Settings:
    url = _through(pooler, server.create_database())
    return Settings(database_url=url, database_transaction_pooling=True, database_pool_size=pool_size)


@pytest.fixture
def pooled(pgbouncer: PrivateServer, postgres_server: PostgresServer) -> Settings:
    """Return settings with an empty database behind the pooler."""
    return _settings(pgbouncer, postgres_server)


@pytest.fixture(scope="module")
def pooled_deployment(pgbouncer: PrivateServer, postgres_server: PostgresServer, redis_url: str) -> Deployment:
    """Return a deployment whose database was migrated through the pooler."""
    url = _through(pgbouncer, postgres_server.create_database())
    deployment = Deployment(database_url=url, redis_url=redis_url, is_pooled=True)
    deployment.run("migrate")
    return deployment


@pytest.fixture(scope="module")
def pooled_platform(pooled_deployment: Deployment) -> Iterator[RunningPlatform]:
    """Start four processes whose pools are together larger than the pooler's."""
    with pooled_deployment.serving(workers=WORKERS) as platform:
        yield platform


@pytest.fixture(scope="module")
def pooled_admin_key(pooled_deployment: Deployment) -> str:
    return pooled_deployment.create_admin()


async def test_four_processes_behind_a_pooler_sell_exactly_the_places_that_exist(
    pooled_platform: RunningPlatform, pooled_admin_key: str, new_name: Callable[[], str]
) -> None:
    outcomes, held = await register_simultaneously(
        pooled_platform, pooled_admin_key, new_name, capacity=60, attempts=400
    )
    assert outcomes == {"registered": 60, "400 SOLD_OUT": 340}
    assert held == (60, 60)


async def test_processes_share_the_connections_of_the_pooler(
    pooled_platform: RunningPlatform, pooled_deployment: Deployment, postgres_server: PostgresServer
) -> None:
    async with pooled_platform.client() as client:
        answers = await asyncio.gather(*(client.get("/api/events", params={"limit": size}) for size in range(1, 101)))
    assert {answer.status_code for answer in answers} == {200}
    direct = await asyncpg.connect(postgres_server.url)
    database = pooled_deployment.database_url.rpartition("/")[2]
    used = await direct.fetchval("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = $1", database)
    await direct.close()
    assert 1 <= used <= SERVER_CONNECTIONS


async def test_an_event_is_sold_paid_and_checked_in_through_the_pooler(
    pooled_platform: RunningPlatform, pooled_admin_key: str, new_name: Callable[[], str]
) -> None:
    async with pooled_platform.client(pooled_admin_key) as admin, pooled_platform.client() as visitor:
        sale = await put_on_sale(admin, capacity=10)
        key = await new_user_key(visitor, new_name())
        async with pooled_platform.client(key) as buyer:
            registered = await buyer.post("/api/tickets", json={"event_id": sale.event_id})
            ticket = registered.json()["data"]
            assert (await buyer.get("/api/tickets")).json()["pagination"]["total"] == 1
        approved = await admin.put(f"/api/tickets/{ticket['id']}", json={"status": "Success"})
        verified = await admin.post(f"/api/tickets/{ticket['id']}/verify")
        stats = (await admin.get(f"/api/events/{sale.event_id}/stats")).json()["data"]
        overview = await admin.get("/api/admin/stats")
    assert [answer.status_code for answer in (registered, approved, verified, overview)] == [201, 200, 200, 200]
    assert (stats["total"], stats["approved"]) == (1, 1)


async def test_processes_recover_when_pooler_or_server_are_restarted(redis_url: str) -> None:
    with private_postgres() as server, private_pgbouncer(server) as pooler:
        url = _through(pooler, server.create_database())
        deployment = Deployment(database_url=url, redis_url=redis_url, is_pooled=True, has_outages=True)
        deployment.run("migrate")
        with deployment.serving(workers=2) as platform:
            for restarted in (pooler, server):
                assert await _statuses(platform, 20) == {200}
                restarted.stop()
                assert await _statuses(platform, 4) == {500}
                restarted.start()
                await _wait_for_success(platform)
                assert await _statuses(platform, 20) == {200}


async def _statuses(platform: RunningPlatform, requests: int) -> set[int]:
    """Return the statuses of requests whose answers no process has kept."""
    async with platform.client() as client:
        texts = (uuid4().hex for _ in range(requests))
        answers = await asyncio.gather(*(client.get("/api/events", params={"search": text}) for text in texts))
    return {answer.status_code for answer in answers}


async def _wait_for_success(platform: RunningPlatform) -> None:
    async with asyncio.timeout(30):
        while await _statuses(platform, 4) != {200}:
            pass


async def test_hundreds_of_cancellations_lose_no_connection_of_the_pooler(
    postgres_server: PostgresServer, pgbouncer: PrivateServer
) -> None:
    await cancel_and_use(_settings(pgbouncer, postgres_server, pool_size=SERVER_CONNECTIONS), EVERYTHING)


async def test_limits_of_the_server_hold_in_each_transaction_and_in_none_after_it(pooled: Settings) -> None:
    async with connected(pooled) as client:
        async with client._in_transaction() as transaction:
            inside = await transaction.execute_query_dict("SHOW lock_timeout")
        outside = await client.execute_query_dict("SHOW lock_timeout")
    assert (inside, outside) == ([{"lock_timeout": "5s"}], [{"lock_timeout": "0"}])


async def test_pooler_refuses_the_session_settings_of_a_direct_connection(pooled: Settings) -> None:
    """The reason for the setting: without it, the platform does not start."""
    direct = Settings(database_url=pooled.database_url)
    with pytest.raises(DatabaseUnavailable, match="unsupported startup parameter: lock_timeout"):
        async with connected(direct):
            pass


async def test_prepared_statements_fail_behind_the_pooler(pooled: Settings) -> None:
    """The negative control of the setting: with asyncpg's cache of statements, sessions get those of each other."""
    pool = await asyncpg.create_pool(pooled.database_url, min_size=2, max_size=SERVER_CONNECTIONS + 2)
    with pytest.raises((asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)):
        await asyncio.gather(*(pool.fetchval(f"SELECT {number % 20}") for number in range(1_000)))
    pool.terminate()
