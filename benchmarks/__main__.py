"""The command ``python -m benchmarks``: it measures the platform next to hand-written handlers, and prints ratios."""

import argparse
import datetime
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import argon2

from benchmarks.dataset import FULL, PASSWORD, QUICK, Dataset, Size
from benchmarks.report import Report, write_report
from benchmarks.rows import comparisons
from benchmarks.runs import Effort, Run, sqlite_rows
from benchmarks.table import fact_line, missed, result_line, summary

_DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Measure the rows that were asked for. Exits with 1 if one fails or misses what it must reach."""
    options = _options()
    large, small = _dataset(QUICK if options.quick else FULL), _dataset(QUICK)
    known = [row.name for row in (*comparisons(large), *sqlite_rows(small))]
    names = [name for name in options.only.split(",") if name]
    if unknown := set(names) - {*known, "start"}:
        sys.exit(f"No rows {', '.join(unknown)}: there are start, {', '.join(known)}")
    run = Run(names, Effort(rounds=options.rounds or (1 if options.quick else 3), seconds=options.seconds))
    run.start()
    results = []
    for results_of_backend in (run.on_postgres(large), run.on_sqlite(small)):
        for result in results_of_backend:
            print(result_line(result), flush=True)
            results.append(result)
    print(*map(fact_line, run.facts), *run.failures, summary(results, run.facts), sep="\n")
    if options.report and not run.failures:
        write_report(_DOCS, Report(results=results, facts=run.facts, size=large.size, sqlite_size=small.size))
    sys.exit(bool(missed(results, run.facts) or run.failures))


def _dataset(size: Size) -> Dataset:
    today = datetime.datetime.now(ZoneInfo("Asia/Dhaka")).date()
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
    return Dataset(size=size, today=today, password_hash=hasher.hash(PASSWORD))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="use a small database, and one round")
    parser.add_argument("--only", default="", help="the names of rows, separated by commas")
    parser.add_argument("--rounds", type=int, help="rounds of load on each server (3)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each round (3)")
    parser.add_argument("--report", action="store_true", help="write docs/performance.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
