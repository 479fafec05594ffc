"""Private PgBouncer poolers for the tests, in transaction mode."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres_server import PostgresServer, change_owner, unprivileged_account
from tests.support.servers import HOST, LOG_NAME, PrivateServer, free_port, read_log, running, temporary_folder
from tests.support.unavailable import ProgramUnavailable

SERVER_CONNECTIONS = 5
"""The connections to PostgreSQL, which the clients of all processes share."""


@contextmanager
def private_pgbouncer(server: PostgresServer) -> Iterator[PrivateServer]:
    """Run a pooler of the server's databases until the block ends; its ``url`` lacks the name of the database.

    Raise ProgramUnavailable if PgBouncer is not installed, ServerFailed if it does not start.
    """
    program = find_pgbouncer()
    account = unprivileged_account()
    port = free_port()
    with temporary_folder() as folder:
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(_configuration(server, port))
        change_owner(folder, account)
        pooler = PrivateServer(
            url=f"postgres://postgres@{HOST}:{port}",
            command=[str(program), str(configuration)],
            folder=folder,
            stop_signal="TERM",
            is_ready=lambda pid: f"[{pid}] LOG process up" in read_log(folder / LOG_NAME),
            account=account,
        )
        with running(pooler):
            yield pooler


def find_pgbouncer() -> Path:
    """Return the pgbouncer program, or raise ProgramUnavailable."""
    if program := shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer"):
        return Path(program)
    raise ProgramUnavailable(
        "PgBouncer was not found: install it (Debian, Ubuntu: apt-get install pgbouncer; macOS: brew install pgbouncer)"
    )


def _configuration(server: PostgresServer, port: int) -> str:
    settings = {
        "listen_addr": HOST,
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": SERVER_CONNECTIONS,
        "max_client_conn": 500,
        # As docs/deployment.md recommends: requests fail instead of waiting for a server that is away.
        "query_wait_timeout": 5,
        "server_login_retry": 1,
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    return "\n".join(["[databases]", f"* = host={HOST} port={server.port} user=postgres", "[pgbouncer]", *lines, ""])
