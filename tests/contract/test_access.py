"""Key type, scope, ownership and state of the credential, for every route on both surfaces, against a typed table."""

import datetime
import json
from collections.abc import Awaitable, Callable, Mapping

import pytest

from amarevents.models import ApiKey, User
from amarevents.models.enums import AccountType, KeyType
from amarevents.models.fields import utc_now
from amarevents.security.passwords import PasswordHasher
from amarevents.settings import Settings
from tests.contract.access import CALLERS, ROWS, Row
from tests.contract.contract import contract_routes
from tests.contract.scene import Request, Scene, Surface, make_scene, over_graphql, over_rest
from tests.world import Caller, World, snapshot

_READ = ["events:read", "tickets:read", "users:read"]
_MANAGE = [
    *(*_READ, "events:write", "events:delete", "tickets:write", "tickets:delete"),
    *("organizations:read", "organizations:write", "donations:read", "donations:write"),
]
SCOPES = {
    KeyType.USER: [*_READ, "tickets:write", "users:write"],
    KeyType.ORGANIZER: _MANAGE,
    KeyType.ADMIN: [*_MANAGE, "users:write", "admin"],
}
"""The permission table of the contract."""

EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
SCOPED_ROWS = pytest.mark.parametrize("row", [row for row in ROWS if row.scope], ids=lambda row: row.name)
BOTH_SURFACES = pytest.mark.parametrize("surface", [over_rest, over_graphql], ids=["rest", "graphql"])


@pytest.fixture
async def scene(world: World, deployment: Settings) -> Scene:
    hasher = PasswordHasher(deployment)
    password_hash = await hasher.hash("secret123")
    hasher.close()
    return await make_scene(world, password_hash=password_hash)


async def _without_a_trace(requests: Mapping[str, Request]) -> dict[str, int]:
    """The statuses of requests that must not change anything."""
    before = await snapshot()
    answers = {name: await send() for name, send in requests.items()}
    assert await snapshot() == before
    return answers


@EVERY_ROW
@BOTH_SURFACES
async def test_each_caller_gets_what_the_table_says(scene: Scene, row: Row, surface: Surface) -> None:
    expected = dict(zip(CALLERS, map(int, row.statuses.split()), strict=True))
    requests = {name: await scene.request(surface, row, await scene.caller(name)) for name in CALLERS}
    harmless = [name for name, status in expected.items() if status >= 400 or row.only_reads]
    answers = await _without_a_trace({name: requests.pop(name) for name in harmless})
    answers |= {name: await send() for name, send in requests.items()}
    assert answers == expected


@SCOPED_ROWS
@BOTH_SURFACES
async def test_without_the_scope_no_badge_helps(scene: Scene, row: Row, surface: Surface) -> None:
    users = {"user": scene.holder, "organizer": scene.owner, "admin": scene.admin}
    requests = {}
    for badge in row.badges:
        permissions = [scope for scope in SCOPES[KeyType(badge)] if scope != row.scope]
        key = await scene.world.key(users[badge], KeyType(badge), permissions=permissions)
        requests[badge] = await scene.request(surface, row, key)
    assert await _without_a_trace(requests) == dict.fromkeys(row.badges, 403)


@SCOPED_ROWS
@BOTH_SURFACES
async def test_the_scope_alone_is_enough_for_admins(scene: Scene, row: Row, surface: Surface) -> None:
    permissions = [row.scope or "", *(["events:read"] if "$secret" in row.body else [])]
    key = await scene.world.key(scene.admin, KeyType.ADMIN, permissions=permissions)
    send = await scene.request(surface, row, key)
    assert await send() == int(row.statuses.split()[CALLERS.index("admin")])


@pytest.mark.parametrize("row", [row for row in ROWS if "$secret" in row.path], ids=lambda row: row.name)
@BOTH_SURFACES
async def test_private_events_need_events_read(scene: Scene, row: Row, surface: Surface) -> None:
    users = {KeyType.ORGANIZER: scene.owner, KeyType.USER: scene.holder, KeyType.ADMIN: scene.admin}
    requests = {}
    for key_type, user in users.items():
        permissions = [scope for scope in SCOPES[key_type] if scope != "events:read"]
        requests[str(key_type)] = await scene.request(
            surface, row, await scene.world.key(user, key_type, permissions=permissions)
        )
    assert await _without_a_trace(requests) == {"organizer": 404, "user": 404, "admin": 404}


