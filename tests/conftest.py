"""Fixtures for all tests: the back end with its database and Redis, the application and its callers."""

import dataclasses
import datetime
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from tortoise.backends.base.executor import EXECUTOR_CACHE

from amarevents.app import create_app
from amarevents.infra import redis
from amarevents.security.auth.key_usage import KeyUsage
from amarevents.security.rate_limit import rate_limiter
from amarevents.security.services import Services
from amarevents.server import maintenance
from amarevents.settings import Settings
from tests.support.conformance import conforming_client
from tests.support.databases import Databases, PostgresDatabases, SqliteDatabases
from tests.support.declared_errors import require_declared_errors
from tests.support.postgres_server import PostgresServer, private_postgres
from tests.support.redis_server import private_redis
from tests.support.selection import Backend
from tests.support.servers import PrivateServer
from tests.support.world import World, empty_tables

pytest_plugins = ["tests.support.selection"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Use one event loop for the whole session, so that fixtures of the session can keep connections."""
    return "asyncio"


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    """Return the current back end; a test that uses this fixture, directly or indirectly, runs on each of them."""
    chosen: Backend = request.param
    EXECUTOR_CACHE.clear()  # Tortoise's statements, in the dialect of the previous back end
    return chosen


@pytest.fixture(scope="session")
def postgres_server(backend: Backend) -> Iterator[PostgresServer]:
    """Start the PostgreSQL server of this run, for tests on that back end."""
    assert backend == "postgres", "mark the test with pytest.mark.backend('postgres')"
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(backend: Backend) -> Iterator[PrivateServer]:
    """Start the Redis server of this run; a test that stops Redis needs its own ``private_redis``."""
    assert backend == "postgres", "mark the test with pytest.mark.backend('postgres')"
    with private_redis() as server:
        yield server


@pytest.fixture(scope="session")
def databases(backend: Backend, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Return the factory of databases for this back end."""
    if backend == "sqlite":
        return SqliteDatabases(tmp_path_factory.mktemp("databases"))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return PostgresDatabases(server)


@pytest.fixture(scope="session")
async def database_url(databases: Databases, anyio_backend: str) -> str:
    """Return the URL of the application's migrated database, the same for the whole session."""
    return await databases.migrated()


@pytest.fixture(scope="session")
def redis_url(backend: Backend, request: pytest.FixtureRequest) -> str | None:
    """Return the URL of this run's Redis, None on SQLite, where memory replaces it."""
    if backend == "sqlite":
        return None
    server: PrivateServer = request.getfixturevalue("redis_server")
    return server.url


# The platform ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def deployment(database_url: str, redis_url: str | None) -> Settings:
    """Return the settings of this run: cheap hashes, and rate limits that other tests never reach."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        cookie_secure=False,
        argon2_time_cost=1,
        argon2_memory_kib=8,
        # a shared machine may be slow
        graphql_timeout_seconds=60,
        database_timeout_seconds=60,
        rate_limit_user=100_000,
        rate_limit_organizer=100_000,
        rate_limit_admin=100_000,
        rate_limit_anonymous=100_000,
        rate_limit_session=100_000,
        rate_limit_account=100_000,
        rate_limit_registrations=100_000,
        rate_limit_failed_logins=100_000,
        rate_limit_donations=100_000,
        confirm_email=False,  # tests that are about it switch it on
        places_per_account=0,  # many tests register a crowd with one account
        totals_seconds=0,  # tests create rows without operations
        public_cache_seconds=0,
        principal_seconds=0,  # and change them
    )


@pytest.fixture(scope="session")
async def running_app(deployment: Settings, anyio_backend: str) -> AsyncIterator[Starlette]:
    """Start the application once for the session; each test empties the tables of its database.

    Its maintenance waits for a day, because its statements would be counted as those of requests. Its timeouts for
    Redis are long, because it would fall back to memory on a busy machine.
    """
    with pytest.MonkeyPatch.context() as patch:
        for interval in ("INTERVAL", "HOLDS_INTERVAL"):
            patch.setattr(maintenance, interval, datetime.timedelta(days=1))
        for limit in ("SOCKET_TIMEOUT", "POOL_TIMEOUT"):
            patch.setattr(redis, limit, 30.0)
        app = create_app(deployment)
        async with app.router.lifespan_context(app):
            yield app


@pytest.fixture
async def database(running_app: Starlette) -> None:
    """Reset the database to the rows that migrations create."""
    await empty_tables()


@pytest.fixture(scope="session")
async def shared_redis(redis_url: str | None, anyio_backend: str) -> AsyncIterator[Redis | None]:
    """Return a client of this run's Redis with the default timeouts, None on SQLite."""
    if redis_url is None:
        yield None
        return
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def app(
    running_app: Starlette, deployment: Settings, database: None, shared_redis: Redis | None
) -> AsyncIterator[Starlette]:
    """Return the application with an empty database and no counted requests."""
    original = running_app.state.services
    if shared_redis is not None:
        await shared_redis.flushdb()
    running_app.state.services = dataclasses.replace(original, limiter=rate_limiter(deployment), key_usage=KeyUsage())
    yield running_app
    await running_app.state.services.limiter.aclose()
    running_app.state.services = original


@pytest.fixture
def configure(app: Starlette) -> Callable[..., None]:
    """``configure(rate_limit_user=3)`` changes settings for the rest of the test."""

    def change(**settings: object) -> None:
        services: Services = app.state.services
        assert settings.keys() <= Settings.model_fields.keys()
        changed = services.settings.model_copy(update=settings)
        app.state.services = dataclasses.replace(services, settings=changed)

    return change


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the application without credentials and cookies.

    REST responses that it receives are validated against the OpenAPI document.
    """
    async with conforming_client(app) as client:
        yield client


@pytest.fixture
async def world(http: httpx.AsyncClient) -> World:
    """Return the factory of accounts, keys, events and callers."""
    return World(http)


@pytest.fixture(autouse=True)
def _declared_errors() -> Iterator[None]:
    """Fail a test in which an operation raises an error that it does not declare by ``raises=``."""
    with require_declared_errors():
        yield
