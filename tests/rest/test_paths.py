"""Paths below ``/api``: each is answered with an envelope, even with unusual characters (decisions 1.3, 1.6, 1.12)."""

import asyncio

import orjson
import pytest
from starlette.applications import Starlette

from tests.rest.conftest import Stage
from tests.support.local_server import serve_in_process
from tests.support.rest_answers import data_of, error_in
from tests.support.world import World

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

STRANGE_PATHS = (
    *("/api", "/api/", "/api//", "/api//events", "/api/events//", "/api/foo%0Abar", "/api/%0A", "/api/%00", "/api/%FF"),
    *(
        "/api/events%2F",
        "/api/events%2F1",
        "/api%2Fevents",
        "/api/\u09ac\u0987",
        "/api/" + "x" * 5_000,
        "/api/" + "/" * 5_000,
    ),
    *("/api/events/1/fields/x", "/api/..%2Fevents", "/api/users/me%0D%0Ax"),
)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_unknown_path_is_answered_with_an_envelope(world: World, method: str) -> None:
    for path in STRANGE_PATHS:
        error_in(await world.anonymous.http.request(method, path), 404, "UNKNOWN_ROUTE")


@pytest.mark.parametrize("ending", ["/", "%0D%0A", "%20", "%09/"])
async def test_trailing_slash_and_line_end_name_the_same_route(world: World, stage: Stage, ending: str) -> None:
    event = data_of(await stage.organizer.get(f"/events/{stage.event.id}"))
    assert data_of(await stage.organizer.get(f"/events/{stage.event.id}{ending}")) == event
    assert data_of(await stage.organizer.get(f"/events{ending}")) == data_of(await stage.organizer.get("/events"))
    ticket_type = {"name": "VIP", "event_id": stage.event.id}
    created = data_of(await stage.organizer.post(f"/ticket-types{ending}", ticket_type), 201)
    data_of(await stage.organizer.put(f"/ticket-types/{created['id']}{ending}", {"name": "Standing"}))
    data_of(await stage.organizer.delete(f"/ticket-types/{created['id']}{ending}"))
    error_in(await world.anonymous.http.request("PATCH", f"/api/events{ending}"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("line_end", ["%0D%0A", "%0A", "%0D", "%20%0D%0A"])
async def test_code_from_a_hand_scanner_is_verified(world: World, stage: Stage, line_end: str) -> None:
    """Scanners append a line end to what they read (decisions 1.12)."""
    ticket = await world.ticket(stage.event, stage.buyer_account)
    for reference in (ticket.code, ticket.id):
        verified = data_of(await stage.organizer.post(f"/tickets/{reference}{line_end}/verify"))
        assert verified["ticket_id"] == ticket.id


@pytest.mark.parametrize("code", ["https%3A%2F%2Fexample.com%2Fa", "A%2FB", "%2F", "%25", "%3F", "%23"])
async def test_code_with_reserved_characters_is_a_code(stage: Stage, code: str) -> None:
    error_in(await stage.organizer.post(f"/tickets/{code}/verify"), 404, "NOT_FOUND")


@pytest.mark.parametrize("name", ["0", "-1", "01", "+1", "1.0", "1e0", "%E0%A7%A7", "x", "9" * 30, "9" * 5_000, "%00"])
async def test_text_that_is_not_an_id_is_not_found(stage: Stage, name: str) -> None:
    for path in ("/events", "/organizations", "/tickets", "/admin/users"):
        error_in(await stage.admin.get(f"{path}/{name}"), 404, "NOT_FOUND")


async def _raw_request(address: str, target: str) -> tuple[int, bytes]:
    """Send a request line as it is, which HTTP clients would normalize, and return the status and the body."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), body


async def test_paths_over_a_socket_are_answered_with_an_envelope(app: Starlette, stage: Stage) -> None:
    async with serve_in_process(app) as address:
        for target in ("/api", "/api/", "/api//", "/api/../events", "/api/./events", "/api/a%0Ab", "/api/%ff%00"):
            status, body = await _raw_request(address, target)
            assert (status, orjson.loads(body)["code"]) == (404, "UNKNOWN_ROUTE"), target
        for target in (
            f"/api/events/{stage.event.id}/",
            f"/api/ev%65nts/{stage.event.id}%0D%0A",
            "/api/events?limit=1000",
        ):
            status, body = await _raw_request(address, target)
            assert (status, orjson.loads(body)["success"]) == (200, True), target
