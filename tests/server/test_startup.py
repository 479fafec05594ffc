"""The start of a process without garbage collections, and the memory that threads share."""

import gc
import subprocess
import sys
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


HASHING = """
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from argon2 import PasswordHasher

from amarevents.server.startup import share_freed_memory

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

{prepare}
before = megabytes()
list(ThreadPoolExecutor(2).map(PasswordHasher(time_cost=1, memory_cost=19456).hash, ["secret"] * 8))
print(megabytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_threads_share_the_memory_of_password_hashes() -> None:
    def grown(prepare: str) -> float:
        script = [sys.executable, "-c", HASHING.format(prepare=prepare)]
        return float(subprocess.run(script, capture_output=True, text=True, check=True, timeout=60).stdout)

    assert grown("share_freed_memory()") < 25
    assert grown("pass") > 35  # the negative control: each thread keeps its own
