"""The commands of the README and of the GraphQL guide, run as a reader would paste them."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from amarevents.settings import PREFIX
from tests.support.postgres_server import PostgresServer
from tests.support.selection import Backend

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "graphql.md"
PYTHON = shlex.quote(sys.executable)  # the path of the folder may contain spaces
CLI = f'{PYTHON} -c "from amarevents.cli.main import main; main()"'


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def walkthrough() -> str:
    """Return the commands of the README's walkthrough as one script."""
    marked = README.read_text().partition("<!-- walk: begin -->")[2].partition("<!-- walk: end -->")[0]
    return "\n".join(blocks("bash", marked))


def guide(section: str) -> str:
    return GUIDE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def environment(backend: Backend, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Return the reader's environment: the defaults with a free port, or PostgreSQL, Redis and 4 workers."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    variables = {
        **inherited,
        "PYTHONPATH": str(ROOT),
        f"{PREFIX}PORT": str(free_port()),
        f"{PREFIX}COOKIE_SECURE": "false",
    }
    if backend == "sqlite":
        return variables
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return {
        **variables,
        f"{PREFIX}DATABASE_URL": server.create_database(),
        f"{PREFIX}REDIS_URL": request.getfixturevalue("redis_url"),
        f"{PREFIX}WORKERS": "4",
    }


@contextmanager
def serving(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """Run the server as ``make run`` does, and yield its address."""
    url = f"http://127.0.0.1:{environment[f'{PREFIX}PORT']}"
    command = [sys.executable, "-c", "from amarevents.cli.main import main; main()", "serve", "--demo"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait_until_healthy(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def wait_until_healthy(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not become healthy")


def output_of(script: str, url: str, environment: dict[str, str], folder: Path) -> str:
    """Run the commands in bash and return what they print."""
    script = script.replace("http://127.0.0.1:8000", url).replace(".venv/bin/python", PYTHON)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(".venv/bin/amarevents", CLI)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_readme_walkthrough_works(environment: dict[str, str], tmp_path: Path) -> None:
    with serving(environment, tmp_path) as url:
        printed = output_of(walkthrough(), url, environment, tmp_path)
    assert '"success":false' not in printed
    assert '"errors"' not in printed
    assert printed.count('"status":"Pending"') == 1  # the retry did not register twice
    assert '"status":"Success","event":"বৃষ্টির গান: Songs of Rain"' in printed
    assert [printed.count(f'"outcome":"{outcome}"') for outcome in ("ADMITTED", "ALREADY_CHECKED_IN")] == [1, 1]
    assert '"attendance":{"checkedIn":1,"expected":1}' in printed
    assert all(json.loads(line) for line in printed.splitlines())  # each response on its own line
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_first_queries_of_the_guide_work(environment: dict[str, str], tmp_path: Path) -> None:
    mint = ".venv/bin/amarevents create-key --email demo@example.com --type organizer"
    with serving(environment, tmp_path) as url:
        key = output_of(mint, url, environment, tmp_path).strip()
        commands = "\n".join(blocks("bash", guide("First queries"))).replace("ae_o_…", key)
        *responses, approval, event = output_of(f"{commands}\necho $EVENT", url, environment, tmp_path).splitlines()
        exported = {"AMAR_EVENTS_URL": url, "AMAR_EVENTS_KEY": key, "EVENT": event}
        [subscriber] = blocks("python", guide("Subscriptions"))
        first_update = first_line_of(subscriber, {**environment, **exported})
    shown = blocks("json", guide("First queries"))
    assert list(map(json.loads, responses)) == list(map(json.loads, shown))
    assert '"status":"SUCCESS"}],"failed":[]' in approval
    assert first_update.startswith("{'total': 1, 'approved': 1, 'pending': 0, 'revenue': '500")


def first_line_of(program: str, environment: dict[str, str]) -> str:
    """Return the first line that the program prints, and end the program."""
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout
        try:
            return running.stdout.readline().strip()
        finally:
            running.terminate()


def test_readme_walkthrough_has_commands() -> None:
    assert walkthrough().count("curl") > 10
