"""The command ``python -m benchmarks.growth``: what requests cost with 10,000 events, and with a million."""

import argparse
import asyncio
import datetime
import statistics
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import orjson

from amarevents.models.enums import KeyType
from benchmarks.dataset import (
    ADMIN_ID,
    CROWDED_EVENT,
    ORGANIZER_ID,
    RARE_WORD,
    SALE_EVENT,
    Dataset,
    Size,
    raw_key,
    user_keys,
)
from benchmarks.loading import load_postgres
from benchmarks.rows import Mode
from benchmarks.runs import SETTINGS
from benchmarks.wrk import Request, put_load
from tests.support.platforms import Deployment
from tests.support.postgres_server import PostgresServer, private_postgres
from tests.support.redis_server import private_redis

SMALL = Size(events=10_000, tickets=200_000, users=100_000, organizations=100, crowd=100_000, keys=2_000)
LARGE = Size(events=1_000_000, tickets=1_000_000, users=100_000, organizations=10_000, crowd=100_000, keys=2_000)
_GROWN, _DEEP = 1.3, 2.0
_WARM_UP_SECONDS = 1
_TIMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What is asked of two servers, or twice of the large one; ``limit`` is how much more the second may take."""

    title: str
    small: Sequence[Request]
    large: Sequence[Request]
    is_deep: bool = False
    """Whether both are asked of the large server."""
    limit: float


def main() -> None:
    """Load both databases, measure and print the ratios. Exits with 1 if one exceeds its limit."""
    options = _options()
    with private_postgres() as postgres, private_redis() as redis, ExitStack() as servers:
        urls = []
        for size in (SMALL, LARGE):
            deployment = Deployment(database_url=_loaded(postgres, size), redis_url=redis.url)
            serving = deployment.serving(**SETTINGS[Mode.UNCACHED])  # type: ignore[arg-type] # all settings are texts
            urls.append(servers.enter_context(serving).url)
        exceeded = measure_growth(*urls, rounds=options.rounds, seconds=options.seconds)
        print_platform_statistics(urls)
    sys.exit(exceeded)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of load on each server (3)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each round (3)")
    return parser.parse_args()


def _loaded(postgres: PostgresServer, size: Size) -> str:
    """Return the URL of a database with rows of this size."""
    url = postgres.create_database()
    Deployment(database_url=url, redis_url=None).run("migrate")
    today = datetime.datetime.now(ZoneInfo("Asia/Dhaka")).date()
    asyncio.run(load_postgres(url, Dataset(size=size, today=today, password_hash="!")))  # noqa: S106 - for no login
    return url


def measure_growth(small_url: str, large_url: str, *, rounds: int, seconds: int) -> bool:
    """Print how much longer requests take; return whether one takes too long."""
    exceeded = False
    for growth in growths():
        sides = [(large_url if growth.is_deep else small_url, growth.small), (large_url, growth.large)]
        for url, requests in sides:
            put_load(url, requests, _WARM_UP_SECONDS)
        rates = [[put_load(url, requests, seconds).rate for url, requests in sides] for _ in range(rounds)]
        ratio = statistics.median(first / second for first, second in rates)
        exceeded |= ratio > growth.limit
        first, second = (statistics.median(column) for column in zip(*rates, strict=True))
        limit = f"≤ {growth.limit} {'met' if ratio <= growth.limit else 'MISSED'}"
        print(f"{growth.title:56}{first:8.0f}/s{second:8.0f}/s   {ratio:6.2f} times as long  {limit}", flush=True)
    return exceeded


def growths() -> list[Growth]:
    """Return what is measured, in the order of docs/scaling.md."""
    organizer = {"Authorization": f"Bearer {raw_key(KeyType.ORGANIZER, ORGANIZER_ID)}"}
    tickets = f"/api/events/{CROWDED_EVENT}/tickets"
    return [
        *(_same(title, [Request(path=path)]) for title, path in _LISTS.items()),
        _same("Event with its ticket types", [Request(path=f"/api/events/{number}") for number in range(1, 20)]),
        Growth(title="Registration", small=_registrations(SMALL), large=_registrations(LARGE), limit=_GROWN),
        _same("Statistics of an event with 100,000 tickets", [Request(path=_STATS, headers=organizer)]),
        _deep("Page 1,000 of the list of events, against page 1", "/api/events", {}),
        _deep("Page 1,000 of the tickets of an event, against page 1", tickets, organizer),
    ]


_LISTS = {
    "List of 20 events": "/api/events?limit=20",
    "List of a category": "/api/events?category=Concert",
    "Events of an organization": "/api/events?organization_id=7",
    "Search for a rare word": f"/api/events?search={RARE_WORD}",
}
_STATS = f"/api/events/{CROWDED_EVENT}/stats"


def _same(title: str, requests: Sequence[Request]) -> Growth:
    return Growth(title=title, small=requests, large=requests, limit=_GROWN)


def _deep(title: str, path: str, headers: dict[str, str]) -> Growth:
    first, deep = ([Request(path=f"{path}?page={page}", headers=headers)] for page in (1, 1_000))
    return Growth(title=title, small=first, large=deep, is_deep=True, limit=_DEEP)


def _registrations(size: Size) -> list[Request]:
    body = orjson.dumps({"event_id": SALE_EVENT, "ticket_type_id": 2 * SALE_EVENT})
    headers = ({"Content-Type": "application/json", "Authorization": f"Bearer {key}"} for key in user_keys(size))
    return [Request(path="/api/tickets", method="POST", body=body, headers=one) for one in headers]


def print_platform_statistics(urls: Sequence[str]) -> None:
    """Print how long the statistics of the platform take, whose cost grows with the number of tickets."""
    request = Request(path="/api/admin/stats", headers={"Authorization": f"Bearer {raw_key(KeyType.ADMIN, ADMIN_ID)}"})
    milliseconds = [1000 * statistics.median(_seconds(url, request) for _ in range(_TIMES)) for url in urls]
    print(f"{'Statistics of the platform':56}", *(f"{one:8.0f} ms" for one in milliseconds), flush=True)


def _seconds(url: str, request: Request) -> float:
    asked = urllib.request.Request(url + request.path, headers=dict(request.headers))  # noqa: S310 - a server of ours
    began = time.perf_counter()
    with urllib.request.urlopen(asked) as response:  # noqa: S310
        response.read()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
