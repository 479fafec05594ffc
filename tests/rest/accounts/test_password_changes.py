"""Password changes by the account's owner, and the sessions and keys that they affect (decisions 2.3, 3.4)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import argon2
import httpx
import pytest

from amarevents.models import Session, User
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts import auth, profiles
from amarevents.security.auth.sessions import COOKIE_NAME
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, error_in, refused
from tests.support.world import Caller, World, hash_password, snapshot

OLD, NEW = "correct horse", "battery staple"
CHANGE = {"current_password": OLD, "password": NEW}


@pytest.fixture
async def karim(world: World) -> User:
    return await world.user(username="Karim", password_hash=hash_password(OLD))


async def can_log_in(world: World, password: str) -> bool:
    response = await world.anonymous.post("/auth/login", {"email": "karim@example.com", "password": password})
    world.http.cookies.clear()
    assert response.status_code in {200, 401}
    return response.status_code == 200


async def is_authenticated(caller: Caller) -> bool:
    return (await caller.get("/auth/me")).status_code == 200


def with_new_cookie(caller: Caller, response: httpx.Response) -> Caller:
    """Return the caller with the session cookie that the response sets."""
    caller.http.cookies.clear()
    token = SimpleCookie(response.headers["Set-Cookie"])[COOKIE_NAME].value
    return Caller(caller.http, caller.user, {"Cookie": f"{COOKIE_NAME}={token}"})


async def test_new_password_replaces_the_old_one(world: World, karim: User) -> None:
    response = await (await world.session(karim)).put("/users/me", {**CHANGE, "country": "BD"})
    world.http.cookies.clear()
    assert data_of(response)["country"] == "BD"
    assert "password" not in response.text
    assert (await can_log_in(world, OLD), await can_log_in(world, NEW)) == (False, True)
    assert NEW not in repr(await snapshot())


async def test_change_renews_the_callers_session_and_ends_the_others(world: World, karim: User) -> None:
    here, elsewhere = await world.session(karim), await world.session(karim)
    other_account = await world.session(await world.user())
    after = with_new_cookie(here, await here.put("/users/me", CHANGE))
    assert after.headers["Cookie"] != here.headers["Cookie"]
    assert [await is_authenticated(caller) for caller in (after, here, elsewhere, other_account)] == [
        True,
        False,
        False,
        True,
    ]
    assert await Session.filter(user_id=karim.id).count() == 1


async def test_change_with_an_api_key_ends_all_sessions(world: World, karim: User) -> None:
    session, key = await world.session(karim), await world.key(karim)
    response = await key.put("/users/me", CHANGE)
    data_of(response)
    assert "Set-Cookie" not in response.headers
    assert not await is_authenticated(session)
    assert await Session.all().count() == 0


@pytest.mark.parametrize("with_session", [True, False])
async def test_api_keys_stay_valid(world: World, karim: User, with_session: bool) -> None:
    key, other = await world.key(karim), await world.key(karim, permissions=[])
    data_of(await (await world.session(karim) if with_session else key).put("/users/me", CHANGE))
    world.http.cookies.clear()
    assert await is_authenticated(key)
    assert await is_authenticated(other)


async def test_changing_other_fields_ends_no_session(world: World, karim: User) -> None:
    here, elsewhere = await world.session(karim), await world.session(karim)
    response = await here.put("/users/me", {"country": "BD", "current_password": "not checked"})
    data_of(response)
    assert "Set-Cookie" not in response.headers
    assert await is_authenticated(here)
    assert await is_authenticated(elsewhere)


INVALID_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"password": NEW}, "current_password"),
    ({"password": NEW, "current_password": None}, "current_password"),
    ({"password": NEW, "current_password": ""}, "current_password"),
    ({"password": "short", "current_password": OLD}, "password"),
    ({"password": "x" * 129, "current_password": OLD}, "password"),
    ({"password": None, "current_password": OLD}, "password"),
    ({"password": NEW, "current_password": "wrong horse"}, "current_password"),
    ({"password": NEW, "current_password": "Correct horse"}, "current_password"),
    ({"password": NEW, "current_password": NEW}, "current_password"),
]


@pytest.mark.parametrize(("body", "field"), INVALID_CHANGES, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("with_session", [True, False])
async def test_invalid_change_names_the_field_and_changes_nothing(
    world: World, karim: User, body: dict[str, Any], field: str, with_session: bool
) -> None:
    caller = await world.session(karim) if with_session else await world.key(karim)
    request = caller.put("/users/me", {**body, "country": "BD"})
    assert set(await refused(request, 400, "VALIDATION_ERROR")) == {field}
    assert await is_authenticated(caller)


async def test_organizer_key_cannot_change_the_password(world: World) -> None:
    owner = await world.organizer(password_hash=hash_password(OLD))
    await refused((await world.key(owner, KeyType.ORGANIZER)).put("/users/me", CHANGE), 403, "FORBIDDEN")


# Failed attempts ------------------------------------------------------------------------------------------------


async def test_wrong_passwords_count_as_failed_logins(
    world: World, karim: User, configure: Callable[..., None]
) -> None:
    configure(failed_logins=3)
    session, key = await world.session(karim), await world.key(karim)
    wrong = {**CHANGE, "current_password": "wrong horse"}
    error_in(await session.put("/users/me", wrong), 400, "VALIDATION_ERROR")
    error_in(await key.put("/users/me", wrong), 400, "VALIDATION_ERROR")
    assert not await can_log_in(world, "wrong horse")
    before = await snapshot()
    for caller in (session, key):
        response = await caller.put("/users/me", CHANGE)
        assert error_in(response, 429, "RATE_LIMITED") == {}
        assert 1 <= int(response.headers["Retry-After"]) <= 901
    login = await world.anonymous.post("/auth/login", {"email": karim.email, "password": OLD})
    error_in(login, 429, "RATE_LIMITED")
    assert await snapshot() == before


async def test_ten_wrong_passwords_are_allowed_by_default(world: World, karim: User) -> None:
    key = await world.key(karim)
    wrong = {**CHANGE, "current_password": "wrong horse"}
    responses = await asyncio.gather(*(key.put("/users/me", wrong) for _ in range(20)))
    assert Counter(response.status_code for response in responses) == {400: 10, 429: 10}
    error_in(await key.put("/users/me", CHANGE), 429, "RATE_LIMITED")


async def test_correct_passwords_do_not_count(world: World, karim: User, configure: Callable[..., None]) -> None:
    configure(failed_logins=1)
    key = await world.key(karim)
    for current, password in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
        data_of(await key.put("/users/me", {"current_password": current, "password": password}))
    error_in(await key.put("/users/me", CHANGE), 400, "VALIDATION_ERROR")
    error_in(await key.put("/users/me", CHANGE), 429, "RATE_LIMITED")


async def test_other_fields_can_be_changed_while_the_password_is_blocked(
    world: World, karim: User, configure: Callable[..., None]
) -> None:
    configure(failed_logins=1)
    key = await world.key(karim)
    error_in(await key.put("/users/me", {**CHANGE, "current_password": "wrong horse"}), 400, "VALIDATION_ERROR")
    assert data_of(await key.put("/users/me", {"country": "BD"}))["country"] == "BD"


# Simultaneous requests ------------------------------------------------------------------------------------------


async def change_password_twice(world: World, karim: User, monkeypatch: pytest.MonkeyPatch) -> list[httpx.Response]:
    """Change the password in two sessions, and let both pass the check of the current password before either writes."""
    here, elsewhere = await world.session(karim), await world.session(karim)
    pause = Pause(monkeypatch)
    pause.stop_after(profiles, "_require_password")
    second = elsewhere.put("/users/me", {**CHANGE, "password": "another one"})
    responses = await pause.during(here.put("/users/me", CHANGE), second)
    world.http.cookies.clear()
    return list(responses)


async def test_one_of_two_simultaneous_changes_succeeds(
    world: World, karim: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = await change_password_twice(world, karim, monkeypatch)
    data_of(fast)
    assert set(error_in(slow, 400, "VALIDATION_ERROR")) == {"current_password"}
    assert "Set-Cookie" not in slow.headers
    assert [await can_log_in(world, password) for password in (OLD, NEW, "another one")] == [False, False, True]


async def test_one_of_five_simultaneous_changes_succeeds(world: World, karim: User) -> None:
    sessions = [await world.session(karim) for _ in range(5)]
    bodies = [{**CHANGE, "password": f"password {number}"} for number in range(5)]
    responses = await asyncio.gather(
        *(session.put("/users/me", body) for session, body in zip(sessions, bodies, strict=True))
    )
    world.http.cookies.clear()
    # A request that arrives after the winner has ended the sessions is unauthenticated (401).
    assert Counter(response.status_code for response in responses)[200] == 1
    assert {response.status_code for response in responses} <= {200, 400, 401}
    winner = [response.status_code for response in responses].index(200)
    assert [await can_log_in(world, body["password"]) for body in bodies] == [number == winner for number in range(5)]
    assert await Session.filter(user_id=karim.id).count() == 2  # those of the winner and of the login above


async def test_without_a_second_check_under_the_lock_both_changes_would_succeed(
    world: World, karim: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = profiles._lock_own_user

    async def lock_with_outdated_hash(account_id: int) -> User:
        user = await lock(account_id)
        user.password_hash = karim.password_hash
        return user

    monkeypatch.setattr(profiles, "_lock_own_user", lock_with_outdated_hash)
    responses = await change_password_twice(world, karim, monkeypatch)
    assert [response.status_code for response in responses] == [200, 200]


@pytest.mark.parametrize("token", [False, True])
async def test_login_overtaken_by_a_password_change_starts_no_session(
    world: World, karim: User, monkeypatch: pytest.MonkeyPatch, token: bool
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_after(auth, "_verify")
    logging_in = world.anonymous.post("/auth/login", {"email": karim.email, "password": OLD, "token": token})
    key = await world.key(karim)
    response, changed = await pause.during(logging_in, key.put("/users/me", CHANGE))
    data_of(changed)
    error_in(response, 401, "INVALID_CREDENTIALS")
    assert await Session.filter(user_id=karim.id).count() == 0


async def test_simultaneous_logins_that_renew_an_outdated_hash_all_succeed(world: World, karim: User) -> None:
    outdated = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(OLD)
    await User.filter(id=karim.id).update(password_hash=outdated)
    assert await asyncio.gather(*(can_log_in(world, OLD) for _ in range(5))) == [True] * 5
    assert (await User.get(id=karim.id)).password_hash != outdated
