"""Clients that follow the contract alone: a cookie jar or nothing, and no special headers (decisions 2.3)."""

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.security.auth.sessions import COOKIE_NAME
from tests.support.conformance import conforming_client
from tests.support.rest_answers import data_of
from tests.support.world import World, hash_password

CREDENTIALS = {"email": "rokeya@example.com", "password": "secret123"}
EVENT = "mutation($input: CreateEventInput!) { createEvent(input: $input) { id } }"


@pytest.fixture
async def rokeya(world: World) -> None:
    """An organizer with an organization."""
    user = await world.organizer(username="rokeya", password_hash=hash_password("secret123"))
    await world.organization(user, id=1)


async def _graphql(client: httpx.AsyncClient, query: str, **variables: object) -> dict[str, object]:
    answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    data: dict[str, object] = answer["data"]
    return data


async def test_a_cookie_jar_is_all_that_a_script_needs_over_rest(http: httpx.AsyncClient, rokeya: None) -> None:
    data_of(await http.post("/api/auth/login", json=CREDENTIALS))
    event = data_of(await http.post("/api/events", json={"name": "Boi Mela", "organization_id": 1}), 201)
    data_of(await http.put(f"/api/events/{event['id']}", json={"notice": "Hall 2"}))
    data_of(await http.post("/api/tickets", json={"event_id": event["id"]}), 201)
    key = data_of(await http.post("/api/keys", json={"name": "App", "key_type": "organizer"}), 201)
    data_of(await http.put("/api/users/me", json={"country": "Bangladesh"}))
    data_of(await http.delete(f"/api/keys/{key['id']}"))
    data_of(await http.post("/api/auth/logout"))
    assert COOKIE_NAME not in http.cookies
    assert (await http.get("/api/auth/me")).status_code == 401


async def test_a_cookie_jar_is_all_that_a_script_needs_over_graphql(http: httpx.AsyncClient, rokeya: None) -> None:
    await _graphql(http, "mutation($input: LoginInput!) { login(input: $input) { id } }", input=CREDENTIALS)
    await _graphql(http, EVENT, input={"name": "Boi Mela", "organizationId": "1"})
    await _graphql(http, 'mutation { createApiKey(input: {name: "App", keyType: ORGANIZER}) { key } }')
    await _graphql(http, 'mutation { updateMe(input: {country: "Bangladesh"}) { id } }')
    by_get = await http.get("/graphql", params={"query": "{ me { username } }"})
    assert by_get.json()["data"] == {"me": {"username": "rokeya"}}
    await _graphql(http, "mutation { logout { loggedOut } }")
    assert (await http.get("/api/auth/me")).status_code == 401


async def test_logging_in_again_works_in_the_same_cookie_jar(http: httpx.AsyncClient, rokeya: None) -> None:
    for _ in range(3):
        data_of(await http.post("/api/auth/login", json=CREDENTIALS))
        data_of(await http.get("/api/auth/me"))
    cookies = [cookie for cookie in http.cookies.jar if cookie.name == COOKIE_NAME]
    assert len(cookies) == 1


@pytest.mark.parametrize("value", ["stale", "x" * 43])
async def test_logging_in_works_with_a_stale_cookie(http: httpx.AsyncClient, rokeya: None, value: str) -> None:
    http.cookies.set(COOKIE_NAME, value, domain="testserver.local", path="/")
    data_of(await http.post("/api/auth/login", json=CREDENTIALS))
    data_of(await http.post("/api/keys", json={"name": "App", "key_type": "user"}), 201)


async def test_a_server_that_renders_pages_forwards_the_cookie_of_its_visitor(
    app: Starlette, http: httpx.AsyncClient, rokeya: None
) -> None:
    """The visitor's browser talks to the rendering server, which sends the API nothing but the cookie."""
    data_of(await http.post("/api/auth/login", json=CREDENTIALS))
    cookie = {"Cookie": f"{COOKIE_NAME}={http.cookies[COOKIE_NAME]}"}
    async with conforming_client(app, address="10.0.0.9") as renderer:
        profile = await renderer.get("/api/users/me", headers=cookie)
        assert data_of(profile)["username"] == "rokeya"
        page = await renderer.post("/graphql", json={"query": "{ me { username } }"}, headers=cookie)
        assert page.json()["data"]["me"] == {"username": "rokeya"}
        created = await renderer.post("/api/events", json={"name": "Adda", "organization_id": 1}, headers=cookie)
        data_of(created, 201)
        assert (await renderer.get("/api/users/me")).status_code == 401  # the next visitor is anonymous


async def test_a_program_without_a_cookie_jar_uses_a_token(app: Starlette, rokeya: None) -> None:
    async with conforming_client(app) as program:
        login = await program.post("/api/auth/login", json={**CREDENTIALS, "token": True})
        program.headers["Authorization"] = f"Bearer {data_of(login)['token']}"
        assert not program.cookies
        data_of(await program.post("/api/events", json={"name": "Adda", "organization_id": 1}), 201)
        await _graphql(program, EVENT, input={"name": "Boi Mela", "organizationId": "1"})
        data_of(await program.post("/api/auth/logout"))
        assert (await program.get("/api/events")).status_code == 401
