"""Sessions and their cookies (decisions 2.3)."""

import datetime
import hashlib
from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie

import argon2
import httpx
import pytest

from amarevents.models import Session, User
from amarevents.models.columns import utc_now
from amarevents.security.auth.sessions import COOKIE_NAME
from tests.support.world import World, snapshot

PASSWORD = "correct horse"
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { id } }"


@pytest.fixture
async def karim(world: World) -> User:
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return await world.user(username="Karim", password_hash=cheap.hash(PASSWORD))


async def _login(http: httpx.AsyncClient, **headers: str) -> httpx.Response:
    credentials = {"email": "karim@example.com", "password": PASSWORD}
    answer = await http.post("/api/auth/login", json=credentials, headers=headers)
    http.cookies.clear()
    return answer


def _cookie(answer: httpx.Response) -> "Morsel[str]":
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE_NAME]


async def _me(http: httpx.AsyncClient, cookie: str) -> httpx.Response:
    return await http.get("/api/auth/me", headers={"Cookie": cookie})


@pytest.mark.parametrize("secure", [True, False])
async def test_login_sets_a_cookie_with_its_security_attributes(
    http: httpx.AsyncClient, karim: User, configure: Callable[..., None], secure: bool
) -> None:
    configure(cookie_secure=secure, session_days=3)
    cookie = _cookie(await _login(http))
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert bool(cookie["secure"]) is secure
    assert 3 * 86400 - 60 < int(cookie["max-age"]) <= 3 * 86400


async def test_the_cookie_is_opaque_and_stored_hashed(http: httpx.AsyncClient, karim: User) -> None:
    token = _cookie(await _login(http)).value
    session = await Session.get(user_id=karim.id)
    assert len(token) >= 22
    assert session.digest == hashlib.sha256(token.encode()).hexdigest()
    assert token not in repr(await snapshot())


async def test_a_session_has_the_lifetime_of_the_settings(
    http: httpx.AsyncClient, karim: User, configure: Callable[..., None]
) -> None:
    configure(session_days=3)
    await _login(http)
    left = (await Session.get(user_id=karim.id)).expires_at - utc_now()
    assert datetime.timedelta(days=3, minutes=-1) < left <= datetime.timedelta(days=3)


async def test_login_over_graphql_sets_the_same_cookie(http: httpx.AsyncClient, karim: User) -> None:
    variables = {"input": {"email": "KARIM@example.com", "password": PASSWORD}}
    answer = await http.post("/graphql", json={"query": LOGIN, "variables": variables})
    http.cookies.clear()
    me = await _me(http, f"{COOKIE_NAME}={_cookie(answer).value}")
    assert me.json()["data"]["auth"]["method"] == "session"


async def test_a_failed_login_creates_no_session(http: httpx.AsyncClient, karim: User) -> None:
    before = await snapshot()
    answer = await http.post("/api/auth/login", json={"email": karim.email, "password": "wrong horse"})
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert await snapshot() == before


async def test_login_creates_a_new_session_and_ends_the_one_it_replaces(http: httpx.AsyncClient, karim: User) -> None:
    elsewhere = f"{COOKIE_NAME}={_cookie(await _login(http)).value}"
    first = f"{COOKIE_NAME}={_cookie(await _login(http)).value}"
    second = f"{COOKIE_NAME}={_cookie(await _login(http, Cookie=first)).value}"
    assert len({elsewhere, first, second}) == 3
    assert [(await _me(http, cookie)).status_code for cookie in (elsewhere, first, second)] == [200, 401, 200]


async def test_login_does_not_accept_a_session_id_from_the_client(http: httpx.AsyncClient, karim: User) -> None:
    planted = f"{COOKIE_NAME}=planted-by-an-attacker"
    await _login(http, Cookie=planted)
    assert (await _me(http, planted)).status_code == 401


async def test_logout_ends_the_session_and_clears_the_cookie(http: httpx.AsyncClient, world: World) -> None:
    caller = await world.session(await world.user())
    answer = await caller.post("/auth/logout")
    assert answer.json() == {"success": True, "data": {"logged_out": True}}
    assert (_cookie(answer).value, _cookie(answer)["max-age"]) == ("", "0")
    assert not await Session.exists()
    assert (await caller.get("/auth/me")).status_code == 401


async def test_logout_keeps_other_sessions(world: World) -> None:
    user = await world.user()
    here, elsewhere = await world.session(user), await world.session(user)
    await here.post("/auth/logout")
    assert (await elsewhere.get("/auth/me")).status_code == 200


async def test_logout_without_a_session_succeeds(world: World) -> None:
    answer = await world.anonymous.post("/auth/logout")
    assert (answer.status_code, answer.json()["data"]) == (200, {"logged_out": True})


async def test_an_expired_session_is_anonymous(world: World) -> None:
    caller = await world.session(await world.user())
    await Session.all().update(expires_at=utc_now() - datetime.timedelta(seconds=1))
    assert (await caller.get("/auth/me")).status_code == 401
    assert (await caller.get("/events")).status_code == 200


@pytest.mark.parametrize("value", ["unknown", "", '"quoted"', "a b", "\xe9", "x" * 4000])
async def test_an_unknown_cookie_is_anonymous(http: httpx.AsyncClient, value: str) -> None:
    headers = {b"Cookie": f"{COOKIE_NAME}={value}".encode("latin-1")}
    assert (await http.get("/api/events", headers=headers)).status_code == 200
    me = await http.get("/api/auth/me", headers=headers)
    assert (me.status_code, me.json()["code"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("other", ['prefs={"a":1}', "a[b]=c", "no-value", "a b=c", "=;", "d=é"])
async def test_malformed_cookies_do_not_hide_the_session(world: World, other: str) -> None:
    caller = await world.session(await world.user())
    cookie = f"{other}; {caller.headers['Cookie']}; {other}".encode("latin-1")
    answer = await world.http.get("/api/auth/me", headers={b"Cookie": cookie})
    assert answer.status_code == 200


async def test_expired_sessions_of_the_account_are_deleted_at_login(http: httpx.AsyncClient, karim: User) -> None:
    await _login(http)
    await Session.all().update(expires_at=utc_now() - datetime.timedelta(days=1))
    await _login(http)
    assert await Session.filter(user_id=karim.id).count() == 1


async def test_a_session_is_described_with_its_type_and_permissions(world: World) -> None:
    caller = await world.session(await world.organizer())
    auth = (await caller.get("/auth/me")).json()["data"]["auth"]
    assert (auth["method"], auth["key_id"], auth["key_type"]) == ("session", None, "organizer")
    assert {"events:delete", "users:write"} <= set(auth["permissions"])
