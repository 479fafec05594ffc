"""Policies of routes: the badges of the contract and the scopes of decisions 2.6, typed from their tables."""

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


class ProtectedRoute(NamedTuple):
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
PROTECTED = [
    ProtectedRoute("GET", "/auth/me", ALL, None),
    ProtectedRoute("POST", "/events", MANAGERS, "events:write"),
    ProtectedRoute("POST", "/organizations", ("admin",), "organizations:write"),
    ProtectedRoute("GET", "/tickets", ALL, "tickets:read"),
    ProtectedRoute("GET", "/tickets/999", ALL, "tickets:read"),
    ProtectedRoute("POST", "/tickets", ALL, "tickets:write"),
    ProtectedRoute("POST", "/tickets/999/verify", MANAGERS, "tickets:read"),
    ProtectedRoute("PUT", "/tickets/999", MANAGERS, "tickets:write"),
    ProtectedRoute("POST", "/ticket-types", MANAGERS, "events:write"),
    ProtectedRoute("GET", "/keys", ALL, "users:read"),
    ProtectedRoute("POST", "/keys", ALL, None),
    ProtectedRoute("PUT", "/keys/999", ALL, None),
    ProtectedRoute("DELETE", "/keys/999", ALL, None),
]
SCOPED = [route for route in PROTECTED if route.scope is not None]
EMPTY_BODY: dict[str, Any] = {}


async def _send(caller: Caller, method: str, path: str) -> tuple[int, str]:
    """Send a request with an empty body to a row that does not exist, and return status and code."""
    body = None if method in {"GET", "DELETE"} else EMPTY_BODY
    answer = await caller.http.request(method, f"/api{path}", json=body, headers=caller.headers)
    return answer.status_code, answer.json().get("code", "")


async def _key(world: World, key_type: str, **options: Any) -> Caller:
    return await world.key(await world.admin(), KeyType(key_type), **options)


async def _session(world: World, role: str) -> Caller:
    return await world.session(await {"user": world.user, "organizer": world.organizer, "admin": world.admin}[role]())


@pytest.mark.parametrize("key_type", ALL)
def test_a_key_type_may_have_the_scopes_of_the_contract(key_type: str) -> None:
    assert {str(scope) for scope in ALLOWED_SCOPES[KeyType(key_type)]} == SCOPES_OF_TYPE[key_type]


@pytest.mark.parametrize(("method", "path"), PUBLIC)
async def test_public_routes_need_no_credential(world: World, method: str, path: str) -> None:
    for caller in (world.anonymous, await _key(world, "user", permissions=[])):
        status, code = await _send(caller, method, path)
        assert status in {200, 400, 404}
        assert code in {"", "VALIDATION_ERROR", "NOT_FOUND"}


@pytest.mark.parametrize("route", PROTECTED, ids=str)
async def test_other_routes_refuse_anonymous_callers_before_reading_the_body(
    world: World, route: ProtectedRoute
) -> None:
    before = await snapshot()
    assert await _send(world.anonymous, route.method, route.path) == (401, "UNAUTHENTICATED")
    broken = await world.http.request(route.method, f"/api{route.path}", content=b"{broken")
    assert broken.status_code == 401
    assert await snapshot() == before


@pytest.mark.parametrize("key_type", ALL)
@pytest.mark.parametrize("route", PROTECTED, ids=str)
async def test_only_key_types_with_a_badge_may_call(world: World, route: ProtectedRoute, key_type: str) -> None:
    caller = await _key(world, key_type)
    before = await snapshot()
    status, code = await _send(caller, route.method, route.path)
    if key_type in route.badges:
        assert status in {200, 400, 404}
    else:
        assert (status, code) == (403, "WRONG_KEY_TYPE")
        assert await snapshot() == before


@pytest.mark.parametrize("role", ALL)
@pytest.mark.parametrize("route", PROTECTED, ids=str)
async def test_a_session_counts_as_every_key_type_that_its_account_may_create(
    world: World, route: ProtectedRoute, role: str
) -> None:
    counts_as = set(ALL[: ALL.index(role) + 1])
    caller = await _session(world, role)
    before = await snapshot()
    status, code = await _send(caller, route.method, route.path)
    if counts_as & set(route.badges):
        assert status in {200, 400, 404}
    else:
        assert (status, code) == (403, "WRONG_KEY_TYPE")
        assert await snapshot() == before


@pytest.mark.parametrize("route", SCOPED, ids=str)
async def test_a_badge_without_the_scope_is_refused(world: World, route: ProtectedRoute) -> None:
    for key_type in route.badges:
        others = SCOPES_OF_TYPE[key_type] - {route.scope, "*"}
        caller = await _key(world, key_type, permissions=sorted(str(scope) for scope in others))
        before = await snapshot()
        assert await _send(caller, route.method, route.path) == (403, "MISSING_SCOPE")
        assert await snapshot() == before


@pytest.mark.parametrize("route", SCOPED, ids=str)
async def test_badge_and_scope_are_sufficient(world: World, route: ProtectedRoute) -> None:
    for key_type in route.badges:
        status, _ = await _send(await _key(world, key_type, permissions=[route.scope]), route.method, route.path)
        assert status in {200, 400, 404}


@pytest.mark.parametrize("route", [route for route in PROTECTED if route.scope is None], ids=str)
async def test_routes_without_a_scope_need_no_permissions(world: World, route: ProtectedRoute) -> None:
    for key_type in ALL:
        status, _ = await _send(await _key(world, key_type, permissions=[]), route.method, route.path)
        assert status in {200, 400, 404}


async def test_the_wildcard_includes_every_scope(world: World) -> None:
    caller = await _key(world, "admin", permissions=["*"])
    for route in SCOPED:
        status, _ = await _send(caller, route.method, route.path)
        assert status in {200, 400, 404}


@pytest.mark.parametrize(("permissions", "status"), [(["events:read"], 200), (["tickets:read", "users:read"], 404)])
async def test_private_events_need_the_scope_events_read(world: World, permissions: list[str], status: int) -> None:
    owner = await world.organizer()
    event = await world.event(owner, privacy=Privacy.PRIVATE)
    caller = await world.key(owner, KeyType.ORGANIZER, permissions=permissions)
    assert (await caller.get(f"/events/{event.id}")).status_code == status
    assert len((await caller.get("/events")).json()["data"]) == (status == 200)


async def test_an_organizer_key_of_an_admin_is_not_an_admin_key(world: World) -> None:
    admin = await world.admin()
    event = await world.event(await world.organizer(), privacy=Privacy.PRIVATE)
    assert (await (await world.key(admin, KeyType.ORGANIZER)).get(f"/events/{event.id}")).status_code == 404
    assert (await (await world.key(admin, KeyType.ADMIN)).get(f"/events/{event.id}")).status_code == 200


def test_a_policy_needs_at_least_one_badge() -> None:
    with pytest.raises(ValueError, match="PUBLIC"):
        allow(scope=None)


def test_an_anonymous_principal_has_no_account() -> None:
    with pytest.raises(errors.Unauthenticated):
        ANONYMOUS.require_account()
