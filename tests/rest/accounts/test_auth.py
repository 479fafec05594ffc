"""Login, logout and the caller's identity over REST (decisions 8.1, 8.2)."""

from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from amarevents.models.enums import KeyType
from amarevents.security.auth.passwords import PasswordHasher
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in, refused
from tests.support.world import World

RAHIMA = {"username": "Rahima", "email": "rahima@example.com", "password": "secret123", "number": "01700000000"}


async def test_login_returns_the_account(world: World) -> None:
    created = data_of(await world.anonymous.post("/auth/register", RAHIMA), 201)
    body = {"email": "RAHIMA@example.com", "password": "secret123"}
    response = await world.anonymous.post("/auth/login", body)
    assert data_of(response) == {**created, "token": None}
    assert "password" not in response.text


@pytest.mark.parametrize(
    "wrong", [{"password": "secret124"}, {"password": "Secret123"}, {"email": "unknown@example.com"}, {"email": "%"}]
)
async def test_failed_login_does_not_reveal_whether_the_account_exists(world: World, wrong: dict[str, str]) -> None:
    data_of(await world.anonymous.post("/auth/register", RAHIMA), 201)
    body = {"email": RAHIMA["email"], "password": RAHIMA["password"], **wrong}
    assert await refused(world.anonymous.post("/auth/login", body), 401, "INVALID_CREDENTIALS") == {}


async def test_logout_gives_the_same_response_without_a_session(world: World, stage: Stage) -> None:
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
    configure(rate_limit_user=60, rate_limit_organizer=120, rate_limit_admin=300, rate_limit_session=600)
    shown = [data_of(await caller.get("/auth/me"))["auth"]["rate_limit"] for caller in (
        stage.buyer, stage.organizer, stage.admin, await world.session(stage.buyer_account)
    )]  # fmt: skip
    assert shown == [60, 120, 300, 600]


async def test_me_requires_authentication(world: World) -> None:
    error_in(await world.anonymous.get("/auth/me"), 401, "UNAUTHENTICATED")


async def test_me_shows_the_wildcard_permission_unexpanded(stage: Stage) -> None:
    auth = data_of(await stage.admin.get("/auth/me"))["auth"]
    assert (auth["permissions"], auth["key_type"]) == (["*"], KeyType.ADMIN)


async def test_login_verifies_a_hash_even_without_an_account_or_password(
    world: World, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher: PasswordHasher = app.state.services.hasher
    verified: list[str] = []
    verify = hasher._argon2.verify
    monkeypatch.setattr(hasher, "_argon2", _RecordingVerifier(verify, verified))
    await world.user(username="silent", password_hash="!")
    for email in ("silent@example.com", "unknown@example.com"):
        response = await world.anonymous.post(
            "/auth/login", {"email": email, "password": "no account has this password"}
        )
        assert response.status_code == 401
    assert [stored.startswith("$argon2") for stored in verified] == [True, True]


class _RecordingVerifier:
    def __init__(self, verify: Callable[[str, str], bool], verified: list[str]) -> None:
        self._verify, self._verified = verify, verified

    def verify(self, stored: str, password: str) -> bool:
        self._verified.append(stored)
        return self._verify(stored, password)
