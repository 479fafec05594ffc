"""Runs of the benchmark: private servers with the data of a size, and the rows that are measured on them."""

import asyncio
import dataclasses
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from amarevents.settings import Settings
from benchmarks.dataset import Dataset
from benchmarks.loading import load_postgres, load_sqlite
from benchmarks.measuring import Fact, Result, Target, measure
from benchmarks.rows import Comparison, Mode, comparisons
from benchmarks.wrk import LoadFailed, Request
from tests.support.platforms import Deployment
from tests.support.postgres_server import private_postgres
from tests.support.redis_server import private_redis

_PLENTY = "10000000"  # requests a minute
_OTHERS = {"argon2_time_cost": "2", "argon2_memory_kib": "19456", "places_per_account": "20"}
_LIMITED = _OTHERS | {name: _PLENTY for name in Settings.model_fields if name.startswith("rate_limit_")}
_UNCACHED = {"public_cache_seconds": "0"}
SETTINGS = {
    Mode.UNCACHED: {**_LIMITED, "rate_limit_anonymous": "0", **_UNCACHED},
    Mode.CACHED: {**_LIMITED, "rate_limit_anonymous": "0"},
    Mode.DEFAULT: _LIMITED,
}
_STARTS = 3
_FIRST_ANSWER_SECONDS, _MEGABYTES = 1.5, 120


@dataclasses.dataclass(frozen=True, slots=True)
class Effort:
    """How much load there is: rounds for each server, and their length in seconds."""

    rounds: int
    seconds: int


class Run:
    """Measures the rows with the chosen names, or all of them, and remembers what else it found."""

    def __init__(self, names: Sequence[str], effort: Effort) -> None:
        self._names = names
        self._effort = effort
        self.facts: list[Fact] = []
        self.failures: list[str] = []

    def _chosen(self, rows: Sequence[Comparison]) -> list[Comparison]:
        return [row for row in rows if not self._names or row.name in self._names]

    def on_postgres(self, dataset: Dataset) -> Iterator[Result]:
        """Yield the results on PostgreSQL and Redis, with their yardsticks."""
        rows = self._chosen(comparisons(dataset))
        if not rows:
            return
        with private_postgres() as postgres, private_redis() as redis:
            deployment = Deployment(database_url=postgres.create_database(), redis_url=redis.url)
            deployment.run("migrate")
            asyncio.run(load_postgres(deployment.database_url, dataset))
            with _serving_bare(deployment) as bare:
                for mode in Mode:
                    yield from self._measure(deployment, [row for row in rows if row.mode is mode], mode, bare)

    def on_sqlite(self, dataset: Dataset) -> Iterator[Result]:
        """Yield the results on SQLite without Redis, which no yardstick is compared with."""
        rows = self._chosen(sqlite_rows(dataset))
        with _sqlite() as deployment:
            if rows:
                load_sqlite(Path(deployment.database_url.removeprefix("sqlite:///")), dataset)
                yield from self._measure(deployment, rows, Mode.UNCACHED, None)

    def start(self) -> None:
        """Find out how long a start takes."""
        if self._names and "start" not in self._names:
            return
        with _sqlite() as deployment:
            seconds = sorted(_seconds_of_start(deployment) for _ in range(_STARTS))[_STARTS // 2]
        self.facts.append(
            Fact("start", "From the start of a server to its first answer", seconds, "s", _FIRST_ANSWER_SECONDS)
        )

    def _measure(
        self, deployment: Deployment, rows: Sequence[Comparison], mode: Mode, bare: Target | None
    ) -> Iterator[Result]:
        if not rows:
            return
        settings = SETTINGS[mode]
        with deployment.serving(**settings) as running:  # type: ignore[arg-type] # all settings are texts
            ours = Target(running.url, running.server.pid)
            for row in rows:
                try:
                    yield measure(row, ours, bare, rounds=self._effort.rounds, seconds=self._effort.seconds)
                except LoadFailed as failure:
                    self.failures.append(f"{row.name} FAILED: {failure}")
            where = mode if bare else "SQLite"
            title = f"Memory of the process after this load ({where})"
            self.facts.append(Fact("memory", title, ours.resident_megabytes(), "MB", _MEGABYTES))


def sqlite_rows(dataset: Dataset) -> list[Comparison]:
    """Return the rows that are also measured on SQLite."""
    return [row.embedded() for row in comparisons(dataset) if row.on_sqlite]


@contextmanager
def _serving_bare(deployment: Deployment) -> Iterator[Target]:
    command = [sys.executable, "-m", "benchmarks.bare"]
    with deployment.running(command, workers=1) as running:
        yield Target(running.url, running.server.pid)


@contextmanager
def _sqlite() -> Iterator[Deployment]:
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(database_url=f"sqlite:///{folder}/events.db", redis_url=None)
        deployment.run("migrate")
        yield deployment


def _seconds_of_start(deployment: Deployment) -> float:
    began = time.monotonic()
    with deployment.serving() as running:
        Target(running.url, running.server.pid).answer_to(Request(path="/api/events"))
        return time.monotonic() - began
