"""Accounts over REST: registering, logging in and out, and role one is (decisions 8.1, 8.2)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from amarevents.models import User
from amarevents.models.enums import KeyType
from tests.rest.conftest import Stage
from tests.support.rest_answers import ACCOUNT_FIELDS, INSTANT, data_of, error_in, refused
from tests.support.world import World

RAHIMA = {"username": "Rahima", "email": "rahima@example.com", "password": "secret123", "number": "01700000000"}


async def test_signup_creates_an_ordinary_account(world: World) -> None:
    sent = {**RAHIMA, "username": " Rahima ", "email": " Rahima@Example.com "}
    made = data_of(await world.anonymous.post("/auth/register", sent), 201)
    assert made.keys() == ACCOUNT_FIELDS
    assert INSTANT.fullmatch(made.pop("created_at"))
    assert made.pop("id") > 0
    assert made == {
        "username": "Rahima", "email": "rahima@example.com", "number": "01700000000", "type": "user", "admin": False,
        "pfp": None, "country": None,
    }  # fmt: skip


@pytest.mark.parametrize("username", ["Rah", "x" * 50, "রহিমা বেগম"])
async def test_usernames_have_3_to_50_characters(world: World, username: str) -> None:
    body = {**RAHIMA, "username": username}
    assert data_of(await world.anonymous.post("/auth/register", body), 201)["username"] == username


@pytest.mark.parametrize("password", ["secret", "x" * 128, "pass word ঢাকা"])
async def test_passwords_have_6_to_128_characters(world: World, password: str) -> None:
    data_of(await world.anonymous.post("/auth/register", {**RAHIMA, "password": password}), 201)
    body = {"email": RAHIMA["email"], "password": password}
    assert data_of(await world.anonymous.post("/auth/login", body))["username"] == "Rahima"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"email": "other@example.com"}, "USERNAME_TAKEN", "username"),
        ({"email": "other@example.com", "username": "rAHIMA"}, "USERNAME_TAKEN", "username"),
        ({"username": "other"}, "EMAIL_TAKEN", "email"),
        ({"username": "other", "email": "RAHIMA@example.COM"}, "EMAIL_TAKEN", "email"),
    ],
)
async def test_names_and_emails_are_unique_regardless_of_case(
    world: World, change: dict[str, str], code: str, field: str
) -> None:
    data_of(await world.anonymous.post("/auth/register", RAHIMA), 201)
    assert set(await refused(world.anonymous.post("/auth/register", {**RAHIMA, **change}), 400, code)) == {field}


@pytest.mark.parametrize(
    ("same", "code"), [({"username": "Rahima"}, "USERNAME_TAKEN"), ({"email": "r@example.com"}, "EMAIL_TAKEN")]
)
async def test_one_of_ten_simultaneous_signups_succeeds(world: World, same: dict[str, Any], code: str) -> None:
    bodies = [
        {**RAHIMA, "username": f"person {number}", "email": f"{number}@example.com", **same} for number in range(10)
    ]
    answers = await asyncio.gather(*(world.anonymous.post("/auth/register", body) for body in bodies))
    assert Counter(answer.json().get("code") for answer in answers) == {None: 1, code: 9}
    assert await User.all().count() == 1


async def test_login_returns_the_account(world: World) -> None:
    made = data_of(await world.anonymous.post("/auth/register", RAHIMA), 201)
    body = {"email": "RAHIMA@example.com", "password": "secret123"}
    answer = await world.anonymous.post("/auth/login", body)
    assert data_of(answer) == made
    assert "password" not in answer.text


@pytest.mark.parametrize(
    "wrong", [{"password": "secret124"}, {"password": "Secret123"}, {"email": "unknown@example.com"}, {"email": "%"}]
)
async def test_failed_login_does_not_reveal_whether_the_account_exists(world: World, wrong: dict[str, str]) -> None:
    data_of(await world.anonymous.post("/auth/register", RAHIMA), 201)
    body = {"email": RAHIMA["email"], "password": RAHIMA["password"], **wrong}
    assert await refused(world.anonymous.post("/auth/login", body), 401, "INVALID_CREDENTIALS") == {}


async def test_logout_returns_the_same_answer_without_a_session(world: World, stage: Stage) -> None:
    session = await world.session(stage.buyer_account)
    assert data_of(await session.post("/auth/logout", {})) == {"logged_out": True}
    error_in(await session.get("/auth/me"), 401, "UNAUTHENTICATED")
    for caller in (session, world.anonymous, stage.buyer):
        assert data_of(await caller.post("/auth/logout")) == {"logged_out": True}
    assert data_of(await stage.buyer.get("/auth/me"))["username"] == "buyer"


async def test_me_describes_the_api_key_and_its_owner(stage: Stage) -> None:
    assert stage.buyer.key is not None
    shown = data_of(await stage.buyer.get("/auth/me"))
    assert shown.pop("auth").items() >= {
        "method": "api_key", "key_id": stage.buyer.key.id, "key_type": "user",
        "permissions": ["events:read", "tickets:read", "tickets:write", "users:read", "users:write"],
    }.items()  # fmt: skip
    assert shown == {
        "id": stage.buyer_account.id, "username": "buyer", "email": "buyer@example.com", "type": "user", "admin": False
    }  # fmt: skip


@pytest.mark.parametrize(("role", "key_type"), [("buyer", "user"), ("organizer", "organizer"), ("admin", "admin")])
async def test_me_describes_the_session_and_its_owner(world: World, stage: Stage, role: str, key_type: str) -> None:
    account = getattr(stage, role).user
    auth = data_of(await (await world.session(account)).get("/auth/me"))["auth"]
    assert auth.keys() == {"method", "key_id", "key_type", "permissions", "rate_limit"}
    assert (auth["method"], auth["key_id"], auth["key_type"]) == ("session", None, key_type)
    assert "users:write" in auth["permissions"]


async def test_me_shows_the_rate_limit_of_the_caller(
    world: World, stage: Stage, configure: Callable[..., None]
) -> None:
    configure(rate_limit_user=60, rate_limit_organizer=120, rate_limit_admin=300)
    shown = [data_of(await caller.get("/auth/me"))["auth"]["rate_limit"] for caller in (
        stage.buyer, stage.organizer, stage.admin, await world.session(stage.buyer_account)
    )]  # fmt: skip
    assert shown == [60, 120, 300, 60]


async def test_me_requires_authentication(world: World) -> None:
    error_in(await world.anonymous.get("/auth/me"), 401, "UNAUTHENTICATED")


async def test_me_shows_the_wildcard_permission_unexpanded(stage: Stage) -> None:
    auth = data_of(await stage.admin.get("/auth/me"))["auth"]
    assert (auth["permissions"], auth["key_type"]) == (["*"], KeyType.ADMIN)


@pytest.mark.parametrize(
    "email", ["a@exam\u00adple.com", "a@exam\u200bple.com", "a@stra\u00dfe.de", "a\u202e@example.com"]
)
async def test_email_with_characters_that_mail_servers_rewrite_is_refused(world: World, email: str) -> None:
    body = {"username": "Nadia", "email": email, "password": "secret123", "number": "01700000000"}
    fields = await refused(world.anonymous.post("/auth/register", body), 400, "VALIDATION_ERROR")
    assert set(fields) == {"email"}


async def test_full_width_letters_in_an_email_are_normalized(world: World) -> None:
    body = {"username": "Nadia", "email": "n@\uff45xample.com", "password": "secret123", "number": "01700000000"}
    assert data_of(await world.anonymous.post("/auth/register", body), 201)["email"] == "n@example.com"


async def test_repeated_signup_does_not_return_an_account_deleted_since(world: World) -> None:
    body = {"username": "Nadia", "email": "n@example.com", "password": "secret123", "number": "01700000000"}
    first = data_of(await world.anonymous.post("/auth/register", body, idempotency_key="once"), 201)
    admin = await world.admin_key()
    data_of(await admin.delete(f"/admin/users/{first['id']}"))
    again = data_of(await world.anonymous.post("/auth/register", body, idempotency_key="once"), 201)
    assert again["id"] != first["id"]
