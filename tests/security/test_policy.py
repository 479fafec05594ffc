"""Badges and scopes of the routes: the contract's badges, and the table of decisions 2.6, typed again here."""

from typing import Any, NamedTuple

import pytest

from amarevents import errors
from amarevents.models.enums import KeyType, Privacy
from amarevents.security.policy import ALLOWED_SCOPES, ANONYMOUS, allow
from tests.support.world import Caller, World, snapshot

ALL = ("user", "organizer", "admin")
MANAGERS = ("organizer", "admin")

SCOPES_OF_TYPE = {
    "user": {"events:read", "tickets:read", "tickets:write", "users:read", "users:write"},
    "organizer": {
        *("events:read", "events:write", "events:delete", "tickets:read", "tickets:write", "tickets:delete"),
        *("organizations:read", "organizations:write", "donations:read", "donations:write", "users:read"),
    },
}
SCOPES_OF_TYPE["admin"] = SCOPES_OF_TYPE["organizer"] | {"users:write", "admin", "*"}


class Gate(NamedTuple):
    method: str
    path: str
    badges: tuple[str, ...]
    scope: str | None


PUBLIC = [
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("POST", "/auth/logout"),
    ("GET", "/events"),
    ("GET", "/events/999"),
    ("GET", "/organizations"),
    ("GET", "/organizations/999"),
    ("GET", "/ticket-types"),
]
GATES = [
    Gate("GET", "/auth/me", ALL, None),
    Gate("POST", "/events", MANAGERS, "events:write"),
    Gate("POST", "/organizations", ("admin",), "organizations:write"),
    Gate("GET", "/tickets", ALL, "tickets:read"),
    Gate("GET", "/tickets/999", ALL, "tickets:read"),
    Gate("POST", "/tickets", ALL, "tickets:write"),
    Gate("POST", "/tickets/999/verify", MANAGERS, "tickets:read"),
    Gate("PUT", "/tickets/999", MANAGERS, "tickets:write"),
    Gate("POST", "/ticket-types", MANAGERS, "events:write"),
    Gate("GET", "/keys", ALL, "users:read"),
    Gate("POST", "/keys", ALL, None),
    Gate("PUT", "/keys/999", ALL, None),
    Gate("DELETE", "/keys/999", ALL, None),
]
SCOPED = [gate for gate in GATES if gate.scope is not None]
NO_BODY: dict[str, Any] = {}


async def _ask(caller: Caller, method: str, path: str) -> tuple[int, str]:
    """Status and code of a request that fails at the latest at its body or its row."""
    body = None if method in {"GET", "DELETE"} else NO_BODY
    answer = await caller.http.request(method, f"/api{path}", json=body, headers=caller.headers)
    return answer.status_code, answer.json().get("code", "")


async def _key(world: World, key_type: str, **options: Any) -> Caller:
    return await world.key(await world.admin(), KeyType(key_type), **options)


async def _session(world: World, role: str) -> Caller:
    return await world.session(await {"user": world.user, "organizer": world.organizer, "admin": world.admin}[role]())


@pytest.mark.parametrize("key_type", ALL)
def test_a_key_type_may_hold_what_the_contract_says(key_type: str) -> None:
    assert {str(scope) for scope in ALLOWED_SCOPES[KeyType(key_type)]} == SCOPES_OF_TYPE[key_type]


@pytest.mark.parametrize(("method", "path"), PUBLIC)
async def test_public_routes_ask_for_no_credential(world: World, method: str, path: str) -> None:
    for caller in (world.anonymous, await _key(world, "user", permissions=[])):
        status, code = await _ask(caller, method, path)
        assert status in {200, 400, 404}
        assert code in {"", "VALIDATION_ERROR", "NOT_FOUND"}


@pytest.mark.parametrize("gate", GATES, ids=str)
async def test_all_other_routes_refuse_nobody_whatever_the_body(world: World, gate: Gate) -> None:
    before = await snapshot()
    assert await _ask(world.anonymous, gate.method, gate.path) == (401, "UNAUTHENTICATED")
    broken = await world.http.request(gate.method, f"/api{gate.path}", content=b"{broken")
    assert broken.status_code == 401
    assert await snapshot() == before


