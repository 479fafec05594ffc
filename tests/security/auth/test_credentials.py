"""Authentication with API keys and sessions (decisions 2.1, 2.4)."""

import datetime
from typing import Any

import httpx
import pytest

from amarevents.models import User
from amarevents.models.columns import utc_now
from amarevents.models.enums import AccountType, KeyType
from amarevents.security.auth.api_keys import generate_key
from tests.support.world import Caller, World, snapshot

HOUR = datetime.timedelta(hours=1)
BAD_HEADERS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer nonsense",
    "Bearer ae_u_",
    "Basic {key}",
    "{key}",
    "Token {key}",
    "Bearer {key}x",
    "Bearer {key} {key}",
    "Bearer, {key}",
    "Bearer ae_x_{rest}",
    "Bearer ae_a_{rest}",
    "Bearer {unknown}",
    "Bearer \xe9\xe9",
]
BAD_STATES: list[tuple[dict[str, Any], str]] = [
    ({"revoked_at": utc_now(), "is_active": False}, "API_KEY_REVOKED"),
    ({"revoked_at": utc_now()}, "API_KEY_REVOKED"),
    ({"is_active": False}, "API_KEY_SUSPENDED"),
    ({"expires_at": utc_now() - HOUR}, "API_KEY_EXPIRED"),
]


async def errors_everywhere(http: httpx.AsyncClient, headers: dict[str, Any]) -> set[tuple[int, str]]:
    """Return status and code on public, private and unknown routes, and for public and private GraphQL fields."""
    rest = [await http.get(f"/api{path}", headers=headers) for path in ("/events", "/auth/me", "/nothing-here")]
    queries = ["{ events { items { id } } }", "{ me { id } }"]
    graphql = [await http.post("/graphql", json={"query": query}, headers=headers) for query in queries]
    answers = {(answer.status_code, answer.json()["code"]) for answer in rest}
    return answers | {(answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) for answer in graphql}


@pytest.mark.parametrize("header", BAD_HEADERS)
async def test_a_header_without_a_valid_key_is_401_everywhere(world: World, header: str) -> None:
    key = (await world.user_key()).headers["Authorization"].removeprefix("Bearer ")
    value = header.format(key=key, rest=key[5:], unknown=generate_key(KeyType.USER).raw)
    assert await errors_everywhere(world.http, {"Authorization": value.encode("latin-1")}) == {(401, "INVALID_API_KEY")}


@pytest.mark.parametrize(("state", "code"), BAD_STATES)
async def test_a_revoked_suspended_or_expired_key_is_401_everywhere(
    world: World, state: dict[str, Any], code: str
) -> None:
    caller = await world.key(await world.user(), **state)
    assert await errors_everywhere(world.http, caller.headers) == {(401, code)}


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic a2FyaW06c2VjcmV0", ""])
async def test_an_invalid_key_does_not_fall_back_to_the_session(world: World, header: str) -> None:
    session = await world.session(await world.user())
    headers = {**session.headers, "Authorization": header}
    assert await errors_everywhere(world.http, headers) == {(401, "INVALID_API_KEY")}


async def test_a_key_takes_precedence_over_a_session(world: World) -> None:
    session, key = await world.session(await world.admin()), await world.user_key()
    answer = await Caller(world.http, headers={**session.headers, **key.headers}).get("/auth/me")
    assert answer.json()["data"]["auth"]["method"] == "api_key"
    assert key.user is not None
    assert answer.json()["data"]["id"] == key.user.id


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_case_insensitive(world: World, scheme: str) -> None:
    key = (await world.user_key()).headers["Authorization"].removeprefix("Bearer ")
    answer = await world.http.get("/api/auth/me", headers={"Authorization": f"{scheme} {key}"})
    assert answer.status_code == 200


async def test_a_401_has_www_authenticate(http: httpx.AsyncClient) -> None:
    for answer in (await http.get("/api/auth/me"), await http.get("/graphql", headers={"Authorization": "x"})):
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_a_key_that_has_not_expired_is_accepted(world: World) -> None:
    caller = await world.key(await world.organizer(), KeyType.ORGANIZER, expires_at=utc_now() + HOUR)
    assert caller.key is not None
    auth = (await caller.get("/auth/me")).json()["data"]["auth"]
    assert auth["key_id"] == caller.key.id
    assert (auth["method"], auth["key_type"], auth["rate_limit"]) == ("api_key", "organizer", 100_000)


async def test_anonymous_callers_read_only_what_is_public(world: World) -> None:
    assert (await world.anonymous.get("/events")).status_code == 200
    assert (await world.anonymous.get("/auth/me")).status_code == 401
    answer = await world.anonymous.graphql_response("{ me { id } }")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (200, "UNAUTHENTICATED")


# Roles are re-read on every request (decisions 2.4) -------------------------------------------------------------


@pytest.mark.parametrize(
    ("key_type", "before", "after"),
    [
        (KeyType.ORGANIZER, {"type": AccountType.ORGANIZER}, {"type": AccountType.USER}),
        (KeyType.ADMIN, {"admin": True}, {"admin": False}),
        (KeyType.ADMIN, {"admin": True, "type": AccountType.ORGANIZER}, {"admin": False}),
    ],
)
async def test_a_key_of_an_account_that_lost_the_role_is_403(
    world: World, key_type: KeyType, before: dict[str, Any], after: dict[str, Any]
) -> None:
    user = await world.user(**before)
    caller = await world.key(user, key_type)
    assert (await caller.get("/auth/me")).status_code == 200
    await User.filter(id=user.id).update(**after)
    rows = await snapshot()
    assert await errors_everywhere(world.http, caller.headers) == {(403, "ROLE_LOST")}
    assert await snapshot() == rows


async def test_a_key_works_again_when_the_account_regains_the_role(world: World) -> None:
    caller = await world.key(await world.user(), KeyType.ORGANIZER)
    assert (await caller.get("/auth/me")).status_code == 403
    await User.all().update(type=AccountType.ORGANIZER)
    assert (await caller.get("/auth/me")).status_code == 200


async def test_keys_of_a_lower_type_survive_a_lost_role(world: World) -> None:
    caller = await world.key(await world.organizer(), KeyType.USER)
    await User.all().update(type=AccountType.USER)
    assert (await caller.get("/auth/me")).status_code == 200


async def test_a_session_follows_the_role_of_its_account(world: World) -> None:
    user = await world.admin()
    caller = await world.session(user)
    assert (await caller.get("/auth/me")).json()["data"]["auth"]["key_type"] == "admin"
    await User.filter(id=user.id).update(admin=False)
    assert (await caller.get("/auth/me")).json()["data"]["auth"]["key_type"] == "user"
    assert (await caller.post("/organizations", {"name": "x", "user_id": user.id})).status_code == 403


async def test_a_revoked_key_is_401_immediately(world: World) -> None:
    caller = await world.user_key()
    assert caller.key is not None
    assert (await caller.delete(f"/keys/{caller.key.id}")).status_code == 200
    assert await errors_everywhere(world.http, caller.headers) == {(401, "API_KEY_REVOKED")}


async def test_two_authorization_headers_are_401(world: World) -> None:
    good = (await world.user_key()).headers["Authorization"]
    for values in ([good, "Bearer nonsense"], ["Bearer nonsense", good]):
        answer = await world.http.get("/api/events", headers=[("Authorization", value) for value in values])
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_API_KEY")
