"""Remembered principals: they spare look-ups, and every change to an account is seen at once (decisions 2.4)."""

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette

from amarevents.models import Session, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import AccountType, KeyType
from amarevents.security.auth import principal_memory as module
from amarevents.security.auth.principal_memory import MAX_CREDENTIALS, PrincipalMemory
from amarevents.security.auth.principals import Identity
from amarevents.security.policy import Account, session_principal
from amarevents.security.rate_limit.quotas import session_quota
from tests.support.pauses import Pause
from tests.support.statements import counted_statements
from tests.support.world import Caller, World, hash_password

PASSWORD = "secret123"
NEW_PASSWORD = "another456"

pytestmark = pytest.mark.usefixtures("memory")


async def status_of(caller: Caller) -> tuple[int, int]:
    """Return the status of a request over REST, and over GraphQL."""
    return (await caller.get("/auth/me")).status_code, (await caller.graphql_response("{ me { id } }")).status_code


async def remember(caller: Caller) -> None:
    """Send requests until the caller's principal is remembered and used."""
    for _ in range(2):
        assert await status_of(caller) == (200, 200)


# What is spared ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["key", "session", "token"])
async def test_a_remembered_caller_is_identified_without_a_statement(world: World, kind: str) -> None:
    user = await world.user()
    make = {"key": world.key, "session": world.session, "token": world.token_session}[kind]
    caller = await make(user)
    await remember(caller)
    with counted_statements() as statements:
        answers = [await caller.get("/auth/me"), await caller.graphql_response("{ me { id } }")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert statements == []


async def test_the_first_request_is_identified_by_the_database(world: World) -> None:
    caller = await world.user_key()
    with counted_statements() as statements:
        await caller.get("/auth/me")
    assert len(statements) == 1


async def test_a_principal_is_read_again_after_its_age(world: World, memory: PrincipalMemory) -> None:
    caller = await world.user_key()
    await remember(caller)
    memory._seconds = 0.05
    await asyncio.sleep(0.06)
    with counted_statements() as statements:
        await caller.get("/auth/me")
    assert len(statements) == 1


async def test_memory_is_bounded_over_many_credentials(memory: PrincipalMemory) -> None:
    account = Account(
        id=1, username="a", email="a@b.c", number="1", type=AccountType.USER, admin=False, email_confirmed=True
    )
    identity = Identity(account, None, lambda: session_principal(account, 1))
    for number in range(100_000):
        memory.remember_account(f"digest {number}", identity)
    assert len(memory) == MAX_CREDENTIALS
    assert memory.find("digest 0") is None
    assert memory.find("digest 99999") is not None


async def test_changes_are_forgotten_after_the_age_of_principals(memory: PrincipalMemory) -> None:
    memory._seconds = 0.05
    for account_id in range(100):
        async with memory.changing(account_id):
            pass
    await asyncio.sleep(0.06)
    async with memory.changing(100):
        pass
    assert list(memory._changes) == [100]


# What is seen at once ---------------------------------------------------------------------------------------------


@dataclass
class Scene:
    """An account with a caller whose principal is remembered, and an admin."""

    world: World
    user: User
    admin: Caller
    caller: Caller

    @property
    def key_id(self) -> int:
        assert self.caller.key is not None
        return self.caller.key.id


async def _scene(world: World, kind: str) -> Scene:
    admin = await world.admin_key()
    user = await world.organizer(password_hash=hash_password(PASSWORD))
    make = {"session": world.session, "token": world.token_session}
    caller = await make[kind](user) if kind in make else await world.key(user, KeyType(kind))
    await remember(admin)
    await remember(caller)
    return Scene(world, user, admin, caller)


async def revoke(scene: Scene) -> None:
    await scene.caller.delete(f"/keys/{scene.key_id}")


async def revoke_by_admin(scene: Scene) -> None:
    await scene.admin.delete(f"/admin/revoke-key/{scene.key_id}")


async def suspend(scene: Scene) -> None:
    await scene.caller.put(f"/keys/{scene.key_id}", {"is_active": False})


async def demote(scene: Scene) -> None:
    await scene.admin.put(f"/admin/users/{scene.user.id}", {"type": "user"})


async def delete(scene: Scene) -> None:
    await scene.admin.delete(f"/admin/users/{scene.user.id}")


async def log_out(scene: Scene) -> None:
    await scene.caller.post("/auth/logout")


async def change_password(scene: Scene) -> None:
    other = await scene.world.session(scene.user)
    await other.put("/users/me", {"password": NEW_PASSWORD, "current_password": PASSWORD})


async def change_password_by_admin(scene: Scene) -> None:
    await scene.admin.put(f"/admin/users/{scene.user.id}", {"password": NEW_PASSWORD})


async def log_in_again(scene: Scene) -> None:
    await scene.caller.post("/auth/login", {"email": scene.user.email, "password": PASSWORD})


Change = Callable[[Scene], Awaitable[None]]
ENDINGS: list[tuple[str, Change, int]] = [
    ("user", revoke, 401),
    ("user", revoke_by_admin, 401),
    ("user", suspend, 401),
    ("organizer", demote, 403),
    ("user", delete, 401),
    ("session", delete, 401),
    ("session", log_out, 401),
    ("token", log_out, 401),
    ("session", change_password, 401),
    ("token", change_password, 401),
    ("session", change_password_by_admin, 401),
    ("session", log_in_again, 401),
]


@pytest.mark.parametrize(("kind", "change", "status"), ENDINGS)
async def test_a_caller_that_loses_access_is_refused_at_once(
    world: World, kind: str, change: Change, status: int
) -> None:
    scene = await _scene(world, kind)
    await change(scene)
    rest = await scene.caller.get("/auth/me")
    [error] = (await scene.caller.graphql("{ me { id } }"))["errors"]
    assert (rest.status_code, error["extensions"]["status"]) == (status, status)


@contextlib.asynccontextmanager
async def _unannounced(_self: PrincipalMemory, _account_id: int) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(("kind", "change", "_status"), ENDINGS)
async def test_unless_the_change_is_not_announced(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, change: Change, _status: int
) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr(PrincipalMemory, "changing", _unannounced)
    scene = await _scene(world, kind)
    await change(scene)
    assert await status_of(scene.caller) == (200, 200)


async def test_changed_permissions_apply_at_once(world: World) -> None:
    scene = await _scene(world, "organizer")
    session = await world.session(scene.user)
    await session.put(f"/keys/{scene.key_id}", {"permissions": ["events:read"]})
    assert (await scene.caller.get("/keys")).status_code == 403
    await session.put(f"/keys/{scene.key_id}", {"permissions": ["users:read"]})
    assert (await scene.caller.get("/keys")).status_code == 200


async def test_a_promotion_applies_at_once(world: World) -> None:
    admin, session = await world.admin_key(), await world.session(user := await world.user())
    await remember(session)
    await admin.post("/organizations", {"name": "Club", "user_id": user.id})
    assert (await session.get("/auth/me")).json()["data"]["type"] == "organizer"


async def test_an_admin_that_is_demoted_is_refused_at_once(world: World) -> None:
    admin, session = await world.admin_key(), await world.session(other := await world.admin())
    await remember(session)
    assert (await session.get("/admin/stats")).status_code == 200
    await admin.put(f"/admin/users/{other.id}", {"admin": False})
    assert (await session.get("/admin/stats")).status_code == 403


async def test_a_resumed_key_works_at_once(world: World) -> None:
    scene = await _scene(world, "user")
    session = await world.session(scene.user)
    await session.put(f"/keys/{scene.key_id}", {"is_active": False})
    assert (await scene.caller.get("/auth/me")).status_code == 401
    await session.put(f"/keys/{scene.key_id}", {"is_active": True})
    assert await status_of(scene.caller) == (200, 200)


@pytest.mark.parametrize("kind", ["key", "session"])
async def test_an_expiry_is_not_remembered_away(world: World, kind: str) -> None:
    user, soon = await world.user(), utc_now() + datetime.timedelta(seconds=0.5)
    if kind == "key":
        caller = await world.key(user, expires_at=soon)
    else:
        caller = await world.session(user)
        await Session.filter(user_id=user.id).update(expires_at=soon)
    await remember(caller)
    await asyncio.sleep(0.6)
    assert (await caller.get("/auth/me")).status_code == 401
    [error] = (await caller.graphql("{ me { id } }"))["errors"]
    assert error["extensions"]["status"] == 401


# Requests and changes at the same time ----------------------------------------------------------------------------


async def test_what_was_read_before_a_change_is_not_used_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that reads its principal while the key is being revoked must not remember what it has read."""
    caller = await world.user_key()
    await caller.get("/auth/me")
    session = await world.session(caller.user) if caller.user else world.anonymous
    pause = Pause(monkeypatch)
    pause.stop_after(module, "find_identity")
    assert caller.key is not None
    answer, _ = await pause.during(caller.get("/auth/me"), session.delete(f"/keys/{caller.key.id}"))
    assert answer.status_code == 200  # it was sent before
    assert await status_of(caller) == (401, 401)


async def test_a_change_that_fails_leaves_the_caller_in_place(world: World) -> None:
    scene = await _scene(world, "user")
    taken = await world.user()
    refused = await scene.admin.put(f"/admin/users/{scene.user.id}", {"username": taken.username})
    assert refused.status_code == 400
    assert await status_of(scene.caller) == (200, 200)
    await remember(scene.caller)
    with counted_statements() as statements:
        await scene.caller.get("/auth/me")
    assert statements == []


async def test_a_session_that_has_ended_counts_for_the_address_alone(
    app: Starlette, world: World, memory: PrincipalMemory
) -> None:
    session = await world.session(user := await world.user())
    await remember(session)
    async with memory.changing(user.id):
        await Session.filter(user_id=user.id).delete()
    assert (await session.get("/events")).status_code == 200
    usage = await app.state.services.limiter.usage(session_quota(user.id, app.state.services.settings))
    assert usage.used == 4
