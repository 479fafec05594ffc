"""What would let somebody pass for somebody else, pay once for two places, or stay when they should be gone."""

import asyncio
import datetime
from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from amarevents.models import ApiKey, Session, Ticket, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts import api_keys
from amarevents.security.auth.passwords import PasswordHasher
from tests.support.world import World, snapshot

REGISTER = {"username": "rokeya", "email": "rokeya@example.com", "password": "secret123", "number": "01700000000"}


@pytest.mark.parametrize("variant", ["bk1", " BK1 ", "ＢＫ１"])
async def test_other_spelling_of_a_transaction_id_is_a_duplicate(world: World, variant: str) -> None:
    event = await world.event(await world.organizer())
    buyer = await world.user_key()
    assert (await buyer.post("/tickets", {"event_id": event.id, "transaction_id": "BK1"})).status_code == 201
    refused = await buyer.post("/tickets", {"event_id": event.id, "transaction_id": variant})
    assert refused.json()["code"] == "DUPLICATE_TRANSACTION"
    assert await Ticket.all().count() == 1


@pytest.mark.parametrize("look_alike", ["BK1\u200b", "BK 1", "\u0412K1"])
async def test_transaction_id_with_look_alike_characters_is_refused(world: World, look_alike: str) -> None:
    event = await world.event(await world.organizer())
    refused = await (await world.user_key()).post("/tickets", {"event_id": event.id, "transaction_id": look_alike})
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {"transaction_id"})
    assert not await Ticket.exists()


@pytest.mark.parametrize(
    ("username", "code"),
    [
        ("ＲＯＫＥＹＡ", "USERNAME_TAKEN"),
        ("rokeya\u200b", "VALIDATION_ERROR"),
        ("\u200b\u200b\u202e", "VALIDATION_ERROR"),
    ],
)
async def test_username_that_looks_like_a_taken_one_is_refused(world: World, username: str, code: str) -> None:
    await world.anonymous.post("/auth/register", REGISTER)
    variant = {**REGISTER, "username": username, "email": "other@example.com"}
    assert (await world.anonymous.post("/auth/register", variant)).json()["code"] == code
    assert await User.all().count() == 1


@pytest.mark.parametrize("variant", ["rok\u200ceya", "rokeya\ufe0f", "rok\u3164eya"])
async def test_invisible_characters_do_not_make_a_different_username(world: World, variant: str) -> None:
    await world.anonymous.post("/auth/register", REGISTER)
    body = {**REGISTER, "username": variant, "email": "other@example.com"}
    assert (await world.anonymous.post("/auth/register", body)).json()["code"] in {"USERNAME_TAKEN", "VALIDATION_ERROR"}
    assert await User.all().count() == 1


async def test_bangla_username_with_joiners_is_accepted(world: World) -> None:
    body = {**REGISTER, "username": "র\u200d্যাব"}
    assert (await world.anonymous.post("/auth/register", body)).status_code == 201


async def test_username_that_normalization_makes_too_long_is_refused(world: World) -> None:
    refused = await world.anonymous.post("/auth/register", {**REGISTER, "username": "\ufdfa" * 50})
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {"username"})


async def test_unknown_field_with_a_blank_value_is_refused(world: World) -> None:
    refused = await world.anonymous.post("/auth/register", {**REGISTER, "nmae": ""})
    assert (refused.status_code, refused.json()["fields"]) == (400, {"nmae": "unknown field"})


async def test_number_of_keys_of_an_account_is_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MAX_KEYS", 2)
    caller = await world.user_key()
    body = {"name": "n", "key_type": "user"}
    second = (await caller.post("/keys", body)).json()["data"]
    assert (await caller.post("/keys", body)).json()["code"] == "TOO_MANY_KEYS"
    await caller.delete(f"/keys/{second['id']}")
    assert (await caller.post("/keys", body)).status_code == 201


async def test_simultaneous_requests_do_not_exceed_the_number_of_keys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MAX_KEYS", 4)
    caller = await world.user_key()
    made = await asyncio.gather(*[caller.post("/keys", {"name": "n", "key_type": "user"}) for _ in range(12)])
    assert sorted(answer.status_code for answer in made) == [201] * 3 + [400] * 9
    assert await ApiKey.all().count() == 4


async def test_expiring_key_cannot_create_a_key_that_outlives_it(world: World) -> None:
    ends = utc_now().replace(microsecond=0) + datetime.timedelta(days=2)
    caller = await world.key(await world.user(), KeyType.USER, expires_at=ends)
    made = (await caller.post("/keys", {"name": "n", "key_type": "user"})).json()["data"]
    assert (await ApiKey.get(id=made["id"])).expires_at == ends
    later = (ends + datetime.timedelta(days=1)).isoformat()
    before = await snapshot()
    refused = await caller.post("/keys", {"name": "n", "key_type": "user", "expires_at": later})
    assert refused.json()["code"] == "KEY_TOO_POWERFUL"
    assert await snapshot() == before


async def test_logout_ends_a_session_started_in_the_same_request(world: World) -> None:
    await world.anonymous.post("/auth/register", REGISTER)
    answer = await world.anonymous.graphql_response(
        'mutation { login(input: {email: "rokeya@example.com", password: "secret123"}) { id } logout { loggedOut } }'
    )
    assert answer.json()["data"]["logout"] == {"loggedOut": True}
    assert not await Session.exists()
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


async def test_request_is_unauthenticated_after_its_logout(world: World) -> None:
    caller = await world.session(await world.user())
    answer = await caller.graphql(
        'mutation { logout { loggedOut } createApiKey(input: {name: "n", keyType: USER}) { id } }'
    )
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert not await ApiKey.exists()


async def test_two_logins_in_one_request_leave_one_session(world: World) -> None:
    await world.anonymous.post("/auth/register", REGISTER)
    login = 'login(input: {email: "rokeya@example.com", password: "secret123"}) { id }'
    await world.anonymous.graphql(f"mutation {{ a: {login} b: {login} }}")
    assert await Session.all().count() == 1


async def test_login_beyond_the_rate_limit_is_429_in_graphql(world: World, configure: Callable[..., None]) -> None:
    configure(rate_limit_credentials=1)
    login = 'mutation { login(input: {email: "a@example.com", password: "secret123"}) { id } }'
    assert (await world.anonymous.graphql_response(login)).status_code == 200
    refused = await world.anonymous.graphql_response(login)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1


async def test_login_verifies_a_hash_even_without_an_account_or_password(
    world: World, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher: PasswordHasher = app.state.services.hasher
    verified: list[str] = []
    verify = hasher._argon2.verify
    monkeypatch.setattr(hasher, "_argon2", _Counting(verify, verified))
    await world.user(username="silent", password_hash="!")
    for email in ("silent@example.com", "unknown@example.com"):
        answer = await world.anonymous.post("/auth/login", {"email": email, "password": "no account has this password"})
        assert answer.status_code == 401
    assert [stored.startswith("$argon2") for stored in verified] == [True, True]


class _Counting:
    def __init__(self, verify: Callable[[str, str], bool], verified: list[str]) -> None:
        self._verify, self._verified = verify, verified

    def verify(self, stored: str, password: str) -> bool:
        self._verified.append(stored)
        return self._verify(stored, password)
