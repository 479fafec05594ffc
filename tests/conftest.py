"""What every test may ask for: the backend of this run, its database and its Redis."""

import dataclasses
import datetime
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

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
from tests.support import sizes
from tests.support.browsers import find_browser
from tests.support.conformance import conforming_client
from tests.support.databases import Databases, PostgresDatabases, SqliteDatabases
from tests.support.declared_errors import require_declared_errors
from tests.support.node import find_node
from tests.support.servers import (
    PostgresServer,
    PrivateServer,
    find_postgres,
    find_redis,
    private_postgres,
    private_redis,
)
from tests.support.unavailable import ProgramUnavailable
from tests.support.world import World, empty_tables

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.support.scheduling import UnitScheduling

Backend = Literal["sqlite", "postgres"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("amarevents")
    group.addoption(
        "--backend",
        choices=(*BACKENDS, "all"),
        default="sqlite",
        help="sqlite: SQLite and memory (default); postgres: PostgreSQL and Redis, from servers of this run; all: both",
    )
    group.addoption(
        "--deep",
        action="store_true",
        help="more random requests and documents, and wider walks: the sizes that CI runs",
    )
    group.addoption(
        "--require-services",
        action="store_true",
        help="fail when PostgreSQL, Redis, a browser or Node.js is missing, instead of leaving out what needs it; "
        "implied by CI=true",
    )


def pytest_configure(config: pytest.Config) -> None:
    sizes.is_deep = config.getoption("deep")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once on each chosen back end; one that uses none of them, directly or by its fixtures, runs once."""
    if "backend" in metafunc.fixturenames:
        chosen = _chosen_backends(metafunc.config)
        intended = _backends_of(metafunc.definition)
        # A test that is for no chosen back end is deselected later: without a parameter it would count as skipped.
        parameters = [backend for backend in chosen if backend in intended] or chosen
        metafunc.parametrize("backend", parameters, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of another back end, which are no part of this run, and put the others in their order."""
    chosen = set(_chosen_backends(config))
    _deselect(config, items, [item for item in items if not chosen & set(_backends_of(item))])
    if not config.option.collectonly:
        _leave_out(config, items)
    items.sort(key=_order)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through thousands of tests again and again."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _order(item: pytest.Item) -> tuple[int, bool]:
    """Group the tests by their back end, so that each is opened once.

    The application's database stays open once it is: tests that open databases of their own come before.
    """
    backend = _backend_of(item)
    return 0 if backend is None else 1 + BACKENDS.index(backend), "running_app" in _fixtures(item)


def _backend_of(item: pytest.Item) -> Backend | None:
    """Return the back end that a test runs on, None for one that uses none."""
    callspec = getattr(item, "callspec", None)
    backend: Backend | None = callspec.params.get("backend") if callspec else None
    return backend


def _fixtures(item: pytest.Item) -> Sequence[str]:
    """Return the names of all fixtures that a test uses, directly or by others."""
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "UnitScheduling":
    """Choose how the tests are shared by parallel workers; called only where pytest-xdist runs."""
    from tests.support.scheduling import UnitScheduling

    return UnitScheduling(config, log)


def _chosen_backends(config: pytest.Config) -> Sequence[Backend]:
    chosen: Literal[Backend, "all"] = config.getoption("backend")
    return BACKENDS if chosen == "all" else (chosen,)


def _deselect(config: pytest.Config, items: list[pytest.Item], unwanted: list[pytest.Item]) -> None:
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        removed = set(unwanted)
        items[:] = [item for item in items if item not in removed]


# What the machine may lack: whose tests are left out then, how they are recognized, and what is looked for.
_PROGRAMS: tuple[tuple[str, Callable[[pytest.Item], bool], Callable[[], object]], ...] = (
    ("the browser", lambda item: "browser" in _fixtures(item), find_browser),
    ("Node.js", lambda item: "node" in _fixtures(item), find_node),
    ("PostgreSQL", lambda item: _backend_of(item) == "postgres", find_postgres),
    ("Redis", lambda item: _backend_of(item) == "postgres", find_redis),
)
_LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """End the run before its first test when a program is missing that must be there."""
    required = session.config.getoption("require_services") or os.environ.get("CI", "").lower() in {"1", "true", "yes"}
    if required and not session.config.option.collectonly:
        for _, _, find in _PROGRAMS:
            try:
                find()
            except ProgramUnavailable as missing:
                raise pytest.UsageError(str(missing)) from missing


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests whose programs this machine lacks, and keep what the summary says about them."""
    left_out = config.stash.setdefault(_LEFT_OUT, [])
    for what, needs, find in _PROGRAMS:
        affected = [item for item in items if needs(item)]
        try:
            if affected:
                find()
        except ProgramUnavailable as missing:
            left_out.append(f"Left out {len(affected)} tests that need {what}: {missing}")
            _deselect(config, items, affected)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the process that reports know what a parallel worker has left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(_LEFT_OUT, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # Any: pytest-xdist need not be installed
    """Take over what the first worker has left out; the others have left out the same."""
    node.config.stash.setdefault(_LEFT_OUT, getattr(node, "workeroutput", {}).get("left_out", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end, where it is read, which tests were left out."""
    for line in config.stash.get(_LEFT_OUT, []):
        terminalreporter.write_line(line, yellow=True)


def _backends_of(test: pytest.Item) -> tuple[Backend, ...]:
    """Return the back ends that a test is for in this run: those in its ``backend`` marker, or all of them.

    Those in its ``deep`` marker only count with ``--deep``.
    """
    intended = _named(test, "backend") or BACKENDS
    postponed = () if sizes.is_deep else _named(test, "deep")
    return tuple(backend for backend in intended if backend not in postponed)


def _named(test: pytest.Item, name: str) -> tuple[Backend, ...]:
    """Return the back ends that a test's marker of this name lists, none if it has no such marker."""
    marker = test.get_closest_marker(name)
    if marker is None:
        return ()
    if not marker.args or not set(marker.args) <= set(BACKENDS):
        raise pytest.UsageError(f"{test.nodeid}: the {name} marker takes {' or '.join(BACKENDS)}")
    return marker.args


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

    Its maintenance waits for a day: what it writes between two requests would be counted as theirs. It waits long for Redis:
    on a busy machine it would fall back to memory.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maintenance, "INTERVAL", datetime.timedelta(days=1))
        for limit in ("SOCKET_TIMEOUT", "POOL_TIMEOUT"):
            patch.setattr(redis, limit, 30.0)
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
