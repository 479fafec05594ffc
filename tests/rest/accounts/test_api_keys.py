"""The API keys of the caller's account over REST (decisions 2.5, 8.3)."""

import asyncio
import datetime
from typing import Any

import pytest

from amarevents.models import ApiKey
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts import api_keys
from amarevents.security.rate_limit import quotas
from tests.rest.conftest import Stage
from tests.support.rest_answers import API_KEY_FIELDS, INSTANT, data_of, error_in, refused
from tests.support.world import Caller, World, snapshot

USER_PERMISSIONS = ["events:read", "tickets:read", "tickets:write", "users:read", "users:write"]


def caller_with(stage: Stage, raw: str) -> Caller:
    return Caller(stage.buyer.http, headers={"Authorization": f"Bearer {raw}"})


async def test_created_key_is_returned_with_its_secret(stage: Stage) -> None:
    body = {"name": " My App ", "key_type": "user", "permissions": ["tickets:read", "events:read", "tickets:read"]}
    created = data_of(await stage.buyer.post("/keys", {**body, "expires_at": "2099-01-01"}), 201)
    assert created.keys() == API_KEY_FIELDS | {"key"}
    assert created["key"].startswith("ae_u_")
    assert created["key_prefix"] == created["key"][:12]
    assert (created["name"], created["key_type"], created["permissions"]) == (
        "My App",
        "user",
        ["events:read", "tickets:read"],
    )
    assert (created["is_active"], created["expires_at"], created["last_used_at"]) == (
        True,
        "2099-01-01T00:00:00Z",
        None,
    )
    assert data_of(await caller_with(stage, created["key"]).get("/auth/me"))["auth"]["key_id"] == created["id"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2099-01-01", "2099-01-01T00:00:00Z"), ("2099-01-01T12:30:00Z", "2099-01-01T12:30:00Z"),
        ("2099-01-01T12:30:00+06:00", "2099-01-01T06:30:00Z"), (None, None), ("", None),
    ],
)  # fmt: skip
async def test_expiry_is_returned_in_utc(stage: Stage, given: str | None, shown: str | None) -> None:
    body = {"name": "My App", "key_type": "user", "expires_at": given}
    assert data_of(await stage.buyer.post("/keys", body), 201)["expires_at"] == shown


async def test_key_created_without_permissions_gets_all_of_its_type(stage: Stage) -> None:
    created = data_of(await stage.buyer.post("/keys", {"name": "My App", "key_type": "user"}), 201)
    assert created["permissions"] == USER_PERMISSIONS
    created = data_of(await stage.admin.post("/keys", {"name": "My App", "key_type": "admin"}), 201)
    assert created["permissions"] == ["*"]


async def test_all_own_keys_are_listed_newest_first_without_secrets(world: World, stage: Stage) -> None:
    created = [await world.key(stage.buyer_account) for _ in range(25)]
    response = await stage.buyer.get("/keys")
    keys = data_of(response)
    assert [key["id"] for key in keys[:-1]] == [caller.key.id for caller in created[::-1] if caller.key]
    assert len(keys) == 26
    assert {frozenset(key) for key in keys} == {frozenset(API_KEY_FIELDS)}
    assert INSTANT.fullmatch(keys[0]["created_at"])
    assert response.json()["pagination"]["limit"] == 100


@pytest.mark.parametrize("change", [{"name": "Renamed"}, {"permissions": ["tickets:read"]}, {"is_active": False}, {}])
async def test_only_the_sent_fields_change(world: World, stage: Stage, change: dict[str, Any]) -> None:
    other = await world.key(stage.buyer_account)
    assert other.key is not None
    before, _ = data_of(await stage.buyer.get("/keys"))
    assert data_of(await stage.buyer.put(f"/keys/{other.key.id}", change)) == {**before, **change}
    assert data_of(await stage.buyer.get("/keys"))[0] == {**before, **change}


