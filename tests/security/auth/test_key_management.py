"""Creation, update and revocation of API keys (decisions 2.5, 8.3)."""

import datetime
from typing import Any

import pytest

from amarevents.models import ApiKey
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from tests.support.world import Caller, World, snapshot

USER = ["events:read", "tickets:read", "tickets:write", "users:read", "users:write"]
ORGANIZER = [
    *("events:read", "events:write", "events:delete", "tickets:read", "tickets:write", "tickets:delete"),
    *("organizations:read", "organizations:write", "donations:read", "donations:write", "users:read"),
]
RANKS = ["user", "organizer", "admin"]


async def _create(caller: Caller, key_type: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """Create a key, and return the status with the new key or the error."""
    answer = await caller.post("/keys", {"name": "new", "key_type": key_type, **fields})
    content = answer.json()
    return answer.status_code, content.get("data", content)


async def _refused(caller: Caller, key_type: str, **fields: Any) -> tuple[int, str]:
    """Return the status and code of a refused creation, after a check that nothing changed."""
    before = await snapshot()
    status, content = await _create(caller, key_type, **fields)
    assert await snapshot() == before
    return status, content["code"]


# Types ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("requested", RANKS)
@pytest.mark.parametrize("role", RANKS)
async def test_a_session_creates_keys_up_to_the_role_of_its_account(world: World, role: str, requested: str) -> None:
    user = await {"user": world.user, "organizer": world.organizer, "admin": world.admin}[role]()
    caller = await world.session(user)
    if RANKS.index(requested) > RANKS.index(role):
        assert await _refused(caller, requested) == (403, "WRONG_KEY_TYPE")
    else:
        status, key = await _create(caller, requested)
        assert (status, key["key_type"], key["key"][:5]) == (201, requested, f"ae_{requested[0]}_")


@pytest.mark.parametrize("requested", RANKS)
@pytest.mark.parametrize("own", RANKS)
async def test_a_key_creates_keys_up_to_its_own_type(world: World, own: str, requested: str) -> None:
    caller = await world.key(await world.admin(), KeyType(own))
    if RANKS.index(requested) > RANKS.index(own):
        assert await _refused(caller, requested) == (403, "KEY_TOO_POWERFUL")
    else:
        assert (await _create(caller, requested))[0] == 201


# Permissions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key_type", "expected"), [("user", USER), ("organizer", ORGANIZER), ("admin", ["*"])])
async def test_a_session_grants_by_default_all_permissions_of_the_key_type(
    world: World, key_type: str, expected: list[str]
) -> None:
    _, key = await _create(await world.session(await world.admin()), key_type)
    assert sorted(key["permissions"]) == sorted(expected)


@pytest.mark.parametrize(
    ("own", "own_permissions", "requested", "expected"),
    [
        ("user", USER, "user", USER),
        ("user", ["tickets:read"], "user", ["tickets:read"]),
        ("organizer", ORGANIZER, "user", [scope for scope in USER if scope != "users:write"]),
        ("organizer", ["events:write", "users:read"], "user", ["users:read"]),
        ("organizer", ["events:write"], "user", []),
        ("admin", ["*"], "admin", ["*"]),
        ("admin", ["*"], "organizer", ORGANIZER),
        ("admin", ["admin", "events:read"], "admin", ["admin", "events:read"]),
        ("admin", ["admin", "events:read"], "user", ["events:read"]),
    ],
)
async def test_a_key_grants_by_default_those_permissions_that_it_has_itself(
    world: World, own: str, own_permissions: list[str], requested: str, expected: list[str]
) -> None:
    caller = await world.key(await world.admin(), KeyType(own), permissions=own_permissions)
    status, key = await _create(caller, requested)
    assert (status, sorted(key["permissions"])) == (201, sorted(expected))


@pytest.mark.parametrize(
    ("key_type", "not_allowed"),
    [("user", "events:write"), ("user", "admin"), ("organizer", "users:write"), ("organizer", "*"), ("user", "*")],
)
async def test_a_key_cannot_have_permissions_beyond_its_type(world: World, key_type: str, not_allowed: str) -> None:
    caller = await world.session(await world.admin())
    assert await _refused(caller, key_type, permissions=["events:read", not_allowed]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("permissions", [["events:reed"], ["events read"], [1], "events:read", {"events:read": True}])
async def test_permissions_must_be_a_list_of_known_scopes(world: World, permissions: object) -> None:
    caller = await world.session(await world.user())
    assert await _refused(caller, "user", permissions=permissions) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("own", "own_permissions", "requested"),
    [
        ("user", ["tickets:read"], ["tickets:read", "tickets:write"]),
        ("organizer", ["events:read"], ["events:write"]),
        ("admin", ["admin"], ["*"]),
        ("admin", ["events:read"], ["admin"]),
    ],
)
async def test_a_key_cannot_grant_permissions_that_it_lacks(
    world: World, own: str, own_permissions: list[str], requested: list[str]
) -> None:
    caller = await world.key(await world.admin(), KeyType(own), permissions=own_permissions)
    assert await _refused(caller, own, permissions=requested) == (403, "KEY_TOO_POWERFUL")


async def test_repeated_permissions_are_stored_once(world: World) -> None:
    caller = await world.user_key()
    _, key = await _create(caller, "user", permissions=["tickets:read", "events:read", "tickets:read"])
    assert sorted(key["permissions"]) == ["events:read", "tickets:read"]


async def test_a_new_key_has_the_requested_permissions(world: World) -> None:
    _, key = await _create(await world.session(await world.organizer()), "organizer", permissions=["tickets:read"])
    caller = Caller(world.http, headers={"Authorization": f"Bearer {key['key']}"})
    assert (await caller.get("/tickets")).status_code == 200
    assert (await caller.get("/keys")).json()["code"] == "MISSING_SCOPE"


# Expiry ---------------------------------------------------------------------------------------------------------


def _utc_day(days: int) -> str:
    return (utc_now() + datetime.timedelta(days=days)).date().isoformat()


async def test_a_date_without_a_time_is_midnight_utc(world: World) -> None:
    day = _utc_day(2)
    status, key = await _create(await world.session(await world.user()), "user", expires_at=day)
    assert (status, key["expires_at"]) == (201, f"{day}T00:00:00Z")


async def test_an_expiry_is_returned_in_utc(world: World) -> None:
    caller = await world.session(await world.user())
    _, key = await _create(caller, "user", expires_at="2999-01-01T06:00:00+06:00")
    assert key["expires_at"] == "2999-01-01T00:00:00Z"


@pytest.mark.parametrize("expires_at", [_utc_day(0), _utc_day(-1), "2001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
async def test_an_expiry_must_be_in_the_future(world: World, expires_at: str) -> None:
    caller = await world.session(await world.user())
    assert await _refused(caller, "user", expires_at=expires_at) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("expires_at", ["tomorrow", "2999-02-30", 4102444800, True, ["2999-01-01"], "2999-01-01T25:00"])
async def test_an_expiry_must_be_a_date_or_a_datetime(world: World, expires_at: object) -> None:
    caller = await world.session(await world.user())
    assert await _refused(caller, "user", expires_at=expires_at) == (400, "VALIDATION_ERROR")


# Changing and revoking ------------------------------------------------------------------------------------------


async def _other_key(world: World, caller: Caller, key_type: KeyType = KeyType.USER, **options: Any) -> ApiKey:
    """Create another key of the caller's account."""
    assert caller.user is not None
    key = (await world.key(caller.user, key_type, **options)).key
    assert key is not None
    return key


STRONGER: list[tuple[str, list[str], str, list[str]]] = [
    ("user", USER, "organizer", ["events:read"]),
    ("organizer", ORGANIZER, "admin", ["events:read"]),
    ("user", ["events:read"], "user", ["events:read", "users:write"]),
    ("organizer", ORGANIZER, "user", USER),
    ("admin", ["admin"], "admin", ["*"]),
]
CHANGES: list[dict[str, Any]] = [{"name": "mine now"}, {"is_active": False}, {"permissions": []}, {}]


@pytest.mark.parametrize(("own", "own_permissions", "type_", "permissions"), STRONGER)
async def test_a_more_powerful_key_cannot_be_changed(
    world: World, own: str, own_permissions: list[str], type_: str, permissions: list[str]
) -> None:
    caller = await world.key(await world.admin(), KeyType(own), permissions=own_permissions)
    key = await _other_key(world, caller, KeyType(type_), permissions=permissions)
    before = await snapshot()
    answers = [await caller.put(f"/keys/{key.id}", change) for change in CHANGES]
    answers.append(await caller.delete(f"/keys/{key.id}"))
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "KEY_TOO_POWERFUL")}
    assert await snapshot() == before


@pytest.mark.parametrize("role", ["user_key", "admin_key", "admin_session"])
async def test_a_key_of_another_account_is_404(world: World, role: str) -> None:
    key = (await world.user_key()).key
    assert key is not None
    caller = await (world.session(await world.admin()) if role == "admin_session" else getattr(world, role)())
    before = await snapshot()
    answers = [await caller.put(f"/keys/{key.id}", {"name": "mine now"}), await caller.delete(f"/keys/{key.id}")]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "NOT_FOUND")}
    assert await snapshot() == before


