"""GraphQL over HTTP: methods, bodies, media types, cookies and origins (decisions 2.3, 9.5)."""

import gzip
import json
from collections.abc import Callable

import pytest

from amarevents.models import Session, User
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.settings import Settings
from tests.support.graphql_answers import error_code_and_status, request_error_code
from tests.support.world import ORIGIN, Caller, World, snapshot

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

GRAPHQL_JSON = "application/graphql-response+json"
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MALFORMED_JSON"),
        (b"{", "MALFORMED_JSON"),
        (b"\xff\xfe", "MALFORMED_JSON"),
        (b'{"query": "{ me { id } }", "variables": NaN}', "MALFORMED_JSON"),
        (b'{"query": "\\ud800"}', "MALFORMED_JSON"),
        (b"[" * 2_000, "MALFORMED_JSON"),
        (b"[" * 2_000 + b"]" * 2_000, "MALFORMED_JSON"),
        (b"[" * 70_000, "BODY_TOO_LARGE"),
        (b"null", "BAD_REQUEST"),
        (b"3", "BAD_REQUEST"),
        (b'"x"', "BAD_REQUEST"),
        (b"[]", "BAD_REQUEST"),
        (b'[[{"query": "{ me { id } }"}]]', "BAD_REQUEST"),
        (b"{}", "BAD_REQUEST"),
        (b'{"query": null}', "BAD_REQUEST"),
        (b'{"query": ""}', "BAD_REQUEST"),
        (b'{"query": 3}', "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "variables": []}', "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "variables": "x"}', "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "operationName": 3}', "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "extensions": []}', "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "extensions": "x"}', "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "query": "{ events { items { id } } }"}', "MALFORMED_JSON"),
        (b'{"query": "{ me { id } }", "variables": {"a": [{"b": 1, "b": 2}]}}', "MALFORMED_JSON"),
        (b'{"query": "{ me { id } }", "variables": {"a": %s}}' % (b"[" * 1_000 + b"]" * 1_000), "MALFORMED_JSON"),
        (b'{"query": "{ me { id } }", "variables": {"a": %s}}' % (b"[" * 499 + b"]" * 499), "MALFORMED_JSON"),
        (b'{"query": "{ me { id } }", "variables": {"a": 1e999}}', "MALFORMED_JSON"),
        (b"query={me{id}}", "MALFORMED_JSON"),
        (gzip.compress(b'{"query": "{ me { id } }"}', mtime=0), "MALFORMED_JSON"),
        (b'{"query": "query A { me { id } }", "operationName": "B"}', "BAD_REQUEST"),
        (b'{"query": "fragment A on Query { me { id } }"}', "BAD_REQUEST"),
        (b'{"query": "type A { a: Int }"}', "BAD_REQUEST"),
        (b'{"query": "subscription { me }"}', "BAD_REQUEST"),
        (b'{"query": "#"}', "GRAPHQL_INVALID"),
    ],
)
async def test_invalid_body_is_400(world: World, body: bytes, code: str) -> None:
    response = await world.http.post("/graphql", content=body, headers=JSON_TYPE)
    assert response.status_code == 400
    assert request_error_code(response) == code


@pytest.mark.parametrize("content_type", ["text/plain", "application/graphql", "multipart/form-data; boundary=x", ""])
async def test_other_content_types_are_rejected(world: World, content_type: str) -> None:
    body = json.dumps({"query": "{ events { items { id } } }"}).encode()
    response = await world.http.post("/graphql", content=body, headers={"Content-Type": content_type})
    assert response.status_code == 400
    assert request_error_code(response) == "UNSUPPORTED_MEDIA_TYPE"


async def test_query_can_be_sent_by_get(world: World) -> None:
    event = await world.event(await world.organizer())
    query = {"query": "query($id: ID!) { event(id: $id) { name } }", "variables": json.dumps({"id": event.id})}
    response = await world.http.get("/graphql", params=query)
    assert response.status_code == 200
    assert response.json()["data"] == {"event": {"name": event.name}}


async def test_variables_in_a_url_must_be_json(world: World) -> None:
    response = await world.http.get("/graphql", params={"query": "{ me { id } }", "variables": "{x"})
    assert response.status_code == 400
    assert request_error_code(response) == "MALFORMED_JSON"


async def test_numbers_of_any_length_are_accepted(world: World) -> None:
    body = b'{"query": "{ __typename }", "variables": {"a": %s, "b": -0.%s}}' % (b"9" * 300, b"1" * 6_000)
    assert (await world.http.post("/graphql", content=body, headers=JSON_TYPE)).status_code == 200


