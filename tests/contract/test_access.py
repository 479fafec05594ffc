"""Access to every operation on both surfaces: key type, scope, ownership and state of the credential."""

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
from tests.contract.scene import Request, Scene, Send, send_over_graphql, send_over_rest
from tests.support.tables import check_rows
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
"""The scopes that each key type may have: the permission table of the contract."""

SURFACES: dict[str, Send] = {"rest": send_over_rest, "graphql": send_over_graphql}


def on_each_surface(*rows: Row) -> pytest.MarkDecorator:
    """Parametrize a test with every row, on each surface that has it."""
    pairs = [
        pytest.param(row, send, id=f"{row.name} {name}")
        for row in rows
        for name, send in SURFACES.items()
        if (row.path if send is send_over_rest else row.graphql)
    ]
    return pytest.mark.parametrize(("row", "send"), pairs)


EVERY_ROW = on_each_surface(*ALL_ROWS)
# Access is decided before any query but that for the caller, so an ordinary run uses only SQLite.
DEEP_ON_POSTGRES = pytest.mark.deep("postgres")


async def statuses_without_effect(requests: Mapping[str, Request]) -> dict[str, int]:
    """Send requests that must not change anything, and return their statuses."""
    before = await snapshot()
    answers = {name: await request() for name, request in requests.items()}
    assert await snapshot() == before
    return answers


@EVERY_ROW
async def test_each_caller_gets_the_status_of_the_table(scene: Scene, row: Row, send: Send) -> None:
    requests = {name: await scene.request(send, row, await scene.caller(name)) for name in CALLERS}
    without_effect = [name for name, status in row.expected.items() if status >= 400 or row.only_reads]
    answers = await statuses_without_effect({name: requests.pop(name) for name in without_effect})
    answers |= {name: await request() for name, request in requests.items()}
    assert answers == row.expected


@DEEP_ON_POSTGRES
@on_each_surface(*[row for row in ALL_ROWS if row.badges])
async def test_the_token_of_a_session_has_its_rights(scene: Scene, row: Row, send: Send) -> None:
    """Decisions 2.3a."""
    session = await scene.caller("owner's session")
    assert session.user is not None
    request = await scene.request(send, row, await scene.world.token_session(session.user))
    assert await request() == row.expected["owner's session"]


@DEEP_ON_POSTGRES
@on_each_surface(*[row for row in ALL_ROWS if row.scope])
async def test_a_key_without_the_scope_is_refused(scene: Scene, row: Row, send: Send) -> None:
    users = {"user": scene.holder, "organizer": scene.owner, "admin": scene.admin}
    requests = {}
    scoped = [badge for badge in row.badges if badge not in row.without_scope]
    for badge in scoped:
        permissions = [scope for scope in SCOPES[KeyType(badge)] if scope != row.scope]
        key = await scene.world.key(users[badge], KeyType(badge), permissions=permissions)
        requests[badge] = await scene.request(send, row, key)
    assert await statuses_without_effect(requests) == dict.fromkeys(scoped, 403)


@on_each_surface(*[row for row in ALL_ROWS if row.scope and "admin" in row.badges])
async def test_an_admin_key_needs_only_the_scope_of_the_operation(scene: Scene, row: Row, send: Send) -> None:
    permissions = [row.scope or "", *(["events:read"] if "$secret" in row.body else [])]
    key = await scene.world.key(scene.admin, KeyType.ADMIN, permissions=permissions)
    request = await scene.request(send, row, key)
    assert await request() == row.expected["admin"]


@on_each_surface(*[row for row in ALL_ROWS if "$secret" in row.path and not row.badges])
async def test_private_events_need_the_scope_events_read(scene: Scene, row: Row, send: Send) -> None:
    users = {KeyType.ORGANIZER: scene.owner, KeyType.USER: scene.holder, KeyType.ADMIN: scene.admin}
    requests = {}
    for key_type, user in users.items():
        permissions = [scope for scope in SCOPES[key_type] if scope != "events:read"]
        requests[str(key_type)] = await scene.request(
            send, row, await scene.world.key(user, key_type, permissions=permissions)
        )
    assert await statuses_without_effect(requests) == {"organizer": 404, "user": 404, "admin": 404}


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
"""Credentials that every route refuses, public ones included, and the status (decisions 2.1, 2.4)."""


@DEEP_ON_POSTGRES
@EVERY_ROW
async def test_an_invalid_credential_is_refused_everywhere(scene: Scene, row: Row, send: Send) -> None:
    """On public routes, an unknown session counts as no credential (decisions 2.1)."""
    expected = {f"{make}": status for make, status in BAD_CREDENTIALS.items()}
    requests = {f"{make}": await scene.request(send, row, await make(scene)) for make in BAD_CREDENTIALS}
    if row.badges:
        unknown_session = Caller(scene.world.http, scene.holder, {"Cookie": "amarevents_session=nonsense"})
        requests["no session"], expected["no session"] = await scene.request(send, row, unknown_session), 401
    assert await statuses_without_effect(requests) == expected


@DEEP_ON_POSTGRES
@on_each_surface(*[row for row in ALL_ROWS if "user" not in row.badges and row.badges])
async def test_a_session_has_the_role_that_its_account_has_at_the_time_of_the_request(
    scene: Scene, row: Row, send: Send
) -> None:
    """Roles are read at each request (decisions 2.4)."""
    callers = {name: await scene.caller(name) for name in ("owner's session", "admin's session")}
    requests = {name: await scene.request(send, row, caller) for name, caller in callers.items()}
    await User.all().update(type=AccountType.USER, admin=False)
    assert await statuses_without_effect(requests) == dict.fromkeys(callers, 403)


