"""Fields that are refused in combination with others or with stored values, typed from the contract."""

from dataclasses import dataclass
from string import Template

import pytest

from amarevents.models import ApiKey
from tests.contract.access import Row
from tests.contract.scene import PASSWORD, Scene
from tests.support.rest_answers import refused


@dataclass(frozen=True)
class Contradiction:
    """A request that must be refused. ``named``: the fields that the error may name; empty if the rule is about all."""

    caller: str
    row: Row
    code: str
    named: frozenset[str]


def _refusal(caller: str, request: str, body: str, *named: str, code: str = "VALIDATION_ERROR") -> Contradiction:
    method, _, path = request.partition(" ")
    return Contradiction(caller, Row(method, path, body, "", ""), code, frozenset(named))


REFUSED = (
    _refusal(
        "owner",
        "POST /events",
        '{"name": "Fair", "organization_id": $organization, "date": "2030-05-01", "deadline": "2030-05-02"}',
        "deadline",
    ),
    _refusal("owner", "PUT /events/$event", '{"date": "2030-05-01", "deadline": "2030-05-02"}', "deadline"),
    _refusal(
        "holder",
        "POST /tickets",
        '{"event_id": $event, "transid": "A1", "transaction_id": "B1"}',
        *("transid", "transaction_id"),
    ),
    _refusal("owner", "PUT /tickets/$ticket", '{"transid": "A1", "transaction_id": "B1"}', "transid", "transaction_id"),
    _refusal("holder", "POST /tickets", '{"event_id": $event, "ticket_type_id": $secret_type}', "ticket_type_id"),
    _refusal("owner", "PUT /tickets/$ticket", '{"ticket_type_id": $secret_type}', "ticket_type_id"),
    _refusal("holder", "PUT /users/me", '{"password": "another1"}', "current_password"),
    _refusal("holder", "PUT /users/me", '{"password": "another1", "current_password": "wrong123"}', "current_password"),
    _refusal("holder", "PUT /users/me", '{"username": "$taken"}', "username", code="USERNAME_TAKEN"),
    _refusal("admin", "PUT /admin/users/$holder", '{"username": "$taken"}', "username", code="USERNAME_TAKEN"),
    _refusal("admin", "PUT /admin/users/$spare_user", '{"email": "$email"}', "email", code="EMAIL_TAKEN"),
    _refusal("admin", "PUT /admin/users/$holder", '{"promote_organizer": true, "demote_organizer": true}'),
    _refusal("admin", "PUT /admin/users/$holder", '{"promote_organizer": true, "type": "user"}'),
    _refusal(
        "anonymous",
        "POST /auth/register",
        '{"username": "$taken", "email": "a@example.com", "password": "secret123", "number": "01700000000"}',
        "username",
        code="USERNAME_TAKEN",
    ),
    _refusal(
        "anonymous",
        "POST /auth/register",
        '{"username": "abc", "email": "$email", "password": "secret123", "number": "01700000000"}',
        "email",
        code="EMAIL_TAKEN",
    ),
    _refusal(
        "owner",
        "POST /keys",
        '{"name": "New", "key_type": "organizer", "permissions": ["users:write"]}',
        "permissions",
    ),
    _refusal("admin", "POST /keys", '{"name": "New", "key_type": "user", "permissions": ["admin"]}', "permissions"),
    _refusal("admin", "POST /organizations", '{"name": "Club", "user_id": 2147483647}', "user_id"),
    _refusal(
        "anonymous",
        "POST /donations",
        '{"email": "a@example.com", "number": "01700000000", "amount": 5, "transaction_id": "GIFT1", "type": "card", '
        '"organization_id": 2147483647}',
        "organization_id",
    ),
)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.row.name} {case.row.body}")
async def test_contradictory_fields_are_refused(scene: Scene, case: Contradiction) -> None:
    caller = await scene.caller(case.caller)
    values = await scene.values(case.row, caller)
    body, path = (Template(text).substitute(values) for text in (case.row.body, case.row.path))
    headers = {**caller.headers, "Content-Type": "application/json"}
    request = caller.http.request(case.row.method, f"/api{path}", content=body, headers=headers)
    fields = await refused(request, 400, case.code)
    assert not case.named or (fields and fields.keys() <= case.named)


@pytest.mark.parametrize("order", [("date", "deadline"), ("deadline", "date")])
async def test_date_and_deadline_are_checked_against_the_stored_values(scene: Scene, order: tuple[str, str]) -> None:
    """In updates of one of the two (decisions 1.10 and 4.2)."""
    path, caller = f"/events/{scene.event.id}", await scene.caller("owner")
    days = {"date": "2030-05-01", "deadline": "2030-05-02"}
    first, second = order
    assert (await caller.put(path, {first: days[first]})).status_code == 200
    await refused(caller.put(path, {second: days[second]}), 400, "VALIDATION_ERROR")


async def test_the_last_admin_cannot_be_removed(scene: Scene) -> None:
    """Neither deleted nor demoted (decisions 8.6)."""
    caller = await scene.caller("admin")
    for request in (
        caller.delete(f"/admin/users/{scene.admin.id}"),
        caller.put(f"/admin/users/{scene.admin.id}", {"admin": False}),
    ):
        assert (await request).status_code == 400
    assert (await caller.get("/auth/me")).json()["data"]["admin"] is True


async def test_a_revoked_key_cannot_be_reactivated(scene: Scene) -> None:
    """Revocation is final (decisions 2.5)."""
    key = await scene.world.key(scene.holder)
    assert key.key
    caller = await scene.caller("holder")
    await caller.delete(f"/keys/{key.key.id}")
    await refused(caller.put(f"/keys/{key.key.id}", {"is_active": True}), 400, "KEY_REVOKED")
    assert not (await ApiKey.get(id=key.key.id)).is_active


async def test_after_a_password_change_only_the_new_password_logs_in(scene: Scene) -> None:
    caller = await scene.caller("holder")
    change = {"password": "another secret", "current_password": PASSWORD}
    assert (await caller.put("/users/me", change)).status_code == 200
    for password, status in ((PASSWORD, 401), ("another secret", 200)):
        credentials = {"email": scene.holder.email, "password": password}
        assert (await scene.world.anonymous.post("/auth/login", credentials)).status_code == status