async def test_upload_is_rejected(world: World) -> None:
    operations = json.dumps({"query": "mutation($f: String) { __typename }", "variables": {"f": None}})
    form = {"operations": operations, "map": '{"0": ["variables.f"]}'}
    response = await world.http.post("/graphql", data=form, files={"0": b"x"})
    assert (response.status_code, request_error_code(response)) == (400, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("query_string", "code"),
    [
        ("", "BAD_REQUEST"),
        ("?query=", "BAD_REQUEST"),
        ("?query={me{id}}&query={__typename}", "MALFORMED_JSON"),
        ("?query={__typename}&variables={}&variables={}", "MALFORMED_JSON"),
        ("?query={__typename}&variables=[]", "BAD_REQUEST"),
        ("?query={__typename}&variables=3", "BAD_REQUEST"),
        ('?query={__typename}&variables={"a":1,"a":2}', "MALFORMED_JSON"),
        ("?query={__typename}&extensions=[]", "BAD_REQUEST"),
        ("?query={__typename}&extensions=x", "MALFORMED_JSON"),
        ("?query=%FF%FE", "GRAPHQL_INVALID"),
        ("?query=subscription{x}", "BAD_REQUEST"),
    ],
)
async def test_invalid_query_string_is_400(world: World, query_string: str, code: str) -> None:
    response = await world.http.get(f"/graphql{query_string}")
    assert (response.status_code, request_error_code(response)) == (400, code)


async def test_unknown_and_empty_parameters_are_ignored(world: World) -> None:
    url = "/graphql?query={__typename}&variables=&extensions=&operationName=&utm=1&utm=2"
    assert (await world.http.get(url)).json()["data"] == {"__typename": "Query"}


async def test_mutation_by_get_is_405_and_changes_nothing(world: World) -> None:
    caller = await world.session(await world.user())
    before = await snapshot()
    query = {"query": "mutation { logout { loggedOut } }"}
    response = await world.http.get("/graphql", params=query, headers=caller.headers)
    assert (response.status_code, request_error_code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "POST"
    assert await snapshot() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_are_405(world: World, method: str) -> None:
    response = await world.http.request(method, "/graphql")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(("query", "status"), [("{ events { items { id } } }", 200), ("{ nope }", 400), ("{", 400)])
@pytest.mark.parametrize(("accept", "expected"), [(GRAPHQL_JSON, GRAPHQL_JSON), ("*/*", "application/json")])
async def test_response_has_the_requested_media_type(
    world: World, query: str, status: int, accept: str, expected: str
) -> None:
    response = await world.http.post("/graphql", json={"query": query}, headers={"Accept": accept})
    assert (response.status_code, response.headers["Content-Type"]) == (status, f"{expected}; charset=utf-8")


LOGIN = "mutation($input: LoginInput!) { login(input: $input) { username } }"


@pytest.fixture
async def member(world: World, deployment: Settings) -> User:
    """An account with the password "secret123"."""
    hasher = PasswordHasher(deployment)
    digest = await hasher.hash("secret123")
    hasher.close()
    return await world.user(username="rahim", password_hash=digest)


async def test_login_mutation_sets_the_cookie_of_a_new_session(world: World, member: User) -> None:
    response = await world.anonymous.graphql_response(LOGIN, input={"email": member.email, "password": "secret123"})
    assert response.json()["data"] == {"login": {"username": "rahim"}}
    cookie = response.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    caller = Caller(world.http, headers={"Cookie": cookie.partition(";")[0]})
    assert (await caller.graphql("{ me { username auth { method } } }"))["data"]["me"] == {
        "username": "rahim",
        "auth": {"method": "SESSION"},
    }


async def test_cookie_is_secure_if_the_deployment_says_so(
    world: World, member: User, configure: Callable[..., None]
) -> None:
    configure(cookie_secure=True)
    response = await world.anonymous.graphql_response(LOGIN, input={"email": member.email, "password": "secret123"})
    assert "Secure" in response.headers["Set-Cookie"].split("; ")


async def test_failed_login_sets_no_cookie(world: World, member: User) -> None:
    response = await world.anonymous.graphql_response(LOGIN, input={"email": member.email, "password": "wrong-one"})
    assert response.status_code == 200
    assert error_code_and_status(response.json()) == ("INVALID_CREDENTIALS", 401)
    assert "Set-Cookie" not in response.headers
    assert await Session.all().count() == 0


async def test_logout_mutation_ends_the_session_and_clears_the_cookie(world: World) -> None:
    caller = await world.session(await world.user())
    response = await caller.graphql_response("mutation { logout { loggedOut } }")
    assert response.json()["data"] == {"logout": {"loggedOut": True}}
    assert "Max-Age=0" in response.headers["Set-Cookie"]
    assert await Session.all().count() == 0


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}]
)
async def test_session_on_a_foreign_page_changes_nothing(world: World, headers: dict[str, str]) -> None:
    caller = await world.session(await world.user())
    caller.headers |= headers
    before = await snapshot()
    response = await caller.graphql_response("mutation { logout { loggedOut } }")
    assert response.status_code == 403
    assert request_error_code(response) == "CROSS_SITE_REQUEST"
    assert await snapshot() == before


async def test_every_response_has_a_request_id_and_is_not_cached(world: World) -> None:
    for query in ("{ events { items { id } } }", "{ nope }"):
        response = await world.anonymous.graphql_response(query)
        assert response.headers["X-Request-ID"]
        assert response.headers["Cache-Control"] == "no-store"


async def test_json_may_be_nested_500_levels_deep(world: World) -> None:
    body = b'{"query": "{ __typename }", "variables": {"a": %s}}' % (b"[" * 498 + b"]" * 498)
    response = await world.http.post("/graphql", content=body, headers=JSON_TYPE)
    assert response.json()["data"] == {"__typename": "Query"}
