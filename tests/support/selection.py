"""Which tests run, on which back ends and in which order: a plugin of pytest, loaded by the root ``conftest``."""

import gc
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest

from tests.support import sizes
from tests.support.browsers import find_browser
from tests.support.node import find_node
from tests.support.pgbouncer import find_pgbouncer
from tests.support.postgres_server import find_postgres
from tests.support.redis_server import find_redis
from tests.support.unavailable import ProgramUnavailable

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
    chosen = _chosen_backends(config)
    _deselect(config, items, [item for item in items if not _is_for(item, chosen)])
    if not config.option.collectonly:
        _leave_out(config, items)
    items.sort(key=_order)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through thousands of tests again and again."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _is_for(item: pytest.Item, chosen: Sequence[Backend]) -> bool:
    """Return whether a test is for the back end that it would run on, or for a chosen one if it uses none itself.

    Among its markers are those of its parameters, which are not known yet when it is given its back ends.
    """
    own = _backend_of(item)
    return not set(_backends_of(item)).isdisjoint(chosen if own is None else (own,))


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
    ("PgBouncer", lambda item: "pgbouncer" in _fixtures(item), find_pgbouncer),
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
    """Pass what a parallel worker has left out to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(_LEFT_OUT, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # Any: pytest-xdist need not be installed
    """Take over what the first worker has left out; the others have left out the same."""
    node.config.stash.setdefault(_LEFT_OUT, getattr(node, "workeroutput", {}).get("left_out", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the tests that were left out at the end, where it is read."""
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