@DEEP_ON_POSTGRES
@on_each_surface(*[row for row in ALL_ROWS if row.badges == ADMINS])
async def test_user_and_organizer_keys_of_an_admin_are_not_admin_keys(scene: Scene, row: Row, send: Send) -> None:
    """Admin routes need an admin key, regardless of permissions (contract, admin routes)."""
    everything = [*SCOPES[KeyType.ADMIN], "*"]
    await User.filter(id=scene.admin.id).update(type=AccountType.ORGANIZER)
    keys = {
        key_type: await scene.world.key(scene.admin, key_type, permissions=everything)
        for key_type in (KeyType.USER, KeyType.ORGANIZER)
    }
    requests = {str(key_type): await scene.request(send, row, key) for key_type, key in keys.items()}
    assert await statuses_without_effect(requests) == {"user": 403, "organizer": 403}


CROSS_SITE: dict[str, dict[str, str]] = {
    "another origin": {"Origin": "https://evil.example"},
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
}


@DEEP_ON_POSTGRES
@on_each_surface(*[row for row in ALL_ROWS if not row.only_reads])
async def test_a_session_changes_nothing_from_another_origin(scene: Scene, row: Row, send: Send) -> None:
    """Cross-site request forgery is refused (decisions 2.3)."""
    requests = {}
    for name, headers in CROSS_SITE.items():
        caller = await scene.caller("admin's session")
        caller.headers = {"Cookie": caller.headers["Cookie"], **headers}
        requests[name] = await scene.request(send, row, caller)
    assert await statuses_without_effect(requests) == dict.fromkeys(CROSS_SITE, 403)


@pytest.mark.parametrize("body", ["", "{", "[]", json.dumps({"unknown": 1})])
async def test_access_is_checked_before_the_body(scene: Scene, body: str) -> None:
    row = Row("POST", "/events", body, "", "")
    requests = {
        name: await scene.request(send_over_rest, row, await scene.caller(name)) for name in ("anonymous", "holder")
    }
    assert await statuses_without_effect(requests) == {"anonymous": 401, "holder": 403}


async def test_a_demoted_owner_keeps_the_events_but_no_longer_manages_them(scene: Scene) -> None:
    """The effects of a demotion (decisions 2.4, 4.1 and 5.3)."""
    caller = await scene.caller("owner's session")
    admin = await scene.caller("admin")
    assert (await admin.put(f"/admin/users/{scene.owner.id}", {"demote_organizer": True})).status_code == 200
    before = await snapshot()
    assert (await scene.world.anonymous.get(f"/events/{scene.event.id}")).status_code == 200
    assert (await caller.get(f"/events/{scene.secret.id}")).status_code == 200
    assert (await caller.get("/tickets", event_id=scene.event.id)).status_code == 403
    assert (await caller.get(f"/tickets/{scene.other_ticket.id}")).status_code == 404
    assert (await caller.put(f"/events/{scene.event.id}", {"notice": "mine"})).status_code == 403
    assert await snapshot() == before


@on_each_surface(*[row for row in ALL_ROWS if row.without_scope])
async def test_some_keys_need_only_the_badge(scene: Scene, row: Row, send: Send) -> None:
    users = {"user": scene.holder, "organizer": scene.owner, "admin": scene.admin}
    for badge in row.without_scope:
        key = await scene.world.key(users[badge], KeyType(badge), permissions=["events:read"])
        assert await (await scene.request(send, row, key))() == row.expected["owner"]


async def test_an_organizer_who_holds_a_ticket_sees_a_private_event_of_another(scene: Scene) -> None:
    """They see it but do not manage it: 403 instead of 404 (decisions 4.1, 6.9)."""
    await scene.world.ticket(scene.secret, scene.other_organizer)
    caller = await scene.caller("other_organizer")
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


TABLE = "tests/contract/access_*.py, ROWS"


def test_the_table_has_every_route_of_the_contract() -> None:
    rows = {f"{row.method} {row.contract_path}" for row in ROWS}
    check_rows(TABLE, rows, {f"{line.method} {line.path}" for line in contract_routes()})


def test_the_table_has_the_key_types_of_the_contract() -> None:
    in_contract = {(route.method, route.path): route.key_types for route in contract_routes()}
    for row in ROWS:
        assert in_contract[row.method, row.contract_path] == {*map(KeyType, row.badges)}, (
            f"{TABLE}: badges of {row.name}"
        )


def test_every_route_has_a_row_with_a_graphql_document() -> None:
    operations = {operation_of(row.method, row.contract_path).name for row in ROWS if row.graphql}
    check_rows(
        f"{TABLE} with a document", operations, {operation_of(row.method, row.contract_path).name for row in ROWS}
    )


def test_every_operation_of_graphql_alone_has_a_row() -> None:
    fields = {row.root_field for row in ONLY_GRAPHQL_ROWS}
    required = {field_name(OPERATIONS[name]) for name in GRAPHQL_ONLY}
    check_rows("tests/contract/access_graphql.py, ONLY_GRAPHQL_ROWS", fields, required)
