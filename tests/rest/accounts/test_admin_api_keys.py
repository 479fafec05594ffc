"""The API keys of all accounts, listed and revoked by admins (decisions 8.3)."""

from typing import Any

import pytest

from amarevents.models import ApiKey
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from tests.rest.conftest import Stage
from tests.support.rest_answers import API_KEY_FIELDS, data_of, error_in, page_in, refused
from tests.support.world import Caller, World


def key_of(caller: Caller) -> ApiKey:
    assert caller.key is not None
    return caller.key


async def test_only_admins_manage_all_keys(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    revoking = f"/admin/revoke-key/{key_of(stage.buyer).id}"
    callers = {
        "UNAUTHENTICATED": (401, [world.anonymous]),
        "WRONG_KEY_TYPE": (403, [stage.buyer, stage.organizer, await world.session(stage.buyer_account)]),
        "MISSING_SCOPE": (403, [await world.key(stage.admin.user, KeyType.ADMIN, permissions=["users:read"])]),
    }
    for code, (status, forbidden) in callers.items():
        for caller in forbidden:
            await refused(caller.get("/admin/api-keys"), status, code)
            await refused(caller.delete(revoking), status, code)


# Listing --------------------------------------------------------------------------------------------------------


async def test_all_keys_are_listed_newest_first_with_their_owners(world: World, stage: Stage) -> None:
    revoked = await world.key(stage.buyer_account, revoked_at=utc_now(), is_active=False, expires_at=utc_now())
    response = await stage.admin.get("/admin/api-keys")
    callers = [stage.organizer, stage.buyer, stage.rival, stage.admin, revoked]
    assert page_in(response)[0] == [key_of(caller).id for caller in reversed(callers)]
    assert all(row.keys() == API_KEY_FIELDS | {"user_id", "username"} for row in data_of(response))
    newest = data_of(response)[0]
    assert newest.items() >= {
        "user_id": stage.buyer_account.id, "username": "buyer", "key_type": "user", "is_active": False,
        "key_prefix": key_of(revoked).key_prefix, "name": "test key",
    }.items()  # fmt: skip
    assert len(newest["key_prefix"]) == 12


async def test_responses_never_contain_a_secret_or_its_digest(stage: Stage) -> None:
    assert stage.admin.user is not None
    for path in ("/admin/api-keys", f"/admin/users/{stage.admin.user.id}", "/admin/rate-limits", "/keys"):
        text = (await stage.admin.get(path)).text
        for caller in (stage.admin, stage.buyer):
            assert key_of(caller).digest not in text
            assert caller.headers["Authorization"].removeprefix("Bearer ")[13:] not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"key_type": "user"}, "revoked suspended buyer"), ({"key_type": "organizer"}, "rival organizer"),
        ({"key_type": "admin"}, "admin"), ({"active": "1"}, "admin rival buyer organizer"),
        ({"active": "true"}, "admin rival buyer organizer"), ({"active": "0"}, "revoked suspended"),
        ({"active": "False"}, "revoked suspended"), ({"user_id": "buyer"}, "revoked suspended buyer"),
        ({"user_id": "buyer", "active": "1", "key_type": "user"}, "buyer"), ({"user_id": "999999"}, ""),
        ({"user_id": "buyer", "key_type": "admin"}, ""),
        ({"key_type": "", "active": "", "user_id": " "}, "revoked suspended admin rival buyer organizer"),
    ],
)  # fmt: skip
async def test_filters_are_combined(world: World, stage: Stage, query: dict[str, str], found: str) -> None:
    callers = {name: getattr(stage, name) for name in ("organizer", "buyer", "rival", "admin")}
    callers["suspended"] = await world.key(stage.buyer_account, is_active=False)
    callers["revoked"] = await world.key(stage.buyer_account, is_active=False, revoked_at=utc_now())
    sent = {name: str(stage.buyer_account.id) if value == "buyer" else value for name, value in query.items()}
    ids, pagination = page_in(await stage.admin.get("/admin/api-keys", **sent))
    assert ids == [key_of(callers[name]).id for name in found.split()]
    assert pagination["total"] == len(ids)


