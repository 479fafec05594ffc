"""The list of plans, for admins (decisions 5.2)."""

from decimal import Decimal

from amarevents.models.enums import KeyType
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import World


async def test_only_admins_see_plans(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    await refused(world.anonymous.get("/admin/plans"), 401, "UNAUTHENTICATED")
    for caller in (stage.buyer, stage.organizer, await world.session(stage.buyer_account)):
        await refused(caller.get("/admin/plans"), 403, "WRONG_KEY_TYPE")
    without = await world.key(stage.admin.user, KeyType.ADMIN, permissions=["organizations:read"])
    await refused(without.get("/admin/plans"), 403, "MISSING_SCOPE")


async def test_free_plan_exists_in_a_new_database(world: World, stage: Stage) -> None:
    assert stage.admin.user is not None
    for caller in (stage.admin, await world.session(stage.admin.user)):
        [free] = data_of(await caller.get("/admin/plans"))
        assert free.pop("id") > 0
        assert free == {"name": "Free", "price": 0, "currency": "BDT", "event_limit": None, "features": {}}


async def test_all_plans_are_listed_newest_first(world: World, stage: Stage) -> None:
    features = {"support": "প্রতিদিন", "seats": [1, 2.5, None], "badge": {"colour": "gold"}}
    plan = await world.plan("Gold", price=Decimal("1999.90"), event_limit=25, features=features, currency="USD")
    response = await stage.admin.get("/admin/plans")
    assert response.json()["pagination"] == {"total": 2, "page": 1, "limit": 100, "pages": 1}
    shown = data_of(response)
    assert shown[0] == {
        "id": plan.id, "name": "Gold", "price": 1999.9, "currency": "USD", "event_limit": 25, "features": features
    }  # fmt: skip
    assert [one["name"] for one in shown] == ["Gold", "Free"]
    assert data_of(await stage.admin.get("/admin/plans", page=2, limit=1)) == shown[1:]
