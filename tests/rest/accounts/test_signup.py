"""Signup over REST: account fields, and unique usernames and emails (decisions 8.1)."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from amarevents.models import User
from tests.support.rest_answers import ACCOUNT_FIELDS, INSTANT, data_of, refused
from tests.support.world import World

RAHIMA = {"username": "Rahima", "email": "rahima@example.com", "password": "secret123", "number": "01700000000"}
ROKEYA = {"username": "rokeya", "email": "rokeya@example.com", "password": "secret123", "number": "01700000000"}


async def test_signup_creates_an_ordinary_account(world: World) -> None:
    sent = {**RAHIMA, "username": " Rahima ", "email": " Rahima@Example.com "}
    created = data_of(await world.anonymous.post("/auth/register", sent), 201)
    assert created.keys() == ACCOUNT_FIELDS
    assert INSTANT.fullmatch(created.pop("created_at"))
    assert created.pop("id") > 0
    assert created == {
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
    responses = await asyncio.gather(*(world.anonymous.post("/auth/register", body) for body in bodies))
    assert Counter(response.json().get("code") for response in responses) == {None: 1, code: 9}
    assert await User.all().count() == 1


@pytest.mark.parametrize(
    "email", ["a@exam\u00adple.com", "a@exam\u200bple.com", "a@stra\u00dfe..de", "a\u202e@example.com"]
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


@pytest.mark.parametrize(
    ("username", "code"),
    [
        ("ＲＯＫＥＹＡ", "USERNAME_TAKEN"),
        ("rokeya\u200b", "VALIDATION_ERROR"),
        ("\u200b\u200b\u202e", "VALIDATION_ERROR"),
    ],
)
async def test_username_that_looks_like_a_taken_one_is_refused(world: World, username: str, code: str) -> None:
    await world.anonymous.post("/auth/register", ROKEYA)
    variant = {**ROKEYA, "username": username, "email": "other@example.com"}
    assert (await world.anonymous.post("/auth/register", variant)).json()["code"] == code
    assert await User.all().count() == 1


@pytest.mark.parametrize("variant", ["rok\u200ceya", "rokeya\ufe0f", "rok\u3164eya"])
async def test_invisible_characters_do_not_make_a_different_username(world: World, variant: str) -> None:
    await world.anonymous.post("/auth/register", ROKEYA)
    body = {**ROKEYA, "username": variant, "email": "other@example.com"}
    assert (await world.anonymous.post("/auth/register", body)).json()["code"] in {"USERNAME_TAKEN", "VALIDATION_ERROR"}
    assert await User.all().count() == 1


async def test_bangla_username_with_joiners_is_accepted(world: World) -> None:
    body = {**ROKEYA, "username": "র\u200d্যাব"}
    assert (await world.anonymous.post("/auth/register", body)).status_code == 201


async def test_username_that_normalization_makes_too_long_is_refused(world: World) -> None:
    response = await world.anonymous.post("/auth/register", {**ROKEYA, "username": "\ufdfa" * 50})
    assert (response.status_code, set(response.json()["fields"])) == (400, {"username"})
