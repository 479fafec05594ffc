"""The start of a process without garbage collections."""

import gc
from collections.abc import Iterator

import pytest

from amarevents.server.startup import without_collections


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_objects_of_the_start_are_never_looked_at_again() -> None:
    with without_collections():
        assert not gc.isenabled()
        created: list[list[int]] = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(created)


def test_failed_start_leaves_collections_on() -> None:
    with pytest.raises(RuntimeError), without_collections():
        raise RuntimeError
    assert gc.isenabled()
