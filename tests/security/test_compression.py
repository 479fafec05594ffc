"""Compression of JSON responses, and the responses whose size must not reveal a secret."""

from collections.abc import Callable

import pytest

from amarevents.models import Event
from amarevents.security import compression
from amarevents.security.compression import MIN_BYTES
from tests.support.world import World, hash_password

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

GZIP = {"Accept-Encoding": "gzip"}
QUERY = {"query": "{ event(id: %s) { description } }"}


@pytest.fixture
async def event(world: World) -> Event:
    """Create an event whose JSON is longer than the minimum."""
    return await world.event(await world.organizer(), description="x" * 3 * MIN_BYTES)


async def test_json_is_compressed_for_clients_that_accept_gzip(world: World, event: Event) -> None:
    response = await world.http.request("GET", f"/api/events/{event.id}", headers=GZIP)
    assert response.headers["Content-Encoding"] == "gzip"
    assert int(response.headers["Content-Length"]) < MIN_BYTES
    assert response.json()["data"]["id"] == event.id


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br", ""])
async def test_other_clients_get_it_as_it_is(world: World, event: Event, accepted: str) -> None:
    response = await world.http.request("GET", f"/api/events/{event.id}", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in response.headers
    assert "Accept-Encoding" in response.headers["Vary"]
    assert response.json()["data"]["id"] == event.id


async def test_small_responses_are_sent_as_they_are(world: World) -> None:
    response = await world.http.request("GET", "/api/events", headers=GZIP)
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_graphql_is_compressed(world: World, event: Event, accept: str) -> None:
    body = {"query": QUERY["query"] % event.id}
    response = await world.http.request("POST", "/graphql", json=body, headers={**GZIP, "Accept": accept})
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(response.json()["data"]["event"]["description"]) == 3 * MIN_BYTES


async def test_errors_are_compressed(world: World) -> None:
    fields = {f"unknown{number}": 1 for number in range(100)}
    response = await world.http.request("POST", "/api/auth/register", json=fields, headers=GZIP)
    assert (response.status_code, response.headers["Content-Encoding"]) == (400, "gzip")
    assert response.json()["code"] == "VALIDATION_ERROR"


async def test_head_has_the_headers_of_get(world: World, event: Event) -> None:
    names = ("Content-Encoding", "Content-Length", "Vary")
    got, asked = [
        (await world.http.request(method, f"/api/events/{event.id}", headers=GZIP)) for method in ("GET", "HEAD")
    ]
    assert {name: got.headers[name] for name in names} == {name: asked.headers[name] for name in names}


async def test_the_tag_of_the_compressed_document_is_weak_and_matches(world: World) -> None:
    response = await world.http.request("GET", "/openapi.json", headers=GZIP)
    assert (response.headers["Content-Encoding"], response.headers["ETag"][:2]) == ("gzip", "W/")
    again = {**GZIP, "If-None-Match": response.headers["ETag"]}
    assert (await world.http.request("GET", "/openapi.json", headers=again)).status_code == 304


async def test_pages_are_not_compressed(world: World) -> None:
    response = await world.http.request("GET", "/confirm-email", headers=GZIP)
    assert "Content-Encoding" not in response.headers


# Secrets --------------------------------------------------------------------------------------------------------


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compress responses of any size."""
    monkeypatch.setattr(compression, "MIN_BYTES", 1)


async def test_new_api_keys_are_not_compressed(world: World, everything: None) -> None:
    caller = await world.user_key()
    headers = {**caller.headers, **GZIP}
    created = await world.http.request("POST", "/api/keys", json={"name": "n", "key_type": "user"}, headers=headers)
    listed = await world.http.request("GET", "/api/keys", headers=headers)
    query = {"query": 'mutation { createApiKey(input: {name: "n", keyType: USER}) { key } }'}
    by_graphql = await world.http.request("POST", "/graphql", json=query, headers=headers)
    encodings = [one.headers.get("Content-Encoding") for one in (created, by_graphql, listed)]
    assert encodings == [None, None, "gzip"]
    assert created.headers["Cache-Control"] == by_graphql.headers["Cache-Control"] == "no-store, no-transform"


async def test_session_tokens_are_not_compressed(world: World, everything: None) -> None:
    await world.user(email="mina@example.com", password_hash=hash_password("secret123"))
    login = {"email": "mina@example.com", "password": "secret123", "token": True}
    response = await world.http.request("POST", "/api/auth/login", json=login, headers=GZIP)
    assert response.json()["data"]["token"].startswith("ae_s_")
    assert response.headers["Cache-Control"] == "no-store, no-transform"


@pytest.mark.parametrize(
    ("headers", "is_compressed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://app.example"}, True),
        ({"Origin": "HTTPS://app.example:443"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({}, False),
    ],
)
async def test_answers_to_a_session_are_compressed_for_pages_of_the_own_site_only(
    world: World, event: Event, configure: Callable[..., None], headers: dict[str, str], is_compressed: bool
) -> None:
    configure(allowed_origins=frozenset({"https://app.example"}))
    session = await world.session(await world.user())
    response = await world.http.request(
        "GET", f"/api/events/{event.id}", headers={**session.headers, **GZIP, **headers}
    )
    assert ("Content-Encoding" in response.headers) == is_compressed


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
async def test_answers_to_keys_are_compressed_from_anywhere(world: World, event: Event, header: str) -> None:
    """The key counts, even if there is a session cookie as well."""
    key, session = await world.user_key(), await world.session(await world.user())
    credential = key.headers["Authorization"].removeprefix("" if header == "Authorization" else "Bearer ")
    headers = {**session.headers, **GZIP, header: credential, "Origin": "https://evil.example"}
    response = await world.http.request("GET", f"/api/events/{event.id}", headers=headers)
    assert response.headers["Content-Encoding"] == "gzip"
