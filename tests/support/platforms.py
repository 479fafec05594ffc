"""The platform as an operator runs it: the command line in processes of its own, spoken to over real sockets."""

import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from amarevents.settings import PREFIX
from tests.support.programs import Program
from tests.support.servers import HOST, LOG_NAME, PrivateServer, free_port

ROOT = Path(__file__).parents[2]
CLI = [sys.executable, "-c", "from amarevents.cli.main import main; main()"]
PASSWORD = "secret123"
CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=200)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deployment:
    """A migrated database, and Redis if there is one. Settings are those of the environment: ``rate_limit_user="60"``.

    Unless told otherwise nothing is limited, and passwords cost nothing.
    """

    database_url: str
    redis_url: str | None

    def run(self, *arguments: str, typed: str = "") -> str:
        """What a command of the CLI, which must succeed, prints; ``typed`` is what it reads from its input."""
        settings = {name.upper(): value for name, value in self._settings({}).items()}
        return Program(folder=ROOT, settings=settings).printed(*arguments, typed=typed).strip()

    def create_admin(self) -> str:
        """Create an admin account, and return an admin key of it."""
        account = ["--username", "operator", "--email", "operator@example.com", "--number", "01700000000"]
        self.run("create-admin", *account, "--password-stdin", typed=PASSWORD)
        return self.run("create-key", "--email", "operator@example.com", "--type", "admin")

    @contextmanager
    def serving(self, *, workers: int = 1, **settings: str) -> Iterator["RunningPlatform"]:
        """``amarevents serve`` on a port of its own; ends well, or the test fails."""
        with self.running([*CLI, "serve"], workers=workers, **settings) as running:
            yield running

    @contextmanager
    def running(self, command: Sequence[str], *, workers: int, **settings: str) -> Iterator["RunningPlatform"]:
        """The same for another command that takes ``--port`` and ``--workers``."""
        port = free_port()
        folder = Path(tempfile.mkdtemp(prefix="amarevents-platform-"))
        environment = {f"{PREFIX}{name.upper()}": value for name, value in self._settings(settings).items()}
        environment["PYTHONPATH"] = str(ROOT)  # for where the package has not been installed
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
            running.require_quiet_log()
        finally:
            server.discard()

    def _settings(self, chosen: dict[str, str]) -> dict[str, str]:
        return {
            "database_url": self.database_url,
            "redis_url": self.redis_url or "",
            "cookie_secure": "false",
            "argon2_time_cost": "1",
            "argon2_memory_kib": "8",
            "graphql_timeout_seconds": "60",  # a shared machine may be slow
            **{f"rate_limit_{who}": "0" for who in ("user", "organizer", "admin", "anonymous", "credentials")},
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
        """A client with or without an API key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, limits=CONNECTIONS, timeout=60, trust_env=False)

    def require_quiet_log(self) -> None:
        """No traceback, no error: what callers do wrong, and what is foreseen, is none."""
        assert "Traceback" not in self.log, self.log
        assert "ERROR" not in self.log, self.log


async def new_user_key(client: httpx.AsyncClient, name: str) -> str:
    """A user key of a new account, made as a newcomer would."""
    await register(client, name)
    return await new_key(client, name, "user")


async def register(client: httpx.AsyncClient, name: str) -> None:
    account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "number": "01700000000"}
    assert (await client.post("/api/auth/register", json=account)).status_code == 201


async def new_key(client: httpx.AsyncClient, name: str, key_type: str) -> str:
    """Log in, make a key, and forget the session."""
    credentials = {"email": f"{name}@example.com", "password": PASSWORD}
    assert (await client.post("/api/auth/login", json=credentials)).status_code == 200
    origin = {"Origin": str(client.base_url).rstrip("/")}
    created = await client.post("/api/keys", json={"name": "Phone", "key_type": key_type}, headers=origin)
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
    """What the ticket type says is sold, and how many tickets do hold a place of it."""
    [kind] = (await admin.get("/api/ticket-types", params={"event_id": sale.event_id})).json()["data"]
    held = 0
    for status in ("Pending", "Success"):
        listed = await admin.get("/api/tickets", params={"event_id": sale.event_id, "status": status, "limit": 1})
        held += listed.json()["pagination"]["total"]
    return kind["sold"], held


def _is_serving(log: str, workers: int) -> bool:
    """Every process has started, and somebody listens: a single process does so only after it has started."""
    return log.count("Application startup complete") >= workers and "Uvicorn running on" in log


def _log(folder: Path) -> str:
    path = folder / LOG_NAME
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
