"""Sessions whose ID is sent as a token, for programs that keep no cookies (decisions 2.3a)."""

import datetime
import re

import httpx
import pytest

from amarevents.models import Session, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.security.auth.sessions import COOKIE_NAME
from tests.support.graphql_answers import error_code_and_status, request_error_code
from tests.support.rest_answers import data_of, error_in, refused
from tests.support.world import Caller, World, hash_password, snapshot

PASSWORD = "correct horse"
CREDENTIALS = {"email": "karim@example.com", "password": PASSWORD}
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { id token } }"
TOKEN = re.compile(r"ae_s_[A-Za-z0-9_-]{43}")


@pytest.fixture
async def karim(world: World) -> User:
    return await world.organizer(username="Karim", password_hash=hash_password(PASSWORD))


async def log_in(world: World, **headers: str) -> str:
    response = await world.anonymous.post("/auth/login", {**CREDENTIALS, "token": True}, **headers)
    assert "Set-Cookie" not in response.headers
    token = data_of(response)["token"]
    assert TOKEN.fullmatch(token)
    return str(token)


def with_token(world: World, token: str, **headers: str) -> Caller:
    return Caller(world.http, headers={"Authorization": f"Bearer {token}", **headers})


async def status_of(caller: Caller) -> int:
    return (await caller.get("/auth/me")).status_code


async def test_login_returns_a_token_and_sets_no_cookie(world: World, karim: User) -> None:
    token = await log_in(world)
    auth = data_of(await with_token(world, token).get("/auth/me"))["auth"]
    assert (auth["method"], auth["key_id"], auth["key_type"]) == ("session", None, "organizer")
    assert token.removeprefix("ae_s_") not in repr(await snapshot())


async def test_login_over_graphql_returns_the_same_kind_of_token(world: World, karim: User) -> None:
    response = await world.anonymous.graphql_response(LOGIN, input={**CREDENTIALS, "token": True})
    assert "Set-Cookie" not in response.headers
    token = response.json()["data"]["login"]["token"]
    assert TOKEN.fullmatch(token)
    me = await with_token(world, token).graphql("{ me { id auth { method } } }")
    assert me["data"]["me"] == {"id": str(karim.id), "auth": {"method": "SESSION"}}


@pytest.mark.parametrize("asked", [{}, {"token": False}, {"token": None}], ids=str)
async def test_login_without_it_has_no_token(http: httpx.AsyncClient, karim: User, asked: dict[str, object]) -> None:
    response = await http.post("/api/auth/login", json={**CREDENTIALS, **asked})
    assert data_of(response)["token"] is None
    assert COOKIE_NAME in response.cookies
    http.cookies.clear()
    variables = {"input": {**CREDENTIALS, **asked}}
    response = await http.post("/graphql", json={"query": LOGIN, "variables": variables})
    assert response.json()["data"]["login"] == {"id": str(karim.id), "token": None}
    assert COOKIE_NAME in response.cookies


@pytest.mark.parametrize("value", [3, "perhaps", [], {}], ids=str)
async def test_token_must_be_a_boolean(world: World, karim: User, value: object) -> None:
    fields = await refused(
        world.anonymous.post("/auth/login", {**CREDENTIALS, "token": value}), 400, "VALIDATION_ERROR"
    )
    assert fields.keys() == {"token"}


async def test_a_wrong_password_returns_no_token(world: World, karim: User) -> None:
    wrong = {**CREDENTIALS, "password": "wrong horse", "token": True}
    await refused(world.anonymous.post("/auth/login", wrong), 401, "INVALID_CREDENTIALS")


async def test_a_token_has_the_rights_of_the_session_on_both_surfaces(world: World, karim: User) -> None:
    caller = with_token(world, await log_in(world))
    event = await world.event(karim)
    data_of(await caller.put(f"/events/{event.id}", {"notice": "Bring an umbrella"}))
    data_of(await caller.post("/keys", {"name": "Scanner", "key_type": "organizer"}), 201)
    data_of(await caller.post("/tickets", {"event_id": event.id}), 201)
    answer = await caller.graphql(
        f'mutation {{ updateEvent(id: {event.id}, input: {{notice: "Come early"}}) {{ id }} }}'
    )
    assert "errors" not in answer
    error_in(await caller.get("/admin/stats"), 403, "WRONG_KEY_TYPE")