async def _suspended(scene: Scene) -> Caller:
    return await scene.world.key(scene.admin, KeyType.ADMIN, is_active=False)


async def _expired(scene: Scene) -> Caller:
    return await scene.world.key(scene.admin, KeyType.ADMIN, expires_at=utc_now() - datetime.timedelta(seconds=1))


async def _revoked(scene: Scene) -> Caller:
    return await scene.world.key(scene.admin, KeyType.ADMIN, revoked_at=utc_now(), is_active=False)


async def _deleted(scene: Scene) -> Caller:
    caller = await scene.world.key(scene.admin, KeyType.ADMIN)
    assert caller.key
    await ApiKey.filter(id=caller.key.id).delete()
    return caller


async def _malformed(scene: Scene) -> Caller:
    caller = await scene.world.key(scene.admin, KeyType.ADMIN)
    raw = caller.headers["Authorization"]
    caller.headers["Authorization"] = raw[:-1] + ("a" if raw[-1] != "a" else "b")
    return caller


async def _other_scheme(scene: Scene) -> Caller:
    caller = await scene.world.key(scene.admin, KeyType.ADMIN)
    caller.headers["Authorization"] = caller.headers["Authorization"].replace("Bearer", "Basic")
    return caller


async def _demoted_organizer(scene: Scene) -> Caller:
    caller = await scene.world.key(scene.owner, KeyType.ORGANIZER)
    await User.filter(id=scene.owner.id).update(type=AccountType.USER)
    return caller


async def _former_admin(scene: Scene) -> Caller:
    caller = await scene.world.key(scene.admin, KeyType.ADMIN)
    await User.filter(id=scene.admin.id).update(admin=False)
    return caller


BAD_CREDENTIALS: dict[Callable[[Scene], Awaitable[Caller]], int] = {
    _suspended: 401,
    _expired: 401,
    _revoked: 401,
    _deleted: 401,
    _malformed: 401,
    _other_scheme: 401,
    _demoted_organizer: 403,
    _former_admin: 403,
}
"""Everywhere, on public routes as well (decisions 2.1, 2.4)."""


@EVERY_ROW
@BOTH_SURFACES
async def test_a_credential_that_is_not_good_is_refused_everywhere(scene: Scene, row: Row, surface: Surface) -> None:
    expected = {f"{make}": status for make, status in BAD_CREDENTIALS.items()}
    requests = {f"{make}": await scene.request(surface, row, await make(scene)) for make in BAD_CREDENTIALS}
    assert await _without_a_trace(requests) == expected


@pytest.mark.parametrize("row", [row for row in ROWS if row.statuses.startswith("401")], ids=lambda row: row.name)
@BOTH_SURFACES
async def test_a_session_that_is_none_is_nobody(scene: Scene, row: Row, surface: Surface) -> None:
    caller = Caller(scene.world.http, scene.holder, {"Cookie": "amarevents_session=nonsense"})
    assert await _without_a_trace({"it": await scene.request(surface, row, caller)}) == {"it": 401}


@pytest.mark.parametrize("body", ["", "{", "[]", json.dumps({"unknown": 1})])
async def test_who_may_not_call_is_told_so_whatever_the_body(scene: Scene, body: str) -> None:
    row = Row("POST", "/events", body, "", "")
    requests = {name: await scene.request(over_rest, row, await scene.caller(name)) for name in ("nobody", "holder")}
    assert await _without_a_trace(requests) == {"nobody": 401, "holder": 403}


def test_the_table_has_the_badges_of_the_contract() -> None:
    in_contract = {(route.method, route.path): route.badges for route in contract_routes()}
    for row in ROWS:
        assert in_contract[row.method, row.contract_path] == {KeyType(badge) for badge in row.badges}
