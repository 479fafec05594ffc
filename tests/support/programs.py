"""The command line as users run it: in a process and a folder of its own."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from amarevents.settings import PREFIX
from tests.support.forking import run_forked

_PROGRAM = [sys.executable, "-W", "error", "-c", "from amarevents.cli.main import main; main()"]
_ROOT = Path(__file__).parents[2]
_TIMEOUT = 120.0  # seconds: a shared machine may be slow


@dataclass(frozen=True, kw_only=True)
class Program:
    """``amarevents`` in ``folder`` with only these settings, whose names have no prefix."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command and return its result; ``typed`` is its standard input."""
        environment = self._environment()
        return run_forked(arguments, folder=self.folder, environment=environment, typed=typed, seconds=_TIMEOUT)

    def printed(self, *arguments: str, typed: str = "") -> str:
        """Run a command that must succeed, and return its output."""
        done = self.run(*arguments, typed=typed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *arguments: str, typed: str = "") -> str:
        """Run a command that must fail without output, and return its only line on stderr."""
        done = self.run(*arguments, typed=typed)
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        [line] = done.stderr.splitlines()
        return line

    @contextmanager
    def serving(self, *arguments: str) -> Iterator["Serving"]:
        """Serve on a free port until the block ends; output goes to a file."""
        address = f"127.0.0.1:{_free_port()}"
        host, port = address.split(":")
        output = self.folder / "output.txt"
        with output.open("w") as file:
            process = subprocess.Popen(
                [*_PROGRAM, "serve", "--host", host, "--port", port, *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._environment(),
            )
        try:
            with httpx.Client(base_url=f"http://{address}") as client:
                _wait_until_healthy(client, process, output)
                yield Serving(client=client, output=output)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_TIMEOUT)

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "PG"))}
        inherited["PYTHONPATH"] = str(_ROOT)  # the package need not be installed
        cheap = {"ARGON2_TIME_COST": "1", "ARGON2_MEMORY_KIB": "8"}
        return inherited | {f"{PREFIX}{name}": value for name, value in {**cheap, **self.settings}.items()}


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A server that is ready, with a client for it and the file of its output."""

    client: httpx.Client
    output: Path

    def printed(self) -> str:
        return self.output.read_text()


def _wait_until_healthy(client: httpx.Client, process: "subprocess.Popen[bytes]", output: Path) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:  # not listening yet
            time.sleep(0.05)


def _free_port() -> int:
    while True:
        port = random.randint(15000, 30000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
