"""Cross-origin resource sharing: which answers pages of other origins may read (decisions 2.3b)."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.support.graphql_answers import request_error_code
from tests.support.world import ORIGIN, Caller, World, snapshot

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

Configure = Callable[..., None]

ANY = {"Origin": "https://anywhere.example"}
ALLOWED = {"Origin": "https://app.example"}
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,traceparent",
}
API = ["/api/events", "/api/tickets/1/verify", "/api/nowhere", "/graphql", "/graphql/", "/openapi.json"]
EXPOSED = {
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-RateLimit-Type",
    "Retry-After",
    "X-Request-ID",
    "ETag",
    "Idempotency-Replayed",
}


@pytest.fixture(autouse=True)
def _one_allowed_origin(configure: Configure) -> None:
    configure(allowed_origins=frozenset({"https://app.example"}))


def cors_of(response: httpx.Response) -> dict[str, str]:
    """Return the CORS headers of a response by the rest of their names."""
    prefix = "access-control-"
    return {name.removeprefix(prefix): value for name, value in response.headers.items() if name.startswith(prefix)}


def require_readable(response: httpx.Response, headers: dict[str, str]) -> None:
    """Require that a page of the origin in ``headers`` may read the response, and with a cookie only if allowed."""
    cors = cors_of(response)
    assert set(cors["expose-headers"].split(", ")) >= EXPOSED
    assert "Origin" in response.headers["Vary"].split(", ")
    if headers == ALLOWED:
        assert (cors["allow-origin"], cors["allow-credentials"]) == (ALLOWED["Origin"], "true")
    else:
        assert cors["allow-origin"] == "*"
        assert "allow-credentials" not in cors


@pytest.mark.parametrize("path", API)
@pytest.mark.parametrize("origin", [ANY, ALLOWED, {"Origin": "null"}, {"Origin": ORIGIN}], ids=str)
async def test_preflights_are_204_and_allow_what_is_requested(
    http: httpx.AsyncClient, path: str, origin: dict[str, str]
) -> None:
    response = await http.options(path, headers={**origin, **PREFLIGHT})
    cors = cors_of(response)
    assert (response.status_code, response.content) == (204, b"")
    assert cors["allow-headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert {"GET", "POST", "PUT", "DELETE"} <= set(cors["allow-methods"].split(", "))
    assert int(cors["max-age"]) > 0
    assert cors["allow-origin"] == (origin["Origin"] if origin == ALLOWED else "*")
    assert ("allow-credentials" in cors) is (origin == ALLOWED)


async def test_preflights_cost_nothing(world: World, configure: Configure) -> None:
    configure(rate_limit_anonymous=1)
    for path in API:
        for _ in range(3):
            preflight = await world.http.options(path, headers={**ANY, **PREFLIGHT, "Authorization": "Bearer x"})
            assert preflight.status_code == 204
            assert "X-RateLimit-Limit" not in preflight.headers
    assert (await world.anonymous.get("/events")).status_code == 200


async def test_other_options_requests_are_405(http: httpx.AsyncClient) -> None:
    assert (await http.options("/api/events", headers=ANY)).status_code == 405


async def test_pages_are_not_shared(http: httpx.AsyncClient) -> None:
    for path in ("/", "/docs", "/confirm-email?token=x"):
        assert not cors_of(await http.get(path, headers=ANY))
        assert (await http.options(path, headers={**ANY, **PREFLIGHT})).status_code != 204


Answer = Callable[[World, dict[str, str]], Awaitable[httpx.Response]]


async def _get(world: World, path: str, headers: dict[str, str]) -> httpx.Response:
    return await world.http.get(path, headers=headers)


async def _with_key(world: World, headers: dict[str, str]) -> httpx.Response:
    return await _get(world, "/api/auth/me", {**(await world.user_key()).headers, **headers})


async def _with_wrong_key(world: World, headers: dict[str, str]) -> httpx.Response:
    return await _get(world, "/api/events", {"Authorization": "Bearer wrong", **headers})


async def _forbidden(world: World, headers: dict[str, str]) -> httpx.Response:
    return await _get(world, "/api/admin/stats", {**(await world.user_key()).headers, **headers})


async def _graphql(world: World, headers: dict[str, str]) -> httpx.Response:
    return await world.http.post("/graphql", json={"query": "{ events { items { id } } }"}, headers=headers)


async def _event_stream(world: World, headers: dict[str, str]) -> httpx.Response:
    return await _graphql(world, {**headers, "Accept": "text/event-stream"})


async def _created(world: World, headers: dict[str, str]) -> httpx.Response:
    key = {**(await world.user_key()).headers, **headers}
    return await world.http.post("/api/keys", json={"name": "k", "key_type": "user"}, headers=key)


ANSWERS: dict[str, tuple[int, Answer]] = {
    "REST": (200, lambda world, headers: _get(world, "/api/events", headers)),
    "with a key": (200, _with_key),
    "created": (201, _created),
    "bad request": (400, lambda world, headers: _get(world, "/api/events?page=x", headers)),
    "wrong key": (401, _with_wrong_key),
    "forbidden": (403, _forbidden),
    "not found": (404, lambda world, headers: _get(world, "/api/events/1", headers)),
    "unknown route": (404, lambda world, headers: _get(world, "/api/nowhere", headers)),
    "wrong method": (405, lambda world, headers: world.http.patch("/api/events", headers=headers)),
    "GraphQL": (200, _graphql),
    "GraphQL by GET": (200, lambda world, headers: _get(world, "/graphql?query={__typename}", headers)),
    "GraphQL that is refused": (400, lambda world, headers: _get(world, "/graphql", headers)),
    "event stream": (200, _event_stream),
    "OpenAPI": (200, lambda world, headers: _get(world, "/openapi.json", headers)),
}


@pytest.mark.parametrize("origin", [{}, ANY, ALLOWED], ids=str)
@pytest.mark.parametrize(("status", "answer"), ANSWERS.values(), ids=ANSWERS)
async def test_every_answer_can_be_read_from_any_origin(
    world: World, origin: dict[str, str], status: int, answer: Answer
) -> None:
    response = await answer(world, origin)
    assert response.status_code == status
    require_readable(response, origin)


@pytest.mark.parametrize("path", ["/api/events", "/graphql?query={__typename}"])
async def test_a_refusal_by_the_rate_limit_can_be_read(world: World, configure: Configure, path: str) -> None:
    configure(rate_limit_anonymous=1)
    await _get(world, path, ANY)
    response = await _get(world, path, ANY)
    assert response.status_code == 429
    require_readable(response, ANY)


async def test_a_crash_can_be_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amarevents.security.middleware.authenticate_request", None)
    for path in ("/api/events", "/graphql?query={__typename}"):
        response = await _get(world, path, ANY)
        assert response.status_code == 500
        require_readable(response, ANY)


async def test_without_allowed_origins_answers_do_not_vary(world: World, configure: Configure) -> None:
    configure(allowed_origins=frozenset())
    response = await world.http.get("/api/events", headers=ALLOWED)
    assert cors_of(response)["allow-origin"] == "*"
    assert "Origin" not in response.headers.get("Vary", "")


@pytest.fixture
async def member(world: World) -> Caller:
    return await world.session(await world.user())


@pytest.mark.parametrize("path", ["/api/auth/me", "/graphql?query={me{id}}", "/api/tickets"])
async def test_a_page_of_another_origin_cannot_read_with_the_cookie(member: Caller, path: str) -> None:
    """Browsers keep an answer to a request with credentials from the page unless it allows credentials."""
    response = await member.http.get(path, headers={**member.headers, **ANY})
    require_readable(response, ANY)


async def test_a_page_of_another_origin_cannot_change_anything_with_the_cookie(member: Caller) -> None:
    before = await snapshot()
    rest = await member.http.post("/api/auth/logout", headers={**member.headers, **ANY})
    graphql = await member.http.post(
        "/graphql", json={"query": "mutation { logout { loggedOut } }"}, headers={**member.headers, **ANY}
    )
    assert (rest.status_code, rest.json()["code"]) == (403, "CROSS_SITE_REQUEST")
    assert request_error_code(graphql) == "CROSS_SITE_REQUEST"
    assert await snapshot() == before


async def test_a_page_of_an_allowed_origin_works_with_the_cookie(member: Caller) -> None:
    headers = {**member.headers, **ALLOWED}
    response = await member.http.get("/graphql?query={me{id}}", headers=headers)
    assert response.json()["data"]["me"]
    require_readable(response, ALLOWED)
    created = await member.http.post("/api/keys", json={"name": "k", "key_type": "user"}, headers=headers)
    assert created.status_code == 201
    require_readable(created, ALLOWED)
