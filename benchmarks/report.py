"""The report ``docs/performance.md`` with its charts."""

import datetime
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.charts import Bar, bar_chart
from benchmarks.dataset import Size
from benchmarks.measuring import Fact, Result
from benchmarks.table import demanded, number
from tests.support.postgres_server import find_postgres

_LIBRARIES = ("starlette", "uvicorn", "uvloop", "asyncpg", "strawberry-graphql", "orjson", "redis")
_LONG_MS = 20  # what takes longer, because of Argon2, would make the other bars too short
_PAGE = """\
# Performance

`make bench` measures the platform next to hand-written handlers, which are in `benchmarks/bare.py`: Starlette, asyncpg
and orjson, the least SQL for the same rows, and the same JSON. The handlers know who calls and who owns an event, and
they have no other rules: no limits, no validation, no costs of documents, no emails, no places per account. So a ratio
says what the rules and the comfort of one service layer cost.

Each row starts with a comparison of both answers. Then both servers, one process each, get load by `wrk` over 32
connections in turns. A rate is the median of the rounds, and a ratio the median of the ratios of the rounds. The
processor time is that of the server process alone; it depends less on what else the machine does than the rate, which
PostgreSQL, Redis and `wrk` share the processors with. A response other than 2xx fails the run.

Public reads are not cached, and anonymous callers not limited, unless a row says so. API keys are always limited, by
limits that are never reached, so that Redis is asked. Registrations are for one ticket type with a price, by 5,000
accounts with a key each, which may hold 20 places each. Details are those of 1,000 events in turn.

```
$ {command}
```

{machine}

## PostgreSQL and Redis

{size}

![Throughput in relation to the yardstick](performance/ratios.svg)

{table}

A ratio of processor times is that of the yardstick to ours, so that more is better as well.

![Processor time of a request](performance/processor.svg)

## SQLite without Redis

What the embedded default carries, with one process and {sqlite_size}

![Requests per second on SQLite](performance/sqlite.svg)

{sqlite_table}

## Start and memory

{facts}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the page shows, and the sizes of the databases that it was measured with."""

    results: Sequence[Result]
    facts: Sequence[Fact]
    size: Size
    sqlite_size: Size


def write_report(docs: Path, report: Report) -> None:
    """Write the page and its charts."""
    folder = docs / "performance"
    folder.mkdir(exist_ok=True)
    compared = [result for result in report.results if not result.row.on_sqlite_alone]
    embedded = [result for result in report.results if result.row.on_sqlite_alone]
    for name, chart in _charts(compared, embedded):
        (folder / name).write_text(chart, encoding="utf-8")
    page = _PAGE.format(
        command=" ".join([".venv/bin/python -m benchmarks", *sys.argv[1:]]),
        machine=_machine(),
        size=_rows(report.size),
        sqlite_size=_rows(report.sqlite_size),
        table=_table(compared),
        sqlite_table=_table(embedded),
        facts="\n".join(
            f"- {fact.title}: {number(fact)} (at most {fact.limit:g} {fact.unit})" for fact in report.facts
        ),
    )
    (docs / "performance.md").write_text(page, encoding="utf-8")


def _rows(size: Size) -> str:
    return (
        f"{size.events:,} events with two ticket types each, {size.tickets:,} tickets ({size.crowd:,} of them for one "
        f"event), {size.users:,} accounts and {size.organizations:,} organizations."
    )


def _charts(compared: Sequence[Result], embedded: Sequence[Result]) -> Iterable[tuple[str, str]]:
    ratios = [
        Bar(label=result.row.title, value=result.ratio, mark=result.row.ratio, is_missed=result.reached is False)
        for result in compared
        if result.ratio is not None
    ]
    yield "ratios.svg", bar_chart("Throughput: ours ÷ yardstick; the mark is the target", ratios, unit="")
    times = [
        Bar(label=result.row.title, value=result.milliseconds, second=result.yardstick_milliseconds)
        for result in compared
        if result.milliseconds < _LONG_MS
    ]
    yield "processor.svg", bar_chart("Processor time of a request: ours, and in gray the yardstick", times, unit=" ms")
    rates = [Bar(label=result.row.title, value=result.rate) for result in embedded]
    yield "sqlite.svg", bar_chart("Requests per second on SQLite, one process", rates, unit="/s", digits=0)


def _table(results: Sequence[Result]) -> str:
    has_yardstick = any(result.yardstick for result in results)
    compared = ["yardstick/s", "ratio", "target", "processor ratio"] if has_yardstick else []
    head = ["what", "ours/s", *compared, "ms a request", "p99 ms"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for result in results:
        row = [result.row.title, f"{result.rate:,.0f}"]
        if has_yardstick:
            row += [
                f"{result.yardstick_rate:,.0f}" if result.yardstick else "",
                _ratio(result.ratio),
                f"{demanded(result)} {'' if result.reached is None else _MARKS[result.reached]}".strip(),
                _ratio(result.processor_ratio),
            ]
        lines.append([*row, f"{result.milliseconds:.2f}", f"{result.p99_ms:,.0f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_MARKS = {True: "met", False: "**missed**"}


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _machine() -> str:
    """Return when and on what the report was made."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    gigabytes = int(memory[1]) / 1024 / 1024 if memory else 0
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"Measured on {datetime.datetime.now(datetime.UTC).date()} on {os.cpu_count()} cores"
        f"{f' ({cpu[1]})' if cpu else ''} with {gigabytes:.0f} GB, {platform.system()}, Python "
        f"{platform.python_version()}, {_first_line(str(find_postgres() / 'postgres'), '--version')}, "
        f"{_redis()}, {libraries}."
    )


def _redis() -> str:
    line = _first_line(shutil.which("redis-server") or "redis-server", "--version")
    found = re.search(r"v=(\S+)", line)
    return f"Redis {found[1]}" if found else line


def _first_line(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