@pytest.mark.parametrize(
    "query", [{"user_id": "0"}, {"user_id": "me"}, {"active": "2"}, {"active": "yes"}, {"key_type": "users"}]
)
async def test_invalid_filter_is_refused_by_name(stage: Stage, query: dict[str, str]) -> None:
    assert set(error_in(await stage.admin.get("/admin/api-keys", **query), 400, "VALIDATION_ERROR")) == set(query)


async def test_keys_are_paginated(world: World, stage: Stage) -> None:
    ids = [key_of(await world.key(stage.buyer_account)).id for _ in range(5)]
    pages = [await stage.admin.get("/admin/api-keys", page=page, limit=2, key_type="user") for page in (1, 2, 3, 4)]
    newest = [*reversed(ids), key_of(stage.buyer).id]
    assert [page_in(page)[0] for page in pages] == [newest[:2], newest[2:4], newest[4:], []]
    assert page_in(pages[3])[1] == {"total": 6, "page": 4, "limit": 2, "pages": 3}


# Revoking -------------------------------------------------------------------------------------------------------


async def test_revocation_takes_effect_at_once_and_is_permanent(stage: Stage) -> None:
    path = f"/admin/revoke-key/{key_of(stage.buyer).id}"
    data_of(await stage.buyer.get("/auth/me"))
    assert data_of(await stage.admin.delete(path)) == {"id": key_of(stage.buyer).id, "revoked": True}
    error_in(await stage.buyer.get("/events"), 401, "API_KEY_REVOKED")
    stored = await ApiKey.get(id=key_of(stage.buyer).id)
    assert (stored.is_active, stored.revoked_at is not None) == (False, True)


async def test_revoking_a_revoked_key_changes_nothing(stage: Stage) -> None:
    path = f"/admin/revoke-key/{key_of(stage.buyer).id}"
    data_of(await stage.admin.delete(path))
    first = (await ApiKey.get(id=key_of(stage.buyer).id)).revoked_at
    assert data_of(await stage.admin.delete(path)) == {"id": key_of(stage.buyer).id, "revoked": True}
    assert (await ApiKey.get(id=key_of(stage.buyer).id)).revoked_at == first


async def test_owner_cannot_reactivate_a_revoked_key(world: World, stage: Stage) -> None:
    key = key_of(stage.buyer)
    data_of(await stage.admin.delete(f"/admin/revoke-key/{key.id}"))
    session = await world.session(stage.buyer_account)
    await refused(session.put(f"/keys/{key.id}", {"is_active": True}), 400, "KEY_REVOKED")


async def test_admins_revoke_keys_with_more_permissions_than_their_own(world: World, stage: Stage) -> None:
    weak = await world.key(await world.admin(), KeyType.ADMIN, permissions=["admin"])
    for caller in (stage.organizer, stage.admin):
        assert data_of(await weak.delete(f"/admin/revoke-key/{key_of(caller).id}"))["revoked"] is True
        error_in(await caller.get("/auth/me"), 401, "API_KEY_REVOKED")


@pytest.mark.parametrize("state", [{"is_active": False}, {"expires_at": utc_now()}])
async def test_suspended_and_expired_keys_can_be_revoked(world: World, stage: Stage, state: dict[str, Any]) -> None:
    caller = await world.key(stage.buyer_account, **state)
    data_of(await stage.admin.delete(f"/admin/revoke-key/{key_of(caller).id}"))
    error_in(await caller.get("/auth/me"), 401, "API_KEY_REVOKED")


async def test_admin_can_revoke_the_key_of_the_request(stage: Stage) -> None:
    path = f"/admin/revoke-key/{key_of(stage.admin).id}"
    assert data_of(await stage.admin.delete(path))["revoked"] is True
    error_in(await stage.admin.delete(path), 401, "API_KEY_REVOKED")


async def test_unknown_key_is_not_found(stage: Stage) -> None:
    await refused(stage.admin.delete("/admin/revoke-key/999999"), 404, "NOT_FOUND")
