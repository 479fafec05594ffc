"""Promotion of accounts to organizer, and demotion to user (decisions 5.3)."""

import asyncio
from typing import Any

import pytest

from amarevents.models import Organization, User
from amarevents.models.enums import AccountType, KeyType
from amarevents.resolvers.accounts import users
from amarevents.resolvers.events.organizations import new_organization
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in, page_in, refused
from tests.support.world import World


async def test_promotion_creates_an_organization_named_after_the_account(stage: Stage) -> None:
    path = f"/admin/users/{stage.buyer_account.id}"
    shown = data_of(await stage.admin.put(path, {"promote_organizer": True}))
    assert (shown["type"], [one["name"] for one in shown["organizations"]]) == ("organizer", ["buyer"])
    assert shown["organization"].items() >= {"plan": "Free", "eventcount": None, "events_used": 0}.items()
    assert data_of(await stage.admin.put(path, {"promote_organizer": True})) == shown
    assert page_in(await stage.buyer.get("/organizations", search="BUYER"))[0] == [shown["organization"]["id"]]


async def test_promotion_with_a_new_username_names_the_organization_after_it(stage: Stage) -> None:
    path = f"/admin/users/{stage.buyer_account.id}"
    shown = data_of(await stage.admin.put(path, {"promote_organizer": True, "username": "Rahima"}))
    assert (shown["username"], shown["organization"]["name"]) == ("Rahima", "Rahima")


async def test_promotion_creates_no_second_organization(world: World, stage: Stage) -> None:
    own = await world.organization(stage.buyer_account)
    path = f"/admin/users/{stage.buyer_account.id}"
    shown = data_of(await stage.admin.put(path, {"promote_organizer": 1, "type": "organizer"}))
    assert (shown["type"], [one["id"] for one in shown["organizations"]]) == ("organizer", [own.id])


async def test_changing_the_type_alone_creates_no_organization(stage: Stage) -> None:
    shown = data_of(await stage.admin.put(f"/admin/users/{stage.buyer_account.id}", {"type": "organizer"}))
    assert (shown["type"], shown["organization"]) == ("organizer", None)


@pytest.fixture
def slow_organizations(monkeypatch: pytest.MonkeyPatch) -> None:
    async def create_late(**fields: Any) -> Organization:  # Any: each field's own type
        await asyncio.sleep(0.1)
        return await new_organization(**fields)

    monkeypatch.setattr(users, "new_organization", create_late)


async def promote_five_times(stage: Stage) -> int:
    """Promote the buyer in five simultaneous requests and return how many organizations they own afterwards."""
    path = f"/admin/users/{stage.buyer_account.id}"
    promotions = (stage.admin.put(path, {"promote_organizer": True}) for _ in range(5))
    for response in await asyncio.gather(*promotions):
        data_of(response)
    return await Organization.filter(user_id=stage.buyer_account.id).count()


@pytest.mark.usefixtures("slow_organizations")
async def test_five_simultaneous_promotions_create_one_organization(stage: Stage) -> None:
    assert await promote_five_times(stage) == 1


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_organizations")
async def test_without_the_lock_they_would_create_several_organizations(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remove the lock of the read and that of the update, because both come before the organization."""

    async def without_lock(user_id: int) -> tuple[User, bool]:
        return await User.get(id=user_id), True

    async def change_nothing(*_: object) -> None: ...

    monkeypatch.setattr(users, "_lock_with_admins", without_lock)
    monkeypatch.setattr(users, "change_account", change_nothing)
    assert await promote_five_times(stage) > 1


async def test_demotion_keeps_the_data_and_disables_the_organizer_keys(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    session, user_key = await world.session(stage.organizer.user), await world.key(stage.organizer.user)
    path = f"/admin/users/{stage.organizer.user.id}"
    shown = data_of(await stage.admin.put(path, {"demote_organizer": True}))
    assert (shown["type"], shown["organization"]["id"]) == ("user", stage.organization.id)
    assert data_of(await stage.admin.put(path, {"demote_organizer": True}))["type"] == "user"
    assert data_of(await world.anonymous.get(f"/events/{stage.event.id}"))["privacy"] == "public"
    for request in (stage.organizer.get("/auth/me"), stage.organizer.get("/events"), stage.organizer.get("/keys")):
        error_in(await request, 403, "ROLE_LOST")
    await refused(session.put(f"/events/{stage.event.id}", {"name": "x"}), 403, "WRONG_KEY_TYPE")
    assert data_of(await user_key.get("/users/me"))["type"] == "user"


async def test_promotion_enables_the_organizer_keys_again(stage: Stage) -> None:
    assert stage.organizer.user is not None
    path = f"/admin/users/{stage.organizer.user.id}"
    for change, status in (({"demote_organizer": True}, 403), ({"promote_organizer": True}, 200)):
        data_of(await stage.admin.put(path, change))
        assert (await stage.organizer.get("/auth/me")).status_code == status


@pytest.mark.parametrize(
    "both",
    [
        {"promote_organizer": True, "demote_organizer": True}, {"promote_organizer": True, "type": "user"},
        {"demote_organizer": True, "type": "organizer"},
        {"promote_organizer": True, "demote_organizer": True, "type": "user"},
    ],
    ids=str,
)  # fmt: skip
async def test_promotion_and_demotion_in_one_request_are_refused(stage: Stage, both: dict[str, Any]) -> None:
    for account in (stage.buyer_account, stage.organizer.user):
        assert account is not None
        await refused(stage.admin.put(f"/admin/users/{account.id}", both), 400, "VALIDATION_ERROR")


async def test_organizer_keys_of_an_admin_stay_valid_after_demotion(world: World, stage: Stage) -> None:
    account = await world.user(admin=True, type=AccountType.ORGANIZER)
    key = await world.key(account, KeyType.ORGANIZER)
    data_of(await stage.admin.put(f"/admin/users/{account.id}", {"demote_organizer": True}))
    assert (await key.get("/auth/me")).status_code == 200
