"""Protection from cross-site requests: session cookies are checked, API keys are exempt (decisions 2.3)."""

from collections.abc import Callable

import pytest

from tests.support.world import ORIGIN, Caller, World, snapshot

pytestmark = pytest.mark.deep("postgres")  # refused or answered without the database

KEY = '{"name": "made by a page", "key_type": "user"}'
JSON = "application/json"
CREATE_KEY = '{"query": "mutation { createApiKey(input: {name: \\"x\\", keyType: USER}) { id } }"}'

PROGRAM: dict[str, str] = {}  # a script, server-side rendering, an app: neither Origin nor Sec-Fetch-Site
ALLOWED = [
    PROGRAM,
    {"Referer": "https://evil.example/page"},
    {"Origin": ORIGIN},
    {"Origin": "HTTP://TestServer"},
    {"Origin": f"{ORIGIN}:80"},
    {"Origin": f"{ORIGIN}:80", "Host": "testserver:80"},
    {"Origin": ORIGIN, "Host": "TestServer:80"},
    {"Origin": "https://testserver", "Host": "testserver:443"},
    {"Origin": "http://[::1]:8000", "Host": "[::1]:8000"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://app.example"},
    {"Origin": "https://App.example:443"},
    {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://app.example", "Sec-Fetch-Site": "same-site"},
]
FOREIGN = [
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://"},
    {"Origin": "http://", "Host": ""},
    {"Origin": "http://["},
    {"Origin": "http://a]b"},
    {"Origin": "https://evil.example"},
    {"Origin": f"{ORIGIN}:8080"},
    {"Origin": f"{ORIGIN}:443"},
    {"Origin": f"{ORIGIN}.evil.example"},
    {"Origin": "http://eviltestserver"},
    {"Origin": "http://sub.testserver"},
    {"Origin": "http://app.example"},
    {"Origin": "https://app.example:80"},
    {"Origin": "https://app.example.evil.example"},
    {"Origin": "testserver"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "a-word-of-the-future"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
    {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
]
NOT_JSON = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", ""]


@pytest.fixture
async def page(world: World, configure: Callable[..., None]) -> Caller:
    """Return a session, on a platform that allows the pages of one other origin."""
    configure(allowed_origins=frozenset({"https://app.example"}))
    return await world.session(await world.user())


async def _send(caller: Caller, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
    answer = await caller.http.request(method, path, content=body, headers={**caller.headers, **headers})
    content = answer.json()
    failures = content.get("errors") or [{"extensions": content}]
    return answer.status_code, failures[0]["extensions"].get("code", "")


@pytest.mark.parametrize("origin", ALLOWED, ids=str)
async def test_programs_and_pages_of_allowed_origins_may_make_changes(page: Caller, origin: dict[str, str]) -> None:
    assert await _send(page, "POST", "/api/keys", KEY, {"Content-Type": JSON, **origin}) == (201, "")
    assert await _send(page, "POST", "/graphql", CREATE_KEY, {"Content-Type": JSON, **origin}) == (200, "")


@pytest.mark.parametrize("origin", FOREIGN, ids=str)
@pytest.mark.parametrize(("path", "body"), [("/api/keys", KEY), ("/graphql", CREATE_KEY)])
async def test_foreign_origins_are_refused(page: Caller, path: str, body: str, origin: dict[str, str]) -> None:
    before = await snapshot()
    assert await _send(page, "POST", path, body, {"Content-Type": JSON, **origin}) == (403, "CROSS_SITE_REQUEST")
    assert await snapshot() == before


@pytest.mark.parametrize("content_type", NOT_JSON)
@pytest.mark.parametrize(("path", "body"), [("/api/keys", KEY), ("/graphql", CREATE_KEY)])
async def test_a_change_with_a_session_needs_a_json_body(page: Caller, path: str, body: str, content_type: str) -> None:
    before = await snapshot()
    headers = {"Content-Type": content_type} if content_type else {}
    assert await _send(page, "POST", path, body, headers) == (403, "CROSS_SITE_REQUEST")
    assert await snapshot() == before


async def test_the_content_type_may_have_a_charset(page: Caller) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert await _send(page, "POST", "/api/keys", KEY, headers) == (201, "")


@pytest.mark.parametrize("origin", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_put_and_delete_are_refused_from_foreign_origins(
    world: World, page: Caller, method: str, origin: dict[str, str]
) -> None:
    assert page.user is not None
    key = (await world.key(page.user)).key
    assert key is not None
    before = await snapshot()
    body = '{"is_active": false}' if method == "PUT" else ""
    headers = ({"Content-Type": JSON} if body else {}) | origin
    assert await _send(page, method, f"/api/keys/{key.id}", body, headers) == (403, "CROSS_SITE_REQUEST")
    assert await snapshot() == before


async def test_another_site_cannot_log_a_user_out(page: Caller) -> None:
    answer = await _send(page, "POST", "/api/auth/logout", "", {"Origin": "https://evil.example"})
    assert answer == (403, "CROSS_SITE_REQUEST")
    assert (await page.get("/auth/me")).status_code == 200


@pytest.mark.parametrize("content_type", [{}, {"Content-Type": "text/plain"}], ids=str)
async def test_a_request_without_a_body_needs_no_content_type(page: Caller, content_type: dict[str, str]) -> None:
    assert await _send(page, "POST", "/api/auth/logout", "", content_type) == (200, "")


@pytest.mark.parametrize("origin", FOREIGN, ids=str)
async def test_reads_over_rest_are_allowed_from_any_origin(page: Caller, origin: dict[str, str]) -> None:
    assert await _send(page, "GET", "/api/auth/me", "", origin) == (200, "")


QUERY = "/graphql?query={me{id}}"


@pytest.mark.parametrize("headers", ALLOWED, ids=str)
async def test_graphql_answers_get_requests_of_programs_and_allowed_origins(
    page: Caller, headers: dict[str, str]
) -> None:
    assert await _send(page, "GET", QUERY, "", headers) == (200, "")


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_graphql_refuses_get_requests_from_foreign_origins(
    page: Caller, accept: str, headers: dict[str, str]
) -> None:
    assert await _send(page, "GET", QUERY, "", {"Accept": accept, **headers}) == (403, "CROSS_SITE_REQUEST")


@pytest.mark.parametrize("headers", ALLOWED, ids=str)
async def test_a_get_request_never_executes_a_mutation(page: Caller, headers: dict[str, str]) -> None:
    before = await snapshot()
    query = {"query": "mutation { logout { loggedOut } }"}
    change = await page.http.get("/graphql", params=query, headers={**page.headers, **headers})
    assert (change.status_code, change.headers["Allow"]) == (405, "POST")
    assert await snapshot() == before


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_get_requests_without_a_session_are_allowed_from_any_origin(
    world: World, headers: dict[str, str]
) -> None:
    anonymous = Caller(world.http)
    assert await _send(anonymous, "GET", "/graphql?query={__typename}", "", headers) == (200, "")
    assert await _send(await world.user_key(), "GET", QUERY, "", headers) == (200, "")


@pytest.mark.parametrize("origin", FOREIGN, ids=str)
async def test_an_api_key_is_exempt_even_with_a_session_cookie(
    world: World, page: Caller, origin: dict[str, str]
) -> None:
    key = await world.user_key()
    caller = Caller(world.http, headers={**page.headers, **key.headers})
    assert await _send(caller, "POST", "/api/keys", KEY, {"Content-Type": JSON, **origin}) == (201, "")
    assert await _send(caller, "POST", "/graphql", CREATE_KEY, {"Content-Type": JSON, **origin}) == (200, "")
