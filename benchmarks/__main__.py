"""The command ``python -m benchmarks``: it starts private servers, loads the data, measures and prints the rows."""

import argparse
import asyncio
import datetime
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import argon2

from amarevents.settings import Settings
from benchmarks.dataset import FULL, PASSWORD, QUICK, Dataset
from benchmarks.loading import load_postgres
from benchmarks.measuring import Result, Target, measure
from benchmarks.rows import Comparison, Mode, comparisons
from benchmarks.table import print_result, print_summary
from tests.support.platforms import Deployment
from tests.support.postgres_server import private_postgres
from tests.support.redis_server import private_redis

_PLENTY = "10000000"  # requests a minute
_ARGON2 = {"argon2_time_cost": "2", "argon2_memory_kib": "19456", "places_per_account": "20"}
_LIMITS = {name: _PLENTY for name in Settings.model_fields if name.startswith("rate_limit_")}
_UNCACHED = {"public_cache_seconds": "0"} if "public_cache_seconds" in Settings.model_fields else {}
_SETTINGS = {
    Mode.UNCACHED: {**_ARGON2, **_LIMITS, "rate_limit_anonymous": "0", **_UNCACHED},
    Mode.CACHED: {**_ARGON2, **_LIMITS, "rate_limit_anonymous": "0"},
    Mode.DEFAULT: {**_ARGON2, **_LIMITS},
}


def main() -> None:
    """Measure the rows that were asked for. Exits with 1 if one misses what it must reach."""
    options = _options()
    today = datetime.datetime.now(ZoneInfo("Asia/Dhaka")).date()
    size = QUICK if options.quick else FULL
    dataset = Dataset(size=size, today=today, password_hash=argon2.PasswordHasher(2, 19456, 1).hash(PASSWORD))
    rows = _chosen(comparisons(dataset), options.only)
    with private_postgres() as postgres, private_redis() as redis:
        deployment = Deployment(database_url=postgres.create_database(), redis_url=redis.url)
        deployment.run("migrate")
        print(f"Loading {size.events:,} events and {size.tickets:,} tickets …", flush=True)
        asyncio.run(load_postgres(deployment.database_url, dataset))
        results = list(_measure(deployment, rows, rounds=options.rounds, seconds=options.seconds))
    print_summary(results)
    sys.exit(any(result.reached is False for result in results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="use a small database, and one round")
    parser.add_argument("--only", default="", help="the names of rows, separated by commas")
    parser.add_argument("--rounds", type=int, help="rounds of load on each server (3)")
    parser.add_argument("--seconds", type=int, help="seconds of each round (3)")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or 3
    return options


def _chosen(rows: Sequence[Comparison], only: str) -> list[Comparison]:
    names = {name for name in only.split(",") if name}
    if unknown := names - {row.name for row in rows}:
        sys.exit(f"No rows {', '.join(unknown)}: there are {', '.join(row.name for row in rows)}")
    return [row for row in rows if not names or row.name in names]


def _measure(deployment: Deployment, rows: Sequence[Comparison], *, rounds: int, seconds: int) -> Iterator[Result]:
    with _serving_bare(deployment) as bare:
        for mode in Mode:
            of_mode = [row for row in rows if row.mode is mode]
            if not of_mode:
                continue
            with deployment.serving(**_SETTINGS[mode]) as running:  # type: ignore[arg-type] # settings are texts
                ours = Target(running.url, running.server.pid)
                for row in of_mode:
                    result = measure(row, ours, bare, rounds=rounds, seconds=seconds)
                    print_result(result)
                    yield result
                print(f"{'':4}{ours.resident_megabytes():.0f} MB after load ({mode})", flush=True)


@contextmanager
def _serving_bare(deployment: Deployment) -> Iterator[Target]:
    command = [sys.executable, "-m", "benchmarks.bare"]
    with deployment.running(command, workers=1) as running:
        yield Target(running.url, running.server.pid)


if __name__ == "__main__":
    main()