async def test_cookie_and_token_sessions_share_the_limit_of_the_account(world: World, karim: User) -> None:
    cookie, token = await world.session(karim), await world.token_session(karim)
    remaining = [
        int((await caller.get("/auth/me")).headers["X-RateLimit-Remaining"]) for caller in (cookie, token, cookie)
    ]
    assert remaining == [remaining[0], remaining[0] - 1, remaining[0] - 2]


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_token_is_exempt_from_cross_site_checks(world: World, karim: User, origin: str) -> None:
    cookie = (await world.session(karim)).headers["Cookie"]
    caller = with_token(world, await log_in(world), Origin=origin, Cookie=cookie)
    data_of(await caller.post("/keys", {"name": "k", "key_type": "user"}), 201)
    assert "errors" not in await caller.graphql('mutation { createApiKey(input: {name: "k", keyType: USER}) { id } }')
    by_get = await world.http.get("/graphql?query={me{id}}", headers=caller.headers)
    assert by_get.json()["data"]["me"]
    assert await status_of(caller) == 200


WRONG = ["ae_s_", "ae_s_x", f"ae_s_{'a' * 43}", f"ae_s_{'a' * 44}", f"ae_s_{'é' * 43}", f"ae_s_{'a' * 42}!", "AE_S_x"]


