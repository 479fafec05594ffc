"""Behavior common to REST and GraphQL: health, headers, internal errors, body sizes, routes (decisions 1.3)."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.models.db import connection as connection_module
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.resolvers.events import queries
from tests.support.world import World, snapshot

EVENTS = {"query": "{ events { items { id } } }"}
REQUESTS = [
    ("GET", "/api/events", 200),
    ("POST", "/api/auth/register", 400),
    ("GET", "/api/auth/me", 401),
    ("GET", "/api/nothing-here", 404),
    ("DELETE", "/api/events", 405),
    ("GET", "/graphql?query={__typename}", 200),
    ("GET", "/graphql", 400),
    ("PUT", "/graphql", 405),
]


# Health ---------------------------------------------------------------------------------------------------------


async def test_healthy_process_returns_200(http: httpx.AsyncClient) -> None:
    response = await http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert (await http.head("/healthz")).status_code == 200


class _UnavailableDatabase:
    def acquire_connection(self) -> object:
        raise DatabaseUnavailable("connection refused by 10.1.2.3:5432")


class _HangingDatabase:
    @asynccontextmanager
    async def acquire_connection(self) -> AsyncIterator["_HangingDatabase"]:
        yield self

    async def fetch(self, _sql: str) -> None:
        await asyncio.sleep(60)


@pytest.mark.parametrize("connection", [_UnavailableDatabase(), _HangingDatabase()])
async def test_process_without_a_database_returns_503_without_details(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, connection: object
) -> None:
    monkeypatch.setattr(connection_module, "get_connection", lambda _name: connection)
    monkeypatch.setattr(connection_module, "PROBE_SECONDS", 0.05)
    response = await http.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"status": "database unavailable"})


# Headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
async def test_every_response_has_its_own_request_id(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    responses = [await http.request(method, path, headers={"X-Request-ID": "forged"}) for _ in range(2)]
    assert {response.status_code for response in responses} == {status}
    first, second = (response.headers["X-Request-ID"] for response in responses)
    assert len({first, second, "forged"}) == 3


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
async def test_responses_are_json_and_not_cached(http: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    response = await http.request(method, path)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Type"].startswith("application/json")


# Internal errors ------------------------------------------------------------------------------------------------

SECRET = "SELECT * FROM users at 10.1.2.3"


def _raise_in_events(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fail(_ctx: object) -> None:
        raise failure

    monkeypatch.setattr(queries, "visible_events", fail)


async def _request_that_fails(app: Starlette, surface: str) -> tuple[httpx.Response, dict[str, Any]]:
    """Return the response and its error; the application itself must handle the exception."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver") as client:
        if surface == "rest":
            response = await client.get("/api/events")
            return response, response.json()
        response = await client.post("/graphql", json=EVENTS)
        error = response.json()["errors"][0]
        return response, {"error": error["message"], **error["extensions"]}


@pytest.mark.parametrize(("surface", "status"), [("rest", 500), ("graphql", 200)])
async def test_unexpected_exception_is_internal_without_details(
    app: Starlette, monkeypatch: pytest.MonkeyPatch, surface: str, status: int
) -> None:
    _raise_in_events(monkeypatch, RuntimeError(SECRET))
    response, error = await _request_that_fails(app, surface)
    assert (response.status_code, error["code"]) == (status, "INTERNAL")
    for detail in (SECRET, "RuntimeError", "Traceback", "visible_events"):
        assert detail not in response.text


@pytest.mark.parametrize("surface", ["rest", "graphql"])
async def test_unexpected_exception_is_logged_once_with_traceback_and_request_id(
    app: Starlette, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, surface: str
) -> None:
    _raise_in_events(monkeypatch, RuntimeError(SECRET))
    with caplog.at_level(logging.WARNING):
        response, _ = await _request_that_fails(app, surface)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert response.headers["X-Request-ID"] in record.getMessage()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == SECRET


