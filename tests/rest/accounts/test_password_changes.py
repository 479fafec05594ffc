"""Changing one's own password: who may, what it ends and what it leaves (decisions 2.3, 3.4)."""

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
from tests.support.world import ORIGIN, Caller, World, hashed, snapshot

OLD, NEW = "correct horse", "battery staple"
CHANGE = {"current_password": OLD, "password": NEW}


@pytest.fixture
async def karim(world: World) -> User:
    return await world.user(username="Karim", password_hash=hashed(OLD))


async def logs_in(world: World, password: str) -> bool:
    answer = await world.anonymous.post("/auth/login", {"email": "karim@example.com", "password": password})
    world.http.cookies.clear()
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


async def is_known(caller: Caller) -> bool:
    return (await caller.get("/auth/me")).status_code == 200


def renewed(caller: Caller, answer: httpx.Response) -> Caller:
    """The same browser, with the cookie that the answer has set."""
    caller.http.cookies.clear()
    token = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE_NAME].value
    return Caller(caller.http, caller.user, {"Cookie": f"{COOKIE_NAME}={token}", "Origin": ORIGIN})


async def test_the_new_password_is_good_and_the_old_one_dead(world: World, karim: User) -> None:
    answer = await (await world.session(karim)).put("/users/me", {**CHANGE, "country": "BD"})
    world.http.cookies.clear()
    assert data_of(answer)["country"] == "BD"
    assert "password" not in answer.text
    assert (await logs_in(world, OLD), await logs_in(world, NEW)) == (False, True)
    assert NEW not in repr(await snapshot())


async def test_this_browser_stays_logged_in_under_a_new_id_and_the_others_do_not(world: World, karim: User) -> None:
    here, elsewhere = await world.session(karim), await world.session(karim)
    stranger = await world.session(await world.user())
    after = renewed(here, await here.put("/users/me", CHANGE))
    assert after.headers["Cookie"] != here.headers["Cookie"]
    assert [await is_known(caller) for caller in (after, here, elsewhere, stranger)] == [True, False, False, True]
    assert await Session.filter(user_id=karim.id).count() == 1


async def test_a_key_ends_all_sessions_and_starts_none(world: World, karim: User) -> None:
    session, key = await world.session(karim), await world.key(karim)
    answer = await key.put("/users/me", CHANGE)
    data_of(answer)
    assert "Set-Cookie" not in answer.headers
    assert not await is_known(session)
    assert await Session.all().count() == 0


@pytest.mark.parametrize("with_session", [True, False])
async def test_keys_survive(world: World, karim: User, with_session: bool) -> None:
    key, other = await world.key(karim), await world.key(karim, permissions=[])
    data_of(await (await world.session(karim) if with_session else key).put("/users/me", CHANGE))
    world.http.cookies.clear()
    assert await is_known(key)
    assert await is_known(other)


async def test_a_change_of_something_else_ends_nothing(world: World, karim: User) -> None:
    here, elsewhere = await world.session(karim), await world.session(karim)
    answer = await here.put("/users/me", {"country": "BD", "current_password": "whatever"})
    data_of(answer)
    assert "Set-Cookie" not in answer.headers
    assert await is_known(here)
    assert await is_known(elsewhere)


