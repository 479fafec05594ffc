"""Private Redis servers for the tests."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.support.servers import HOST, LOG_NAME, PrivateServer, free_port, read_log, running, temporary_folder
from tests.support.unavailable import ProgramUnavailable


@contextmanager
def private_redis(more: Mapping[str, str] = MappingProxyType({})) -> Iterator[PrivateServer]:
    """Run a Redis server with more options, without persistence, whose data is lost after ``stop``.

    Raise ProgramUnavailable if redis-server is not installed, ServerFailed if it does not start.
    """
    program = find_redis()
    port = free_port()
    with temporary_folder() as folder:
        options = {"bind": HOST, "port": str(port), "dir": str(folder), "save": "", "appendonly": "no", **more}
        server = PrivateServer(
            url=f"redis://{HOST}:{port}/0",
            command=[str(program), *(part for name, value in options.items() for part in (f"--{name}", value))],
            folder=folder,
            stop_signal="TERM",
            is_ready=lambda pid: f"{pid}:M" in _last_greeting(folder / LOG_NAME),
        )
        with running(server):
            yield server


def find_redis() -> Path:
    """Return the redis-server program, or raise ProgramUnavailable."""
    if program := shutil.which("redis-server"):
        return Path(program)
    raise ProgramUnavailable(
        "redis-server was not found: install it (Debian, Ubuntu: apt-get install redis-server; "
        "macOS: brew install redis)"
    )


def _last_greeting(log: Path) -> str:
    greetings = [line for line in read_log(log).splitlines() if "Ready to accept connections" in line]
    return greetings[-1] if greetings else ""