@pytest.mark.parametrize("key_type", ALL)
@pytest.mark.parametrize("gate", GATES, ids=str)
async def test_the_badges_are_the_key_types_that_may_call(world: World, gate: Gate, key_type: str) -> None:
    caller = await _key(world, key_type)
    before = await snapshot()
    status, code = await _ask(caller, gate.method, gate.path)
    if key_type in gate.badges:
        assert status in {200, 400, 404}
    else:
        assert (status, code) == (403, "WRONG_KEY_TYPE")
        assert await snapshot() == before


@pytest.mark.parametrize("role", ALL)
@pytest.mark.parametrize("gate", GATES, ids=str)
async def test_a_session_counts_as_every_key_type_its_account_may_create(world: World, gate: Gate, role: str) -> None:
    counts_as = set(ALL[: ALL.index(role) + 1])
    caller = await _session(world, role)
    before = await snapshot()
    status, code = await _ask(caller, gate.method, gate.path)
    if counts_as & set(gate.badges):
        assert status in {200, 400, 404}
    else:
        assert (status, code) == (403, "WRONG_KEY_TYPE")
        assert await snapshot() == before


@pytest.mark.parametrize("gate", SCOPED, ids=str)
async def test_a_badge_without_the_scope_is_not_enough(world: World, gate: Gate) -> None:
    for key_type in gate.badges:
        others = SCOPES_OF_TYPE[key_type] - {gate.scope, "*"}
        caller = await _key(world, key_type, permissions=sorted(str(scope) for scope in others))
        before = await snapshot()
        assert await _ask(caller, gate.method, gate.path) == (403, "MISSING_SCOPE")
        assert await snapshot() == before


@pytest.mark.parametrize("gate", SCOPED, ids=str)
async def test_the_scope_alone_is_enough_beside_the_badge(world: World, gate: Gate) -> None:
    for key_type in gate.badges:
        status, _ = await _ask(await _key(world, key_type, permissions=[gate.scope]), gate.method, gate.path)
        assert status in {200, 400, 404}


@pytest.mark.parametrize("gate", [gate for gate in GATES if gate.scope is None], ids=str)
async def test_a_key_without_permissions_reaches_what_asks_for_no_scope(world: World, gate: Gate) -> None:
    for key_type in ALL:
        status, _ = await _ask(await _key(world, key_type, permissions=[]), gate.method, gate.path)
        assert status in {200, 400, 404}


async def test_the_wildcard_stands_for_every_scope(world: World) -> None:
    caller = await _key(world, "admin", permissions=["*"])
    for gate in SCOPED:
        status, _ = await _ask(caller, gate.method, gate.path)
        assert status in {200, 400, 404}


@pytest.mark.parametrize(("permissions", "status"), [(["events:read"], 200), (["tickets:read", "users:read"], 404)])
async def test_private_events_need_events_read(world: World, permissions: list[str], status: int) -> None:
    owner = await world.organizer()
    event = await world.event(owner, privacy=Privacy.PRIVATE)
    caller = await world.key(owner, KeyType.ORGANIZER, permissions=permissions)
    assert (await caller.get(f"/events/{event.id}")).status_code == status
    assert len((await caller.get("/events")).json()["data"]) == (status == 200)


async def test_an_admin_accounts_organizer_key_does_not_act_as_an_admin(world: World) -> None:
    admin = await world.admin()
    event = await world.event(await world.organizer(), privacy=Privacy.PRIVATE)
    assert (await (await world.key(admin, KeyType.ORGANIZER)).get(f"/events/{event.id}")).status_code == 404
    assert (await (await world.key(admin, KeyType.ADMIN)).get(f"/events/{event.id}")).status_code == 200


def test_a_policy_with_badges_names_at_least_one() -> None:
    with pytest.raises(ValueError, match="PUBLIC"):
        allow(scope=None)


def test_nobody_has_no_account() -> None:
    with pytest.raises(errors.Unauthenticated):
        ANONYMOUS.require_account()
