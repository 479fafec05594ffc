"""Benchmark of a list of 20 events over HTTP: requests per second of GraphQL against REST.

Run it with ``python -m benchmarks.lists_over_http``; it requires ``wrk``. One server process uses PostgreSQL and Redis,
and the two APIs alternate within one run.
"""

import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from tests.support.platforms import Deployment, RunningPlatform
from tests.support.postgres_server import private_postgres
from tests.support.redis_server import private_redis

ROUNDS, SECONDS, CONNECTIONS = 5, 4, 16
FIELDS = (
    "id name category organizationId organizationName date deadline location description banner logo privacy "
    "createdAt updatedAt"
)
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"query": "{events(limit: 20){items{%s} pagination{total}}}"}'
"""


def _rate(path: str, running: RunningPlatform, *options: str) -> float:
    """Return the requests per second. Every response must be successful."""
    load = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *options, f"{running.url}{path}"]
    report = subprocess.run(load, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in report, report
    found = re.search(r"Requests/sec: +([0-9.]+)", report)
    assert found, report
    return float(found[1])


def _compare(running: RunningPlatform, script: Path) -> None:
    pairs = [
        (_rate("/api/events?limit=20", running), _rate("/graphql", running, "-s", str(script))) for _ in range(ROUNDS)
    ]
    rest, graphql = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    ratio = statistics.median(graphql / rest for rest, graphql in pairs)
    print(f"REST {rest:.0f}/s, GraphQL {graphql:.0f}/s, ratio {ratio:.2f}")


def main() -> None:
    with private_postgres() as postgres, private_redis() as redis, tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "events.lua"
        script.write_text(SCRIPT % FIELDS, encoding="utf-8")
        deployment = Deployment(database_url=postgres.create_database(), redis_url=redis.url)
        deployment.run("migrate")
        deployment.run("seed")
        with deployment.serving() as running:
            _compare(running, script)


if __name__ == "__main__":
    main()