UNFIT: list[tuple[dict[str, Any], str]] = [
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


@pytest.mark.parametrize(("body", "field"), UNFIT, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("with_session", [True, False])
async def test_an_unfit_change_names_the_field_and_changes_nothing(
    world: World, karim: User, body: dict[str, Any], field: str, with_session: bool
) -> None:
    caller = await world.session(karim) if with_session else await world.key(karim)
    request = caller.put("/users/me", {**body, "country": "BD"})
    assert set(await refused(request, 400, "VALIDATION_ERROR")) == {field}
    assert await is_known(caller)


async def test_organizer_keys_cannot(world: World) -> None:
    owner = await world.organizer(password_hash=hashed(OLD))
    await refused((await world.key(owner, KeyType.ORGANIZER)).put("/users/me", CHANGE), 403, "WRONG_KEY_TYPE")


# Guessing -------------------------------------------------------------------------------------------------------


async def test_wrong_ones_count_as_failed_logins(world: World, karim: User, configure: Callable[..., None]) -> None:
    configure(failed_logins=3)
    session, key = await world.session(karim), await world.key(karim)
    wrong = {**CHANGE, "current_password": "wrong horse"}
    error_in(await session.put("/users/me", wrong), 400, "VALIDATION_ERROR")
    error_in(await key.put("/users/me", wrong), 400, "VALIDATION_ERROR")
    assert not await logs_in(world, "wrong horse")
    before = await snapshot()
    for caller in (session, key):
        answer = await caller.put("/users/me", CHANGE)
        assert error_in(answer, 429, "RATE_LIMITED") == {}
        assert 1 <= int(answer.headers["Retry-After"]) <= 901
    login = await world.anonymous.post("/auth/login", {"email": karim.email, "password": OLD})
    error_in(login, 429, "RATE_LIMITED")
    assert await snapshot() == before


async def test_10_in_15_minutes_by_default(world: World, karim: User) -> None:
    key = await world.key(karim)
    wrong = {**CHANGE, "current_password": "wrong horse"}
    answers = await asyncio.gather(*(key.put("/users/me", wrong) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {400: 10, 429: 10}
    error_in(await key.put("/users/me", CHANGE), 429, "RATE_LIMITED")


async def test_right_ones_do_not_count(world: World, karim: User, configure: Callable[..., None]) -> None:
    configure(failed_logins=1)
    key = await world.key(karim)
    for current, password in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
        data_of(await key.put("/users/me", {"current_password": current, "password": password}))
    error_in(await key.put("/users/me", CHANGE), 400, "VALIDATION_ERROR")
    error_in(await key.put("/users/me", CHANGE), 429, "RATE_LIMITED")


async def test_the_rest_of_the_profile_is_not_concerned(
    world: World, karim: User, configure: Callable[..., None]
) -> None:
    configure(failed_logins=1)
    key = await world.key(karim)
    error_in(await key.put("/users/me", {**CHANGE, "current_password": "wrong horse"}), 400, "VALIDATION_ERROR")
    assert data_of(await key.put("/users/me", {"country": "BD"}))["country"] == "BD"


# At the same time -----------------------------------------------------------------------------------------------


async def change_twice(world: World, karim: User, monkeypatch: pytest.MonkeyPatch) -> list[httpx.Response]:
    """Both have been found to know the password before either of them writes."""
    here, elsewhere = await world.session(karim), await world.session(karim)
    pause = Pause(monkeypatch)
    pause.stop_after(profiles, "_require_password")
    second = elsewhere.put("/users/me", {**CHANGE, "password": "another one"})
    answers = await pause.during(here.put("/users/me", CHANGE), second)
    world.http.cookies.clear()
    return list(answers)


async def test_of_two_with_the_same_password_one_wins(
    world: World, karim: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = await change_twice(world, karim, monkeypatch)
    data_of(fast)
    assert set(error_in(slow, 400, "VALIDATION_ERROR")) == {"current_password"}
    assert "Set-Cookie" not in slow.headers
    assert [await logs_in(world, password) for password in (OLD, NEW, "another one")] == [False, False, True]


async def test_of_five_at_once_one_wins(world: World, karim: User) -> None:
    sessions = [await world.session(karim) for _ in range(5)]
    bodies = [{**CHANGE, "password": f"password {number}"} for number in range(5)]
    answers = await asyncio.gather(
        *(session.put("/users/me", body) for session, body in zip(sessions, bodies, strict=True))
    )
    world.http.cookies.clear()
    # Who comes when the winner has ended the sessions already is nobody.
    assert Counter(answer.status_code for answer in answers)[200] == 1
    assert {answer.status_code for answer in answers} <= {200, 400, 401}
    winner = [answer.status_code for answer in answers].index(200)
    assert [await logs_in(world, body["password"]) for body in bodies] == [number == winner for number in range(5)]
    assert await Session.filter(user_id=karim.id).count() == 2  # the winner's, and of the login above


async def test_without_looking_again_under_the_lock_both_would_win(
    world: World, karim: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = profiles._lock_own_user

    async def look_away(account_id: int) -> User:
        user = await lock(account_id)
        user.password_hash = karim.password_hash
        return user

    monkeypatch.setattr(profiles, "_lock_own_user", look_away)
    answers = await change_twice(world, karim, monkeypatch)
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_login_that_the_change_overtakes_starts_no_session(
    world: World, karim: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_after(auth, "_verify")
    logging_in = world.anonymous.post("/auth/login", {"email": karim.email, "password": OLD})
    key = await world.key(karim)
    answer, changed = await pause.during(logging_in, key.put("/users/me", CHANGE))
    data_of(changed)
    error_in(answer, 401, "INVALID_CREDENTIALS")
    assert await Session.filter(user_id=karim.id).count() == 0


async def test_logins_that_renew_an_outdated_hash_at_once_all_succeed(world: World, karim: User) -> None:
    outdated = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(OLD)
    await User.filter(id=karim.id).update(password_hash=outdated)
    assert await asyncio.gather(*(logs_in(world, OLD) for _ in range(5))) == [True] * 5
    assert (await User.get(id=karim.id)).password_hash != outdated