async def test_suspended_key_can_be_reactivated(world: World, stage: Stage) -> None:
    other = await world.key(stage.buyer_account)
    assert other.key is not None
    for is_active, status in ((False, 401), (True, 200)):
        data_of(await stage.buyer.put(f"/keys/{other.key.id}", {"is_active": is_active}))
        assert (await other.get("/auth/me")).status_code == status


async def test_revoked_key_stays_listed_and_cannot_be_reactivated(world: World, stage: Stage) -> None:
    other = await world.key(stage.buyer_account)
    assert other.key is not None
    for _ in range(2):
        assert data_of(await stage.buyer.delete(f"/keys/{other.key.id}")) == {"id": other.key.id, "revoked": True}
    error_in(await other.get("/events"), 401, "API_KEY_REVOKED")
    shown, _ = data_of(await stage.buyer.get("/keys"))
    assert (shown["id"], shown["is_active"]) == (other.key.id, False)
    await refused(stage.buyer.put(f"/keys/{other.key.id}", {"is_active": True}), 400, "KEY_REVOKED")


@pytest.mark.parametrize("id", ["999999", "0", "abc", "theirs"])
async def test_keys_of_other_accounts_are_not_found(stage: Stage, id: str) -> None:
    path = f"/keys/{stage.organizer_key_id if id == 'theirs' else id}"
    await refused(stage.buyer.put(path, {"name": "Mine"}), 404, "NOT_FOUND")
    await refused(stage.buyer.delete(path), 404, "NOT_FOUND")
    await refused(stage.admin.delete(path), 404, "NOT_FOUND")


async def test_creation_of_keys_is_limited_per_hour(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "MAX_NEW_KEYS", 2)
    caller = await world.user_key()
    for _ in range(2):
        created = data_of(await caller.post("/keys", {"name": "k", "key_type": "user"}), 201)
        data_of(await caller.delete(f"/keys/{created['id']}"))
    error_in(await caller.post("/keys", {"name": "k", "key_type": "user"}), 429, "RATE_LIMITED")
    other = await world.user_key()
    data_of(await other.post("/keys", {"name": "k", "key_type": "user"}), 201)


async def test_expiring_key_cannot_extend_a_key_that_outlives_it(world: World) -> None:
    user = await world.user()
    ending = await world.key(user, expires_at=utc_now() + datetime.timedelta(days=1))
    lasting = await world.key(user, permissions=[])
    assert lasting.key
    path = f"/keys/{lasting.key.id}"
    error_in(await ending.put(path, {"permissions": ["users:read"]}), 403, "KEY_TOO_POWERFUL")
    assert data_of(await ending.put(path, {"name": "Renamed"}))["permissions"] == []


async def test_number_of_keys_of_an_account_is_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MAX_KEYS", 2)
    caller = await world.user_key()
    body = {"name": "n", "key_type": "user"}
    second = (await caller.post("/keys", body)).json()["data"]
    assert (await caller.post("/keys", body)).json()["code"] == "TOO_MANY_KEYS"
    await caller.delete(f"/keys/{second['id']}")
    assert (await caller.post("/keys", body)).status_code == 201


async def test_simultaneous_requests_do_not_exceed_the_number_of_keys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MAX_KEYS", 4)
    caller = await world.user_key()
    created = await asyncio.gather(*[caller.post("/keys", {"name": "n", "key_type": "user"}) for _ in range(12)])
    assert sorted(response.status_code for response in created) == [201] * 3 + [400] * 9
    assert await ApiKey.all().count() == 4


async def test_expiring_key_cannot_create_a_key_that_outlives_it(world: World) -> None:
    ends = utc_now().replace(microsecond=0) + datetime.timedelta(days=2)
    caller = await world.key(await world.user(), KeyType.USER, expires_at=ends)
    created = (await caller.post("/keys", {"name": "n", "key_type": "user"})).json()["data"]
    assert (await ApiKey.get(id=created["id"])).expires_at == ends
    later = (ends + datetime.timedelta(days=1)).isoformat()
    before = await snapshot()
    response = await caller.post("/keys", {"name": "n", "key_type": "user", "expires_at": later})
    assert response.json()["code"] == "KEY_TOO_POWERFUL"
    assert await snapshot() == before