@pytest.mark.parametrize("surface", ["rest", "graphql"])
async def test_unavailable_database_has_its_own_code_and_is_logged_in_one_line(
    app: Starlette, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, surface: str
) -> None:
    _raise_in_events(monkeypatch, DatabaseUnavailable(SECRET))
    with caplog.at_level(logging.WARNING):
        response, error = await _request_that_fails(app, surface)
    assert (response.status_code, error["code"]) == (500 if surface == "rest" else 200, "UNAVAILABLE")
    assert SECRET not in response.text
    [record] = caplog.records
    assert (record.exc_info, response.headers["X-Request-ID"] in record.getMessage()) == (None, True)


async def test_errors_of_callers_are_not_logged(http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for method, path, _ in REQUESTS:
            await http.request(method, path)
        await http.post("/graphql", json={"query": "{ me { id } }"})
    assert caplog.records == []


# Body size ------------------------------------------------------------------------------------------------------


def _limit_bodies(app: Starlette, max_bytes: int) -> None:
    services = app.state.services
    settings = services.settings.model_copy(update={"max_body_bytes": max_bytes, "graphql_max_bytes": max_bytes})
    app.state.services = dataclasses.replace(services, settings=settings)


def _code(response: httpx.Response) -> str:
    body = response.json()
    return str(body["errors"][0]["extensions"]["code"] if "errors" in body else body.get("code"))


@pytest.mark.parametrize("path", ["/api/auth/register", "/graphql"])
async def test_body_over_the_limit_is_400_with_or_without_a_content_length(
    app: Starlette, http: httpx.AsyncClient, path: str
) -> None:
    _limit_bodies(app, 1024)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 100
            yield b" " * 100

    headers = {"Content-Type": "application/json"}
    with_length = await http.post(path, content=b" " * 1025, headers=headers)
    chunked = await http.post(path, content=endless(), headers=headers)
    assert [(response.status_code, _code(response)) for response in (with_length, chunked)] == [
        (400, "BODY_TOO_LARGE")
    ] * 2
    assert sent <= 1200


@pytest.mark.parametrize("path", ["/api/auth/register", "/graphql"])
async def test_body_of_exactly_the_limit_is_accepted(app: Starlette, http: httpx.AsyncClient, path: str) -> None:
    _limit_bodies(app, 1024)
    response = await http.post(path, content=b"{}".ljust(1024), headers={"Content-Type": "application/json"})
    assert (response.status_code, _code(response)) in {(400, "VALIDATION_ERROR"), (400, "BAD_REQUEST")}


# Routes and methods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/nothing-here", "/events//", "/events/1/nothing", "//events", "/EVENTS"])
async def test_unknown_route_is_404_with_an_envelope(http: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        response = await http.request(method, f"http://testserver/api{path}")
        assert (response.status_code, response.json()["code"]) == (404, "UNKNOWN_ROUTE")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/events", "GET, HEAD, POST"),
        ("PATCH", "/api/events/1", "GET, HEAD"),
        ("GET", "/api/auth/login", "POST"),
        ("HEAD", "/api/auth/login", "POST"),
        ("OPTIONS", "/api/keys/1", "DELETE, PUT"),
        ("PUT", "/graphql", "GET, POST"),
    ],
)
async def test_unsupported_method_is_405_with_the_allowed_ones(
    http: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await http.request(method, path)
    assert response.status_code == 405
    assert method == "HEAD" or _code(response) == "METHOD_NOT_ALLOWED"
    assert set(allowed.split(", ")) <= set(response.headers["Allow"].split(", "))
    assert method not in response.headers["Allow"].split(", ")


async def test_head_has_the_headers_of_get(world: World) -> None:
    event = await world.event(await world.organizer())
    for path in (f"/api/events/{event.id}", "/api/events", "/api/events/999", "/api/auth/me"):
        got, head = await world.http.get(path), await world.http.head(path)
        assert (head.status_code, head.headers["Content-Length"]) == (got.status_code, got.headers["Content-Length"])


async def test_head_changes_nothing(world: World) -> None:
    caller = await world.user_key()
    before = await snapshot()
    for path in ("/api/events", "/api/keys", "/api/auth/logout", "/graphql?query={me{id}}"):
        await world.http.head(path, headers=caller.headers)
    assert await snapshot() == before
