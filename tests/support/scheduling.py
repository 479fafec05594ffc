"""The order in which the tests of a parallel run are handed out to its workers."""

from collections.abc import Sequence

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

BACKENDS = {"sqlite", "postgres"}
MAX_UNIT = 40
"""Tests that a worker receives at once; a longer file is shared by several workers."""


class UnitScheduling(LoadScopeScheduling):
    """Hands out the tests in the order of their collection, in units of one file and one back end.

    That order has the tests on SQLite before those on PostgreSQL, so each worker changes its back end once.
    """

    def schedule(self) -> None:
        if self.collection is None:
            self.config.option.loadscopereorder = False  # sorting the units by their size would mix the back ends
            collection = next(iter(self.registered_collections.values()))
            self._units = dict(zip(collection, units_of(collection), strict=True))
            self._positions = {nodeid: position for position, nodeid in enumerate(collection)}
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        unit: str = self._units[nodeid]
        return unit

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Do what the base class does, without a search through the whole collection for each test."""
        unit, tests = self.workqueue.popitem(last=False)
        self.assigned_work.setdefault(node, {})[unit] = tests
        node.send_runtest_some([self._positions[nodeid] for nodeid, is_completed in tests.items() if not is_completed])


def units_of(collection: Sequence[str]) -> list[str]:
    """Return the name of each test's unit: neighbors of the same file and back end, at most ``MAX_UNIT`` of them."""
    names: list[str] = []
    kind, size = "", 0
    for nodeid in collection:
        size += 1
        if _kind_of(nodeid) != kind or size > MAX_UNIT:
            kind, size, first = _kind_of(nodeid), 1, nodeid
        names.append(first)
    return names


def _kind_of(nodeid: str) -> str:
    """Return the file and the back end of a test, whose name ends with ``[sqlite]`` or ``[sqlite-...]``."""
    file, _, test = nodeid.partition("::")
    parameters = test.partition("[")[2]
    backend = parameters.rstrip("]").partition("-")[0]
    return f"{file} {backend if backend in BACKENDS else ''}"