async def test_an_equal_or_weaker_key_can_be_changed(world: World) -> None:
    caller = await world.organizer_key()
    key = await _other_key(world, caller, permissions=["events:read"])
    answer = await caller.put(f"/keys/{key.id}", {"name": "renamed", "permissions": ["tickets:read"]})
    assert answer.status_code == 200
    updated = answer.json()["data"]
    assert (updated["name"], updated["permissions"], updated["is_active"]) == ("renamed", ["tickets:read"], True)


async def test_an_update_changes_only_the_fields_that_were_sent(world: World) -> None:
    caller = await world.user_key()
    key = await _other_key(world, caller, permissions=["events:read"])
    await caller.put(f"/keys/{key.id}", {"name": "renamed"})
    stored = await ApiKey.get(id=key.id)
    assert (stored.name, stored.permissions, stored.is_active) == ("renamed", ["events:read"], True)


async def test_a_key_cannot_make_itself_more_powerful(world: World) -> None:
    caller = await world.key(await world.user(), permissions=["events:read"])
    assert caller.key is not None
    before = await snapshot()
    answer = await caller.put(f"/keys/{caller.key.id}", {"permissions": ["events:read", "tickets:read"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "KEY_TOO_POWERFUL")
    assert await snapshot() == before


BAD_CHANGES: list[dict[str, Any]] = [
    *({"permissions": ["events:write"]}, {"permissions": None}, {"name": None}, {"name": "n" * 201}),
    *({"is_active": None}, {"is_active": "no"}, {"is_active": 2}, {"revoked": True}, {"user_id": 1}),
]


@pytest.mark.parametrize("change", BAD_CHANGES, ids=lambda change: str(change)[:40])
async def test_an_invalid_update_is_refused(world: World, change: dict[str, Any]) -> None:
    caller = await world.session(await world.user())
    key = await _other_key(world, caller)
    before = await snapshot()
    answer = await caller.put(f"/keys/{key.id}", change)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert list(answer.json()["fields"]) == list(change)
    assert await snapshot() == before


async def test_is_active_suspends_and_reactivates_a_key(world: World) -> None:
    session = await world.session(await world.user())
    assert session.user is not None
    caller = await world.key(session.user)
    assert caller.key is not None
    for active, status in ((False, 401), (True, 200)):
        await session.put(f"/keys/{caller.key.id}", {"is_active": active})
        assert (await caller.get("/auth/me")).status_code == status


async def test_a_revoked_key_is_never_reactivated(world: World) -> None:
    session = await world.session(await world.user())
    key = await _other_key(world, session)
    answer = await session.delete(f"/keys/{key.id}")
    assert (answer.status_code, answer.json()["data"]) == (200, {"id": key.id, "revoked": True})
    before = await snapshot()
    for change in ({"is_active": True}, {"name": "risen"}, {}):
        answer = await session.put(f"/keys/{key.id}", change)
        assert (answer.status_code, answer.json()["code"]) == (400, "KEY_REVOKED")
    assert await snapshot() == before


async def test_revoking_a_key_again_changes_nothing(world: World) -> None:
    session = await world.session(await world.user())
    key = await _other_key(world, session)
    await session.delete(f"/keys/{key.id}")
    before = await snapshot()
    assert (await session.delete(f"/keys/{key.id}")).json()["data"] == {"id": key.id, "revoked": True}
    assert await snapshot() == before


async def test_the_list_has_own_keys_newest_first_without_secrets(world: World) -> None:
    caller = await world.user_key()
    second = await _other_key(world, caller)
    await world.user_key()
    assert caller.key is not None
    answer = (await caller.get("/keys")).json()
    assert answer["pagination"] == {"total": 2, "page": 1, "limit": 100, "pages": 1}
    assert [key["id"] for key in answer["data"]] == [second.id, caller.key.id]
    fields = "id name key_prefix key_type permissions rate_limit is_active expires_at last_used_at created_at"
    assert [set(key) for key in answer["data"]] == [set(fields.split())] * 2
