"""Key type, scope, ownership and state of the credential, for every operation on its surfaces: a typed table."""

import datetime
import json
from collections.abc import Awaitable, Callable, Mapping

import pytest

from amarevents.models import ApiKey, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import AccountType, KeyType
from amarevents.resolvers.core.operation import OPERATIONS
from tests.contract.access import ADMINS, CALLERS, Row
from tests.contract.access_graphql import ONLY_GRAPHQL_ROWS
from tests.contract.access_table import ALL_ROWS, ROWS
from tests.contract.contract import contract_routes
from tests.contract.operations import GRAPHQL_ONLY, field_name, operation_of
from tests.contract.scene import Request, Scene, Surface, over_graphql, over_rest
from tests.support.tables import require_rows
from tests.support.world import Caller, snapshot

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

SURFACES: dict[str, Surface] = {"rest": over_rest, "graphql": over_graphql}


def _on_its_surfaces(*rows: Row) -> pytest.MarkDecorator:
    """A test for every row, on each surface that has it."""
    pairs = [
        pytest.param(row, surface, id=f"{row.name} {name}")
        for row in rows
        for name, surface in SURFACES.items()
        if (row.path if surface is over_rest else row.graphql)
    ]
    return pytest.mark.parametrize(("row", "surface"), pairs)


EVERY_ROW = _on_its_surfaces(*ALL_ROWS)


async def _without_a_trace(requests: Mapping[str, Request]) -> dict[str, int]:
    """The statuses of requests that must not change anything."""
    before = await snapshot()
    answers = {name: await send() for name, send in requests.items()}
    assert await snapshot() == before
    return answers


@EVERY_ROW
async def test_each_caller_gets_what_the_table_says(scene: Scene, row: Row, surface: Surface) -> None:
    requests = {name: await scene.request(surface, row, await scene.caller(name)) for name in CALLERS}
    harmless = [name for name, status in row.expected.items() if status >= 400 or row.only_reads]
    answers = await _without_a_trace({name: requests.pop(name) for name in harmless})
    answers |= {name: await send() for name, send in requests.items()}
    assert answers == row.expected


@_on_its_surfaces(*[row for row in ALL_ROWS if row.scope])
async def test_without_the_scope_no_badge_helps(scene: Scene, row: Row, surface: Surface) -> None:
    users = {"user": scene.holder, "organizer": scene.owner, "admin": scene.admin}
    requests = {}
    for badge in row.badges:
        permissions = [scope for scope in SCOPES[KeyType(badge)] if scope != row.scope]
        key = await scene.world.key(users[badge], KeyType(badge), permissions=permissions)
        requests[badge] = await scene.request(surface, row, key)
    assert await _without_a_trace(requests) == dict.fromkeys(row.badges, 403)


@_on_its_surfaces(*[row for row in ALL_ROWS if row.scope and "admin" in row.badges])
async def test_the_scope_alone_is_enough_for_admins(scene: Scene, row: Row, surface: Surface) -> None:
    permissions = [row.scope or "", *(["events:read"] if "$secret" in row.body else [])]
    key = await scene.world.key(scene.admin, KeyType.ADMIN, permissions=permissions)
    send = await scene.request(surface, row, key)
    assert await send() == row.expected["admin"]


@_on_its_surfaces(*[row for row in ALL_ROWS if "$secret" in row.path and not row.badges])
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
async def test_a_credential_that_is_not_good_is_refused_everywhere(scene: Scene, row: Row, surface: Surface) -> None:
    """Public routes take a session that is none for nobody (decisions 2.1)."""
    expected = {f"{make}": status for make, status in BAD_CREDENTIALS.items()}
    requests = {f"{make}": await scene.request(surface, row, await make(scene)) for make in BAD_CREDENTIALS}
    if row.badges:
        nonsense = Caller(scene.world.http, scene.holder, {"Cookie": "amarevents_session=nonsense"})
        requests["no session"], expected["no session"] = await scene.request(surface, row, nonsense), 401
    assert await _without_a_trace(requests) == expected


@_on_its_surfaces(*[row for row in ALL_ROWS if "user" not in row.badges and row.badges])
async def test_a_session_has_its_accounts_role_at_this_very_request(scene: Scene, row: Row, surface: Surface) -> None:
    """decisions 2.4"""
    callers = {name: await scene.caller(name) for name in ("owner's session", "admin's session")}
    requests = {name: await scene.request(surface, row, caller) for name, caller in callers.items()}
    await User.all().update(type=AccountType.USER, admin=False)
    assert await _without_a_trace(requests) == dict.fromkeys(callers, 403)


