"""The platform as an operator runs it: server processes started by the command line, on real sockets."""

import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from amarevents.settings import PREFIX, Settings
from tests.support.programs import Program
from tests.support.servers import HOST, LOG_NAME, PrivateServer, free_port

ROOT = Path(__file__).parents[2]
CLI = [sys.executable, "-c", "from amarevents.cli.main import main; main()"]
PASSWORD = "secret123"
OUTAGE = "PostgreSQL cannot be reached"
CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=200)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deployment:
    """A migrated database, and optionally Redis. Settings are environment variables: ``rate_limit_user="60"``.

    By default there are no rate limits, accounts hold any number of places, and password hashing is cheap.
    """

    database_url: str
    redis_url: str | None
    is_pooled: bool = False
    has_outages: bool = False
    """Whether processes may log that the database cannot be reached."""

    def run(self, *arguments: str, typed: str = "") -> str:
        """Run a command that must succeed, and return its output; ``typed`` is its standard input."""
        settings = {name.upper(): value for name, value in self._settings({}).items()}
        return Program(folder=ROOT, settings=settings).printed(*arguments, typed=typed).strip()

    def create_admin(self) -> str:
        """Create an admin account, and return an admin key of it."""
        account = ["--username", "operator", "--email", "operator@example.com", "--number", "01700000000"]
        self.run("create-admin", *account, "--password-stdin", typed=PASSWORD)
        return self.run("create-key", "--email", "operator@example.com", "--type", "admin")

    @contextmanager
    def serving(self, *, workers: int = 1, **settings: str) -> Iterator["RunningPlatform"]:
        """Run ``amarevents serve`` on a free port; fail if it logs an error or does not stop."""
        with self.running([*CLI, "serve"], workers=workers, **settings) as running:
            yield running

    @contextmanager
    def running(self, command: Sequence[str], *, workers: int, **settings: str) -> Iterator["RunningPlatform"]:
        """Run another command that takes ``--port`` and ``--workers`` in the same way."""
        port = free_port()
        folder = Path(tempfile.mkdtemp(prefix="amarevents-platform-"))
        environment = {f"{PREFIX}{name.upper()}": value for name, value in self._settings(settings).items()}
        environment["PYTHONPATH"] = str(ROOT)  # the package need not be installed
        options = ["--port", str(port), "--workers", str(workers)]
        server = PrivateServer(
            url=f"http://{HOST}:{port}",
            command=["env", *(f"{name}={value}" for name, value in environment.items()), *command, *options],
            folder=folder,
            stop_signal="TERM",
            is_ready=lambda _pid: _is_serving(_log(folder), workers),
        )
        running = RunningPlatform(server)
        try:
            server.start()
            yield running
            server.stop()
            running.require_quiet_log(has_outages=self.has_outages)
        finally:
            server.discard()

    def _settings(self, chosen: dict[str, str]) -> dict[str, str]:
        return {
            "database_url": self.database_url,
            "redis_url": self.redis_url or "",
            "database_transaction_pooling": str(self.is_pooled),
            "cookie_secure": "false",
            "argon2_time_cost": "1",
            "argon2_memory_kib": "8",
            "places_per_account": "0",
            # a shared machine may be slow
            "graphql_timeout_seconds": "60",
            "database_timeout_seconds": "60",
            **{name: "0" for name in Settings.model_fields if name.startswith("rate_limit_")},
            **chosen,
        }


class RunningPlatform:
    """A platform that accepts connections."""

    def __init__(self, server: PrivateServer) -> None:
        self.server = server

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        return _log(self.server.folder)

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        """Return a client with an API key, or without one."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, limits=CONNECTIONS, timeout=60, trust_env=False)

    def require_quiet_log(self, *, has_outages: bool = False) -> None:
        """Require a log without tracebacks and errors: mistakes of callers and expected failures log neither."""
        lines = [line for line in self.log.splitlines() if not (has_outages and OUTAGE in line)]
        assert "Traceback" not in self.log, self.log
        assert not [line for line in lines if "ERROR" in line], self.log


async def new_user_key(client: httpx.AsyncClient, name: str) -> str:
    """Register an account, and return a user key of it."""
    await register(client, name)
    return await new_key(client, name, "user")


async def register(client: httpx.AsyncClient, name: str) -> None:
    account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "number": "01700000000"}
    assert (await client.post("/api/auth/register", json=account)).status_code == 201


async def new_key(client: httpx.AsyncClient, name: str, key_type: str) -> str:
    """Log in, create a key, and drop the session cookie."""
    credentials = {"email": f"{name}@example.com", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=credentials)).status_code == 200
    created = await client.post("/api/keys", json={"name": "Phone", "key_type": key_type})
    client.cookies.clear()
    return str(created.json()["data"]["key"])


@dataclasses.dataclass(frozen=True)
class OnSale:
    """An event with one ticket type."""

    event_id: int
    ticket_type_id: int


async def put_on_sale(admin: httpx.AsyncClient, *, capacity: int) -> OnSale:
    """Publish an event that has ``capacity`` free places."""
    me = (await admin.get("/api/auth/me")).json()["data"]
    organization = await admin.post("/api/organizations", json={"name": "Club", "user_id": me["id"]})
    event = {
        "name": "Fair",
        "organization_id": organization.json()["data"]["id"],
        "ticket_types": [{"name": "Floor", "capacity": capacity}],
    }
    created = (await admin.post("/api/events", json=event)).json()["data"]
    return OnSale(created["id"], created["ticket_types"][0]["id"])


async def places_held(admin: httpx.AsyncClient, sale: OnSale) -> tuple[int, int]:
    """Return the ``sold`` count of the ticket type, and the number of tickets that hold a place."""
    [kind] = (await admin.get("/api/ticket-types", params={"event_id": sale.event_id})).json()["data"]
    held = 0
    for status in ("Pending", "Success"):
        listed = await admin.get("/api/tickets", params={"event_id": sale.event_id, "status": status, "limit": 1})
        held += listed.json()["pagination"]["total"]
    return kind["sold"], held


def _is_serving(log: str, workers: int) -> bool:
    """Return whether every process has started and the port is open."""
    return log.count("Application startup complete") >= workers and "Uvicorn running on" in log


def _log(folder: Path) -> str:
    path = folder / LOG_NAME
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
