"""What every test may ask for: the backend of this run, its database and its Redis."""

import dataclasses
import datetime
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Literal, get_args

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.app import create_app
from amarevents.infra.redis import redis_client
from amarevents.models.db.migrate import migrate
from amarevents.security.auth.key_usage import KeyUsage
from amarevents.security.rate_limit import rate_limiter
from amarevents.security.services import Services
from amarevents.server import maintenance
from amarevents.settings import Settings
from tests.support.browsers import BrowserUnavailable, find_browser
from tests.support.conformance import conforming_client
from tests.support.declared_errors import require_declared_errors
from tests.support.node import NodeUnavailable, find_node
from tests.support.servers import (
    PostgresServer,
    PrivateServer,
    ServerUnavailable,
    find_postgres,
    find_redis,
    private_postgres,
    private_redis,
)
from tests.support.world import World, empty_tables

Backend = Literal["sqlite", "postgres"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("amarevents")
    group.addoption(
        "--backend",
        choices=get_args(Backend),
        default="sqlite",
        help="sqlite: SQLite and memory (default); postgres: PostgreSQL and Redis, private servers started for the run",
    )
    group.addoption(
        "--require-services",
        action="store_true",
        help="fail when PostgreSQL, Redis, a browser or Node.js is missing, instead of leaving out what needs it; "
        "implied by CI=true",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of the other backend: they are no part of this run, so they are not reported as skipped."""
    chosen = config.getoption("backend")
    _deselect(config, items, [item for item in items if chosen not in _backends_of(item)])
    _leave_out(config, items, "pages", "browser", find_browser)
    _leave_out(config, items, "audits", "node", find_node)
    # The application's database stays open once it is: tests that open databases of their own come before.
    items.sort(key=lambda item: "running_app" in getattr(item, "fixturenames", ()))


def _deselect(config: pytest.Config, items: list[pytest.Item], unwanted: list[pytest.Item]) -> None:
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in unwanted]


_LEFT_OUT = pytest.StashKey[list[str]]()


def _leave_out(
    config: pytest.Config, items: list[pytest.Item], what: str, fixture: str, find: Callable[[], object]
) -> None:
    """Deselect the tests of ``what`` where their program is not found, and have it said; where it must be, fail."""
    found = [item for item in items if fixture in getattr(item, "fixturenames", ())]
    if not found or config.option.collectonly:
        return
    try:
        find()
    except (BrowserUnavailable, NodeUnavailable) as missing:
        if _services_are_required(config):
            raise pytest.UsageError(str(missing)) from missing
        config.stash.setdefault(_LEFT_OUT, []).append(f"Left out {len(found)} tests of {what}: {missing}")
        _deselect(config, items, found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """At the end, where it is read."""
    for line in config.stash.get(_LEFT_OUT, []):
        terminalreporter.write_line(line, yellow=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """End the run before its first test when a server that it needs is not installed."""
    config = session.config
    if config.getoption("backend") != "postgres" or config.option.collectonly or not session.items:
        return
    try:
        find_postgres()
        find_redis()
    except ServerUnavailable as missing:
        if _services_are_required(config):
            raise pytest.UsageError(str(missing)) from missing
        pytest.exit(f"PostgreSQL run skipped: {missing}", returncode=pytest.ExitCode.OK)


def _backends_of(item: pytest.Item) -> tuple[str, ...]:
    """The backends that a test is for: those in its ``backend`` marker, or all of them."""
    marker = item.get_closest_marker("backend")
    if marker is None:
        return get_args(Backend)
    if not marker.args or not set(marker.args) <= set(get_args(Backend)):
        raise pytest.UsageError(f"{item.nodeid}: the backend marker takes {' or '.join(get_args(Backend))}")
    return marker.args


def _services_are_required(config: pytest.Config) -> bool:
    return config.getoption("require_services") or os.environ.get("CI", "").lower() in {"1", "true", "yes"}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the whole session, so that session fixtures may hold connections."""
    return "asyncio"


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.config.getoption("backend")
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
def database_url(backend: Backend, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The url of an empty database, the same one for the whole session."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


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
    """The application over a migrated database, started once: tests empty the tables instead.

    Its upkeep waits for a day: what it writes between two requests would be counted as theirs.
    """
    await migrate(deployment)
    app = create_app(deployment)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maintenance, "INTERVAL", datetime.timedelta(days=1))
        async with app.router.lifespan_context(app):
            yield app


@pytest.fixture
async def database(running_app: Starlette) -> None:
    """The open database, with the rows of a fresh one."""
    await empty_tables()


@pytest.fixture
async def app(running_app: Starlette, deployment: Settings, database: None) -> AsyncIterator[Starlette]:
    """The application with an empty database and nothing counted yet."""
    original = running_app.state.services
    if deployment.redis_url is not None:
        redis = redis_client(deployment.redis_url)
        await redis.flushdb()
        await redis.aclose()
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
