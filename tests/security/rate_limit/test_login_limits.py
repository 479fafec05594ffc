"""Rate limits of login and registration, by address and by email (decisions 3.4)."""

import asyncio
import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import argon2
import httpx
import pytest
from starlette.applications import Starlette

from amarevents.models import User
from amarevents.security.auth.passwords import PasswordHasher
from amarevents.security.rate_limit import MemoryRateLimiter, Quota, ResilientRateLimiter
from tests.support.client_addresses import client_from, use_manual_clock
from tests.support.rate_limits import SECOND
from tests.support.world import World, snapshot

Configure = Callable[..., None]
PASSWORD = "correct horse"
LOGIN = 'login(input: {email: "karim@example.com", password: "wrong horse"}) { id }'


@pytest.fixture
async def karim(world: World) -> User:
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return await world.user(username="Karim", password_hash=cheap.hash(PASSWORD))


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    original = argon2.PasswordHasher.verify

    def verify(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        seen.append(password)
        return original(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    return seen


async def _login(http: httpx.AsyncClient, password: str, email: str = "karim@example.com") -> httpx.Response:
    answer = await http.post("/api/auth/login", json={"email": email, "password": password})
    http.cookies.clear()
    return answer


async def _register(http: httpx.AsyncClient, number: int) -> httpx.Response:
    account = {"username": f"new{number}", "email": f"new{number}@example.com", "number": "01700000000"}
    return await http.post("/api/auth/register", json={**account, "password": PASSWORD})


# Per address ----------------------------------------------------------------------------------------------------


async def test_failed_logins_are_limited_per_address(
    app: Starlette, http: httpx.AsyncClient, karim: User, configure: Configure
) -> None:
    configure(rate_limit_failed_logins=2)
    statuses = [(await _login(http, "wrong", f"{name}@example.com")).status_code for name in ("a", "b")]
    assert statuses == [401, 401]
    before = await snapshot()
    refused = await _login(http, PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert await snapshot() == before
    async with client_from(app, "203.0.113.9") as elsewhere:
        assert (await _login(elsewhere, PASSWORD)).status_code == 200


async def test_successful_logins_are_free(http: httpx.AsyncClient, karim: User, configure: Configure) -> None:
    configure(rate_limit_failed_logins=2, failed_logins=2)
    passwords = ["wrong", *[PASSWORD] * 5, "wrong", PASSWORD]
    assert [(await _login(http, password)).status_code for password in passwords] == [401, *[200] * 5, 401, 429]


async def test_a_refused_login_counts_for_neither_limit(
    http: httpx.AsyncClient, karim: User, configure: Configure
) -> None:
    configure(rate_limit_failed_logins=2, failed_logins=1)
    emails = ["karim@example.com", "karim@example.com", "other@example.com", "another@example.com"]
    assert [(await _login(http, "wrong", email)).status_code for email in emails] == [401, 429, 401, 429]


async def test_a_crowd_may_log_in_at_the_same_moment(
    http: httpx.AsyncClient, karim: User, configure: Configure
) -> None:
    """An attempt counts as failed until it succeeds: without turns, most of them would be refused."""
    configure(rate_limit_failed_logins=5, failed_logins=5)
    answers = await asyncio.gather(*[_login(http, PASSWORD) for _ in range(40)])
    assert Counter(answer.status_code for answer in answers) == {200: 40}


async def test_without_turns_a_crowd_would_be_refused(
    http: httpx.AsyncClient, karim: User, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr(PasswordHasher, "turn", lambda _hasher: contextlib.nullcontext())
    configure(rate_limit_failed_logins=5, failed_logins=5)
    answers = await asyncio.gather(*[_login(http, PASSWORD) for _ in range(40)])
    assert Counter(answer.status_code for answer in answers)[429] > 0


async def test_other_requests_are_allowed_over_the_login_limit(http: httpx.AsyncClient, configure: Configure) -> None:
    configure(rate_limit_failed_logins=1)
    assert [(await _login(http, "wrong")).status_code for _ in range(2)] == [401, 429]
    assert (await http.get("/api/events")).status_code == 200


async def test_the_limits_can_be_disabled(http: httpx.AsyncClient, configure: Configure) -> None:
    configure(rate_limit_failed_logins=0, failed_logins=0)
    assert {(await _login(http, "wrong")).status_code for _ in range(12)} == {401}


async def test_graphql_aliases_do_not_circumvent_the_limit(
    http: httpx.AsyncClient, karim: User, configure: Configure, verifications: list[str]
) -> None:
    configure(rate_limit_failed_logins=3)
    aliases = " ".join(f"try{number}: {LOGIN}" for number in range(8))
    answer = await http.post("/graphql", json={"query": f"mutation {{ {aliases} }}"})
    codes = Counter(error["extensions"]["code"] for error in answer.json()["errors"])
    assert codes == {"INVALID_CREDENTIALS": 3, "RATE_LIMITED": 5}
    assert len(verifications) == 3


async def test_an_api_key_does_not_circumvent_the_limit(world: World, configure: Configure) -> None:
    configure(rate_limit_failed_logins=1)
    caller = await world.user_key()
    body = {"email": "unknown@example.com", "password": "wrong"}
    assert [(await caller.post("/auth/login", body)).status_code for _ in range(2)] == [401, 429]


async def test_anonymous_registrations_are_limited_per_address(
    app: Starlette, http: httpx.AsyncClient, configure: Configure
) -> None:
    configure(rate_limit_registrations=2)
    assert [(await _register(http, number)).status_code for number in range(3)] == [201, 201, 429]
    async with client_from(app, "203.0.113.9") as elsewhere:
        assert (await _register(elsewhere, 3)).status_code == 201


async def test_registrations_with_a_key_or_a_session_count_for_it_alone(world: World, configure: Configure) -> None:
    configure(rate_limit_registrations=1)
    callers = [await world.user_key(), await world.session(await world.user())]
    for number, caller in enumerate(callers * 2):
        account = {"username": f"by{number}", "email": f"by{number}@example.com", "number": "01700000000"}
        assert (await caller.post("/auth/register", {**account, "password": PASSWORD})).status_code == 201
    assert [(await _register(world.http, number)).status_code for number in range(2)] == [201, 429]


async def test_a_login_in_the_same_document_does_not_make_registrations_free(
    http: httpx.AsyncClient, karim: User, configure: Configure
) -> None:
    configure(rate_limit_registrations=1)
    login = LOGIN.replace("wrong horse", PASSWORD)
    account = 'username: "new%s", email: "new%s@example.com", number: "01700000000", password: "secret123"'
    registrations = " ".join(f"r{n}: register(input: {{{account.replace('%s', str(n))}}}) {{ id }}" for n in range(2))
    answer = await http.post("/graphql", json={"query": f"mutation {{ {login} {registrations} }}"})
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["RATE_LIMITED"]


# Per email ------------------------------------------------------------------------------------------------------


async def test_failed_logins_are_limited_per_email_across_addresses(
    app: Starlette, karim: User, configure: Configure, verifications: list[str]
) -> None:
    configure(failed_logins=2)
    statuses = []
    for number, email in enumerate(["karim@example.com", "KARIM@example.com", " karim@EXAMPLE.com "]):
        async with client_from(app, f"203.0.113.{number}") as client:
            statuses.append((await _login(client, "wrong horse", email)).status_code)
    assert statuses == [401, 401, 429]
    assert len(verifications) == 2


async def test_failed_logins_of_another_email_do_not_count(
    http: httpx.AsyncClient, karim: User, configure: Configure
) -> None:
    configure(failed_logins=1)
    for _ in range(2):
        await _login(http, "wrong", "other@example.com")
    assert (await _login(http, PASSWORD)).status_code == 200


async def test_unknown_emails_have_the_same_limit(http: httpx.AsyncClient, configure: Configure) -> None:
    configure(failed_logins=2)
    assert [(await _login(http, "wrong", "no@example.com")).status_code for _ in range(3)] == [401, 401, 429]


async def test_successful_logins_do_not_count(http: httpx.AsyncClient, karim: User, configure: Configure) -> None:
    configure(failed_logins=2)
    assert [(await _login(http, PASSWORD)).status_code for _ in range(5)] == [200] * 5
    passwords_ = ["wrong", PASSWORD, "wrong", PASSWORD]
    assert [(await _login(http, password)).status_code for password in passwords_] == [401, 200, 401, 429]


async def test_the_default_is_10_failed_logins(http: httpx.AsyncClient, karim: User) -> None:
    assert [(await _login(http, "wrong")).status_code for _ in range(11)] == [401] * 10 + [429]


@pytest.mark.backend("sqlite")
async def test_after_15_minutes_the_email_can_log_in_again(
    app: Starlette, http: httpx.AsyncClient, karim: User, configure: Configure
) -> None:
    configure(failed_logins=1)
    clock = use_manual_clock(app)
    await _login(http, "wrong")
    refused = await _login(http, PASSWORD)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "901")
    clock.now += 900 * SECOND
    assert (await _login(http, PASSWORD)).status_code == 429
    clock.now += SECOND
    assert (await _login(http, PASSWORD)).status_code == 200


async def _hundred_simultaneous_guesses(http: httpx.AsyncClient) -> Counter[int]:
    answers = await asyncio.gather(*[_login(http, f"guess {number}") for number in range(100)])
    return Counter(answer.status_code for answer in answers)


async def test_of_a_hundred_simultaneous_guesses_ten_are_verified(
    http: httpx.AsyncClient, karim: User, verifications: list[str]
) -> None:
    assert await _hundred_simultaneous_guesses(http) == {401: 10, 429: 90}
    assert len(verifications) == 10


async def test_counting_after_the_verification_would_verify_all_guesses(
    http: httpx.AsyncClient, karim: User, verifications: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test above: here, the limiter allows every attempt."""
    for limiter in (MemoryRateLimiter, ResilientRateLimiter):
        charge_all = limiter.charge_all

        async def lenient(self: Any, quotas: Sequence[Quota], units: int = 1, charge_all: Any = charge_all) -> Any:
            return [dataclasses.replace(verdict, allowed=True) for verdict in await charge_all(self, quotas, units)]

        monkeypatch.setattr(limiter, "charge_all", lenient)
    assert await _hundred_simultaneous_guesses(http) == {401: 100}
    assert len(verifications) == 100


async def test_right_passwords_among_simultaneous_guesses_do_not_count(
    http: httpx.AsyncClient, karim: User, configure: Configure
) -> None:
    configure(failed_logins=200)
    await asyncio.gather(*[_login(http, PASSWORD if number % 2 else "wrong") for number in range(100)])
    configure(failed_logins=52)
    further = [(await _login(http, "wrong")).status_code for _ in range(8)]
    assert further[:2] == [401, 401]
    assert 429 in further  # the third, unless some attempts have expired on a slow machine
