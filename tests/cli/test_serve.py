"""The command ``serve``: the demo, the loss of the database, and several workers."""

import re
import socket
from pathlib import Path

import pytest

from tests.support.postgres_server import private_postgres
from tests.support.programs import Program


def _credentials(printed: str) -> dict[str, str]:
    """Return the credentials that the demo prints, by their labels."""
    found = re.findall(r"^  (login|user key|organizer key|admin key) +(.+)$", printed, re.MULTILINE)
    return dict(found)


def test_demo_keeps_its_data_after_a_restart(program: Program) -> None:
    with program.serving("--demo") as server:
        first = _credentials(server.printed())
        total = server.client.get("/api/events").json()["pagination"]["total"]
        key = {"Authorization": f"Bearer {first['admin key']}"}
        plan = server.client.post("/api/keys", json={"name": "kept", "key_type": "admin"}, headers=key)
        assert (total > 5, plan.status_code) == (True, 201)
    with program.serving("--demo") as server:
        second = _credentials(server.printed())
        assert set(first) == set(second) == {"login", "user key", "organizer key", "admin key"}
        assert server.client.get("/api/events").json()["pagination"]["total"] == total
        assert "The database was empty" not in server.printed()
        for kind in ("user", "organizer", "admin"):
            key = {"Authorization": f"Bearer {second[f'{kind} key']}"}
            assert server.client.get("/api/auth/me", headers=key).json()["data"]["auth"]["key_type"] == kind
        names = [one["name"] for one in server.client.get("/api/keys", headers=key).json()["data"]]
        assert "kept" in names
        email, password, role = second["login"].split()
        assert role == "(organizer)"
        login = server.client.post("/api/auth/login", json={"email": email, "password": password})
        assert login.status_code == 200


@pytest.mark.backend("sqlite")
def test_demo_prints_no_credentials_for_a_database_with_other_users(ready: Program) -> None:
    with ready.serving("--demo") as server:
        assert _credentials(server.printed()) == {}
        assert "ae_" not in server.printed()
        assert server.client.get("/api/events").json()["pagination"]["total"] == 0
        assert "/graphql (open this in a browser to try it)" in server.printed()


ACCOUNT = {"username": "Mina", "email": "mina@example.com", "password": "correct horse", "number": "01700000000"}


def _emails_after_registering(program: Program, *arguments: str) -> str:
    """Return the list of emails after an account was registered on a server that the program has started."""
    with program.serving(*arguments) as server:
        assert server.client.post("/api/auth/register", json=ACCOUNT).status_code == 201
    return program.printed("outbox")


@pytest.mark.backend("sqlite")
def test_emails_are_confirmed_by_default(ready: Program) -> None:
    assert re.search(r"held .* confirm_email .* mina@example\.com", _emails_after_registering(ready))


@pytest.mark.backend("sqlite")
def test_emails_are_not_confirmed_with_the_demo_data(program: Program) -> None:
    assert "mina@example.com" not in _emails_after_registering(program, "--demo")


@pytest.mark.backend("sqlite")
def test_the_setting_decides_whether_emails_are_confirmed(program: Program, ready: Program) -> None:
    demo = Program(folder=program.folder, settings={"CONFIRM_EMAIL": "true"})
    assert "mina@example.com" in _emails_after_registering(demo, "--demo")
    installed = Program(folder=ready.folder, settings={"CONFIRM_EMAIL": "false"})
    assert "mina@example.com" not in _emails_after_registering(installed)


@pytest.mark.backend("sqlite")
def test_idle_connections_are_closed_after_the_time_in_the_setting(ready: Program) -> None:
    with Program(folder=ready.folder, settings={"KEEP_ALIVE_SECONDS": "1"}).serving() as server:
        url = server.client.base_url
        with socket.create_connection((url.host, url.port), timeout=30) as connection:  # less than the default
            connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: {url.host}\r\n\r\n".encode())
            received = b"".join(iter(lambda: connection.recv(4096), b""))
    assert received.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.backend("postgres")
def test_server_recovers_from_the_loss_of_its_database(tmp_path: Path) -> None:
    with private_postgres() as postgres:
        program = Program(folder=tmp_path, settings={"DATABASE_URL": postgres.create_database()})
        program.printed("migrate")
        with program.serving() as server:
            postgres.stop()
            assert server.client.get("/healthz").status_code == 503
            response = server.client.get("/api/events")
            assert (response.status_code, response.json()["code"]) == (500, "UNAVAILABLE")
            postgres.start()
            assert {server.client.get("/healthz").status_code for _ in range(3)} == {200}
            assert server.client.get("/api/events").status_code == 200


@pytest.mark.backend("postgres")
def test_workers_share_rate_limits_through_redis(program: Program, redis_url: str) -> None:
    settings = {**program.settings, "REDIS_URL": redis_url, "RATE_LIMIT_ANONYMOUS": "7"}
    program.printed("migrate")
    with Program(folder=program.folder, settings=settings).serving("--workers", "2") as server:
        statuses = []
        for _ in range(12):
            response = server.client.get("/api/events", headers={"Connection": "close"})
            statuses.append(response.status_code)
    assert statuses == [200] * 7 + [429] * 5