@_on_its_surfaces(*[row for row in ALL_ROWS if row.badges == ADMINS])
async def test_an_admins_weaker_keys_are_no_admin_keys(scene: Scene, row: Row, surface: Surface) -> None:
    """Whatever permissions they hold (the contract's words on admin routes)."""
    everything = [*SCOPES[KeyType.ADMIN], "*"]
    await User.filter(id=scene.admin.id).update(type=AccountType.ORGANIZER)
    keys = {
        key_type: await scene.world.key(scene.admin, key_type, permissions=everything)
        for key_type in (KeyType.USER, KeyType.ORGANIZER)
    }
    requests = {str(key_type): await scene.request(surface, row, key) for key_type, key in keys.items()}
    assert await _without_a_trace(requests) == {"user": 403, "organizer": 403}


ELSEWHERE: dict[str, dict[str, str]] = {
    "no origin": {},
    "another origin": {"Origin": "https://evil.example"},
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
}


@_on_its_surfaces(*[row for row in ALL_ROWS if not row.only_reads])
async def test_a_session_changes_nothing_from_another_site(scene: Scene, row: Row, surface: Surface) -> None:
    """decisions 2.3"""
    requests = {}
    for name, headers in ELSEWHERE.items():
        caller = await scene.caller("admin's session")
        caller.headers = {"Cookie": caller.headers["Cookie"], **headers}
        requests[name] = await scene.request(surface, row, caller)
    assert await _without_a_trace(requests) == dict.fromkeys(ELSEWHERE, 403)


@pytest.mark.parametrize("body", ["", "{", "[]", json.dumps({"unknown": 1})])
async def test_who_may_not_call_is_told_so_whatever_the_body(scene: Scene, body: str) -> None:
    row = Row("POST", "/events", body, "", "")
    requests = {name: await scene.request(over_rest, row, await scene.caller(name)) for name in ("nobody", "holder")}
    assert await _without_a_trace(requests) == {"nobody": 401, "holder": 403}


async def test_a_demoted_owner_keeps_the_data_and_loses_the_power(scene: Scene) -> None:
    """decisions 2.4, 4.1 and 5.3"""
    caller = await scene.caller("owner's session")
    admin = await scene.caller("admin")
    assert (await admin.put(f"/admin/users/{scene.owner.id}", {"demote_organizer": True})).status_code == 200
    before = await snapshot()
    assert (await scene.world.anonymous.get(f"/events/{scene.event.id}")).status_code == 200
    assert (await caller.get(f"/events/{scene.secret.id}")).status_code == 200
    assert (await caller.get("/tickets", event_id=scene.event.id)).status_code == 403
    assert (await caller.get(f"/tickets/{scene.strangers_ticket.id}")).status_code == 404
    assert (await caller.put(f"/events/{scene.event.id}", {"notice": "mine"})).status_code == 403
    assert await snapshot() == before


async def test_an_organizer_key_is_told_what_changes_a_profile(scene: Scene) -> None:
    """decisions 2.7"""
    refused = await (await scene.caller("owner")).put("/users/me", {"country": "Bangladesh"})
    assert refused.status_code == 403
    assert "user or admin" in refused.json()["error"]


async def test_a_private_event_is_seen_by_a_foreign_organizer_who_holds_a_ticket(scene: Scene) -> None:
    """Seen, and no more than that: 403 instead of 404 for what is the owner's (decisions 4.1, 6.9)."""
    await scene.world.ticket(scene.secret, scene.foreign)
    caller = await scene.caller("foreign")
    before = await snapshot()
    assert (await caller.get(f"/events/{scene.secret.id}")).status_code == 200
    for refused in (
        caller.get(f"/events/{scene.secret.id}/stats"),
        caller.get(f"/events/{scene.secret.id}/tickets"),
        caller.put(f"/events/{scene.secret.id}", {"notice": "mine"}),
        caller.delete(f"/events/{scene.secret.id}"),
    ):
        assert (await refused).status_code == 403
    assert await snapshot() == before


def test_the_table_has_every_route_of_the_contract() -> None:
    rows = [(row.method, row.contract_path) for row in ROWS]
    required = [(line.method, line.path) for line in contract_routes()]
    require_rows("ROWS in tests/contract/access_*.py", rows, required)


def test_the_table_has_the_key_types_of_the_contract() -> None:
    in_contract = {(route.method, route.path): route.key_types for route in contract_routes()}
    for row in ROWS:
        assert in_contract[row.method, row.contract_path] == {KeyType(badge) for badge in row.badges}


def test_every_operation_is_asked_for_over_graphql_as_well() -> None:
    names = {row: operation_of(row.method, row.contract_path).name for row in ROWS}
    documents = [name for row, name in names.items() if row.graphql]
    require_rows("The GraphQL documents of ROWS in tests/contract/access_*.py", documents, names.values())


def test_what_graphql_alone_has_is_asked_for_there() -> None:
    rows = [row.root_field for row in ONLY_GRAPHQL_ROWS]
    required = [field_name(OPERATIONS[name]) for name in GRAPHQL_ONLY]
    require_rows("ONLY_GRAPHQL_ROWS in tests/contract/access_graphql.py", rows, required)
