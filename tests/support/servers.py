"""Private server processes for the tests, on a free port of 127.0.0.1 and with temporary data.

Every server has a supervisor, a small shell process that ends the server and removes its folder when its standard input
ends: once the tests have finished with the server, and also if the tests are interrupted or killed.
"""

import os
import pwd
import random
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

HOST = "127.0.0.1"
START_TIMEOUT = 120.0  # seconds: a shared machine may be slow
LOG_NAME = "output.log"

# Arguments: a signal, a folder, a log file and a command. It prints the process ID of the server first. "stop" on its
# input ends the server; the end of its input, which also comes if the tests are killed, removes the folder as well.
SUPERVISOR = """
signal=$1 folder=$2 log=$3
shift 3
"$@" </dev/null >>"$log" 2>&1 &
server=$!
echo "$server"
read -r word || word=discard
kill -s "$signal" "$server" 2>/dev/null
wait "$server" 2>/dev/null
[ "$word" = stop ] || rm -rf -- "$folder"
"""


class ServerFailed(Exception):
    """A server is installed but did not start; the message has the end of its log."""


class _Identity(TypedDict, total=False):
    """Arguments of ``subprocess`` that run a program as another account; empty for the current one."""

    user: str
    group: int
    extra_groups: list[int]


@dataclass(kw_only=True)
class PrivateServer:
    """A server process with its supervisor. ``is_ready`` takes the process ID and returns whether it is accepting."""

    url: str
    command: Sequence[str]
    folder: Path
    stop_signal: str
    is_ready: Callable[[int], bool]
    account: str | None = None
    pid: int = field(default=0, init=False)
    _supervisor: subprocess.Popen[str] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start, also again on the same port after ``stop``, and wait until connections are accepted.

        Raise ServerFailed after ``START_TIMEOUT``.
        """
        supervisor = [
            "/bin/sh",
            "-c",
            SUPERVISOR,
            "supervisor",
            self.stop_signal,
            str(self.folder),
            str(self.folder / LOG_NAME),
        ]
        self._supervisor = subprocess.Popen(
            [*supervisor, *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=_environment(),
            start_new_session=True,  # Ctrl-C must reach only the tests
            **_identity(self.account),
        )
        assert self._supervisor.stdout is not None
        self.pid = int(self._supervisor.stdout.readline())
        self._wait_until_ready()

    def stop(self) -> None:
        """End the server; its connections are closed and its port refuses new ones."""
        self._end("stop\n")

    def discard(self) -> None:
        """End the server and remove its folder."""
        self._end("discard\n")
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _end(self, order: str) -> None:
        if self._supervisor is None:
            return
        self._supervisor.communicate(order)
        self._supervisor = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self.is_ready(self.pid):
            if time.monotonic() > deadline:
                log = read_log(self.folder / LOG_NAME)[-2000:]
                raise ServerFailed(f"{shlex.join(self.command)} did not start:\n{log}")
            time.sleep(0.02)


@contextmanager
def running(server: PrivateServer) -> Iterator[None]:
    """Start the server, and end it with the block."""
    try:
        server.start()
        yield
    finally:
        server.discard()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder, and remove it with the block."""
    folder = Path(tempfile.mkdtemp(prefix="amarevents-tests-"))
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder)


def _identity(account: str | None) -> _Identity:
    if account is None:
        return {}
    return {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    # PGHOST, PGPORT, PGOPTIONS and the like would direct the programs to another server.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def run_program(command: Sequence[str], account: str | None = None) -> None:
    """Run a program to its end; raise ServerFailed with its output if it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env=_environment(), **_identity(account)
    )
    if done.returncode != 0:
        raise ServerFailed(f"{shlex.join(command)} failed:\n{done.stderr[-2000:]}")


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    # Below the range of ephemeral ports, so that no client is given the port between ``stop`` and ``start``.
    for port in random.sample(range(15000, 30000), 100):
        with socket.socket() as probe, suppress(OSError):  # in use: try the next
            probe.bind((HOST, port))
            return port
    raise ServerFailed("found no free port from 15000 to 30000")


def read_log(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
