"""What every test may ask for: the backend of this run, its database and its Redis."""

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
from amarevents.security.rate_limit import fallback, rate_limiter
from amarevents.security.services import Services
from amarevents.server import maintenance
from amarevents.settings import Settings
from tests.support.conformance import conforming_client
from tests.support.databases import Databases, PostgresDatabases, SqliteDatabases
from tests.support.declared_errors import require_declared_errors
from tests.support.selection import Backend
from tests.support.servers import (
    PostgresServer,
    PrivateServer,
    private_postgres,
    private_redis,
)
from tests.support.world import World, empty_tables

pytest_plugins = ["tests.support.selection"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the whole session, so that session fixtures may hold connections."""
    return "asyncio"


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    """The back end that the test runs on now; tests with this fixture, or one that uses it, run on each of them."""
    chosen: Backend = request.param
    EXECUTOR_CACHE.clear()  # of Tortoise: statements in the dialect of the back end that was open before
    return chosen


@pytest.fixture(scope="session")
def postgres_server(backend: Backend) -> Iterator[PostgresServer]:
    """The PostgreSQL of this run; for tests of the PostgreSQL backend."""
    assert backend == "postgres", "mark the test with pytest.mark.backend('postgres')"
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(backend: Backend) -> Iterator[PrivateServer]:
    """The Redis of this run, shared: a test that stops its Redis takes a ``private_redis`` of its own."""
    assert backend == "postgres", "mark the test with pytest.mark.backend('postgres')"
    with private_redis() as server:
        yield server


@pytest.fixture(scope="session")
def databases(backend: Backend, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Makes databases of this back end."""
    if backend == "sqlite":
        return SqliteDatabases(tmp_path_factory.mktemp("databases"))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return PostgresDatabases(server)


@pytest.fixture(scope="session")
async def database_url(databases: Databases, anyio_backend: str) -> str:
    """The url of the application's database, which is migrated; the same one for the whole session."""
    return await databases.migrated()


@pytest.fixture(scope="session")
def redis_url(backend: Backend, request: pytest.FixtureRequest) -> str | None:
    """The url of this run's Redis; None where memory takes its place."""
    if backend == "sqlite":
        return None
    server: PrivateServer = request.getfixturevalue("redis_server")
    return server.url


# The platform ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def deployment(database_url: str, redis_url: str | None) -> Settings:
    """The settings of this run: hashes that cost nothing, and limits that only tests of limits come near."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        cookie_secure=False,
        argon2_time_cost=1,
        argon2_memory_kib=8,
        graphql_timeout_seconds=60,  # a shared machine may be slow
        rate_limit_user=100_000,
        rate_limit_organizer=100_000,
        rate_limit_admin=100_000,
        rate_limit_anonymous=100_000,
        rate_limit_credentials=100_000,
        rate_limit_donations=100_000,
        totals_seconds=0,  # tests write rows past the operations
    )


@pytest.fixture(scope="session")
async def running_app(deployment: Settings, anyio_backend: str) -> AsyncIterator[Starlette]:
    """The application, started once: tests empty the tables of its database instead.

    Its maintenance waits for a day, because statements between two requests would be counted as theirs. Its timeouts
    for Redis are long: on a busy machine it would fall back to memory.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maintenance, "INTERVAL", datetime.timedelta(days=1))
        for limit in ("SOCKET_TIMEOUT", "POOL_TIMEOUT"):
            patch.setattr(redis, limit, 30.0)
        patch.setattr(fallback, "RESPONSE_SECONDS", 30.0)
        app = create_app(deployment)
        async with app.router.lifespan_context(app):
            yield app


@pytest.fixture
async def database(running_app: Starlette) -> None:
    """The open database, with the rows of a fresh one."""
    await empty_tables()


@pytest.fixture(scope="session")
async def shared_redis(redis_url: str | None, anyio_backend: str) -> AsyncIterator[Redis | None]:
    """A client of this run's Redis, more patient than the application's; None where memory takes its place."""
    if redis_url is None:
        yield None
        return
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def app(
    running_app: Starlette, deployment: Settings, database: None, shared_redis: Redis | None
) -> AsyncIterator[Starlette]:
    """The application with an empty database and nothing counted yet."""
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
    """A client of the application, without credentials and without a cookie jar's memory of other tests.

    What REST answers it is compared with the OpenAPI document.
    """
    async with conforming_client(app) as client:
        yield client


@pytest.fixture
async def world(http: httpx.AsyncClient) -> World:
    """Accounts, keys and events for a test, and callers that act as them."""
    return World(http)


@pytest.fixture(autouse=True)
def _declared_errors() -> Iterator[None]:
    """Fail a test in which an operation raises an error that it does not declare by ``raises=``."""
    with require_declared_errors():
        yield