@pytest.mark.parametrize("token", WRONG)
@pytest.mark.parametrize("path", ["/api/events", "/api/auth/me", "/graphql?query={__typename}"])
async def test_a_wrong_token_is_401_on_public_routes_too(world: World, karim: User, token: str, path: str) -> None:
    cookie = (await world.session(karim)).headers["Cookie"]
    headers = {b"Authorization": f"Bearer {token}".encode(), b"Cookie": cookie.encode()}
    response = await world.http.get(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_logout_ends_the_token_and_sets_no_cookie(world: World, karim: User) -> None:
    here, elsewhere = with_token(world, await log_in(world)), with_token(world, await log_in(world))
    response = await here.post("/auth/logout")
    assert data_of(response) == {"logged_out": True}
    assert "Set-Cookie" not in response.headers
    error_in(await here.get("/events"), 401, "INVALID_SESSION")
    assert error_code_and_status(await here.graphql("{ __typename }")) == ("INVALID_SESSION", 401)
    assert await status_of(elsewhere) == 200


async def test_logout_over_graphql_ends_the_token(world: World, karim: User) -> None:
    caller = with_token(world, await log_in(world))
    document = "mutation { logout { loggedOut } again: logout { loggedOut } }"
    answer = await caller.graphql(document)
    assert answer["data"] == {"logout": {"loggedOut": True}, "again": {"loggedOut": True}}
    assert request_error_code(await caller.graphql_response(document)) == "INVALID_SESSION"


async def test_an_expired_token_is_401(world: World, karim: User) -> None:
    caller = await world.token_session(karim)
    await Session.all().update(expires_at=utc_now() - datetime.timedelta(seconds=1))
    error_in(await caller.get("/auth/me"), 401, "INVALID_SESSION")


async def test_a_password_change_ends_the_other_tokens_and_cookies(world: World, karim: User) -> None:
    change = {"password": "battery staple", "current_password": PASSWORD}
    here, token, cookie = await world.token_session(karim), await world.token_session(karim), await world.session(karim)
    response = await here.put("/users/me", change)
    assert data_of(response)["id"] == karim.id
    assert "Set-Cookie" not in response.headers
    assert [await status_of(caller) for caller in (here, token, cookie)] == [200, 401, 401]


async def test_a_password_change_by_cookie_ends_the_tokens(world: World, karim: User) -> None:
    token = await world.token_session(karim)
    change = {"password": "battery staple", "current_password": PASSWORD}
    data_of(await (await world.session(karim)).put("/users/me", change))
    world.http.cookies.clear()
    assert await status_of(token) == 401


async def test_login_with_a_token_replaces_it_but_not_the_cookie(world: World, karim: User) -> None:
    cookie = await world.session(karim)
    first = await log_in(world, Cookie=cookie.headers["Cookie"])
    second = await log_in(world, Authorization=f"Bearer {first}")
    callers = [cookie, with_token(world, first), with_token(world, second)]
    assert [await status_of(caller) for caller in callers] == [200, 401, 200]


async def test_login_for_a_cookie_does_not_end_a_token(world: World, karim: User) -> None:
    caller = await world.token_session(karim)
    data_of(await caller.post("/auth/login", CREDENTIALS))
    world.http.cookies.clear()
    assert await status_of(caller) == 200


async def test_a_document_that_logs_in_twice_leaves_the_last_session(world: World, karim: User) -> None:
    login = f'login(input: {{email: "{karim.email}", password: "{PASSWORD}"%s}}) {{ token }}'
    document = f"mutation {{ a: {login % ''} b: {login % ', token: true'} }}"
    response = await world.anonymous.graphql_response(document)
    assert "Set-Cookie" not in response.headers
    assert await Session.all().count() == 1
    assert await status_of(with_token(world, response.json()["data"]["b"]["token"])) == 200


async def test_the_rest_of_the_document_acts_as_the_account_that_has_logged_in(world: World, karim: User) -> None:
    login = f'login(input: {{email: "{karim.email}", password: "{PASSWORD}", token: true}}) {{ id }}'
    answer = await world.anonymous.graphql(
        f'mutation {{ {login} createApiKey(input: {{name: "k", keyType: ORGANIZER}}) {{ id }} }}'
    )
    assert "errors" not in answer


async def test_a_demoted_account_loses_the_rights_of_its_token_at_once(world: World, karim: User) -> None:
    caller = await world.token_session(karim)
    await User.filter(id=karim.id).update(type=karim.type.__class__.USER)
    await refused(caller.post("/keys", {"name": "k", "key_type": "organizer"}), 403, "WRONG_KEY_TYPE")
    assert data_of(await caller.get("/auth/me"))["auth"]["key_type"] == "user"


X_API_KEY = "X-API-Key"


@pytest.mark.parametrize("form", ["{}", "Bearer {}", " bearer  {} "])
async def test_x_api_key_is_the_same_as_authorization(world: World, form: str) -> None:
    raw = (await world.user_key()).headers["Authorization"].removeprefix("Bearer ")
    caller = Caller(world.http, headers={X_API_KEY: form.format(raw)})
    assert data_of(await caller.get("/auth/me"))["auth"]["method"] == "api_key"
    assert (await caller.graphql("{ me { id } }"))["data"]["me"]
    both = Caller(world.http, headers={X_API_KEY: form.format(raw), "Authorization": f"Bearer {raw}"})
    assert await status_of(both) == 200


async def test_x_api_key_takes_tokens_of_sessions(world: World, karim: User) -> None:
    raw = (await world.token_session(karim)).headers["Authorization"].removeprefix("Bearer ")
    assert await status_of(Caller(world.http, headers={X_API_KEY: raw})) == 200


@pytest.mark.parametrize("value", ["", "wrong", "Basic eDp5", "ae_u_x"])
async def test_a_wrong_x_api_key_is_401_and_never_falls_back_to_the_cookie(
    world: World, karim: User, value: str
) -> None:
    cookie = (await world.session(karim)).headers["Cookie"]
    caller = Caller(world.http, headers={X_API_KEY: value, "Cookie": cookie})
    error_in(await caller.get("/events"), 401, "INVALID_API_KEY")
    assert request_error_code(await caller.graphql_response("{ __typename }")) == "INVALID_API_KEY"


async def test_two_different_keys_are_401(world: World) -> None:
    first, second = await world.user_key(), await world.key(await world.user(), KeyType.USER)
    other = second.headers["Authorization"].removeprefix("Bearer ")
    caller = Caller(world.http, headers={**first.headers, X_API_KEY: other})
    error_in(await caller.get("/auth/me"), 401, "INVALID_API_KEY")
