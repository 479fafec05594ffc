"""Plans, which admins create, update and delete (decisions 5.2)."""

from collections import Counter
from typing import Any

import pytest

from amarevents.models import Organization, Plan
from amarevents.resolvers.events import organizations, plans
from tests.rest.conftest import Stage
from tests.support.graphql_answers import answer_of, error_code, refused, run_concurrently
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, error_in
from tests.support.world import World, snapshot

# Any throughout: JSON.

FIELDS = "id name price currency eventLimit features"
CREATE = (
    "mutation($input: CreatePlanInput!, $key: String){ createPlan(input: $input, idempotencyKey: $key) { %s } }"
    % FIELDS
)
UPDATE = "mutation($id: ID!, $input: UpdatePlanInput!) { updatePlan(id: $id, input: $input) { %s } }" % FIELDS
DELETE = "mutation($id: ID!) { deletePlan(id: $id) { id deleted } }"
FEATURES = {"support": "প্রতিদিন", "seats": [1, 2.5, None, True], "badge": {"colour": "gold"}}


async def create(stage: Stage, name: str, **fields: Any) -> Any:
    return await answer_of(stage.admin, CREATE, input={"name": name, **fields})


async def update(stage: Stage, plan_id: object, **fields: Any) -> Any:
    return await answer_of(stage.admin, UPDATE, id=plan_id, input=fields)


async def not_updated(stage: Stage, plan_id: object, code: str, **fields: Any) -> dict[str, str]:
    return await refused(stage.admin, UPDATE, code, id=plan_id, input=fields)


async def free_id() -> int:
    return (await Plan.get(name="Free")).id


async def test_new_plan_is_listed_and_can_be_assigned(stage: Stage) -> None:
    given = {"price": "1999.90", "currency": "usd", "eventLimit": 25, "features": FEATURES}
    plan = await create(stage, " Gold ", **given)
    assert plan == given | {"id": plan["id"], "name": "Gold", "currency": "USD"}
    [listed, _] = data_of(await stage.admin.get("/admin/plans"))
    assert listed == {
        "id": int(plan["id"]), "name": "Gold", "price": 1999.9, "currency": "USD", "event_limit": 25,
        "features": FEATURES,
    }  # fmt: skip
    path = f"/organizations/{stage.organization.id}"
    assert data_of(await stage.admin.put(path, {"plan": "Gold"}))["plan"] == "Gold"


async def test_optional_fields_have_defaults(stage: Stage) -> None:
    plan = await create(stage, "Gold")
    assert plan == {
        "id": plan["id"], "name": "Gold", "price": "0.00", "currency": "BDT", "eventLimit": None, "features": {}
    }  # fmt: skip


async def test_repeated_creation_with_an_idempotency_key_creates_one_plan(stage: Stage) -> None:
    first, second = [await answer_of(stage.admin, CREATE, input={"name": "Gold"}, key="k1") for _ in range(2)]
    assert first == second
    assert await Plan.all().count() == 2


@pytest.mark.parametrize("name", ["Free", "FREE", " free "])
async def test_names_are_unique_ignoring_case(stage: Stage, name: str) -> None:
    assert (await refused(stage.admin, CREATE, "NAME_TAKEN", input={"name": name})).keys() == {"name"}
    plan = await create(stage, "Gold")
    assert (await not_updated(stage, plan["id"], "NAME_TAKEN", name=name)).keys() == {"name"}
    assert (await update(stage, plan["id"], name="GOLD"))["name"] == "GOLD"


CHANGES: dict[str, Any] = {
    "name": "Silver", "price": "5.50", "currency": "EUR", "eventLimit": 3, "features": {"a": 1}
}  # fmt: skip


@pytest.mark.parametrize("changed", CHANGES)
async def test_update_changes_only_the_given_fields(stage: Stage, changed: str) -> None:
    plan = await create(stage, "Gold", price="1", eventLimit=7, features=FEATURES)
    updated = await update(stage, plan["id"], **{changed: CHANGES[changed]})
    assert updated == plan | {changed: CHANGES[changed]}
    before = await snapshot()
    assert await update(stage, plan["id"]) == updated
    assert await snapshot() == before


async def test_null_event_limit_means_unlimited(stage: Stage) -> None:
    plan = await create(stage, "Gold", eventLimit=7)
    assert (await update(stage, plan["id"], eventLimit=None))["eventLimit"] is None


async def test_new_name_applies_to_organizations_on_the_plan(stage: Stage) -> None:
    plan = await create(stage, "Gold")
    await Organization.filter(id=stage.organization.id).update(plan_id=int(plan["id"]))
    await update(stage, plan["id"], name="Silver")
    assert data_of(await stage.buyer.get(f"/organizations/{stage.organization.id}"))["plan"] == "Silver"


async def test_default_plan_cannot_be_renamed_or_deleted(world: World, stage: Stage) -> None:
    await Organization.all().delete()
    for name in ("Basic", "free"):
        await not_updated(stage, await free_id(), "DEFAULT_PLAN", name=name)
    await refused(stage.admin, DELETE, "DEFAULT_PLAN", id=await free_id())
    changed = await update(stage, await free_id(), name="Free", eventLimit=2)
    assert (changed["name"], changed["eventLimit"]) == ("Free", 2)
    body = {"name": "Club", "user_id": stage.buyer_account.id}
    assert data_of(await stage.admin.post("/organizations", body), 201)["plan"] == "Free"


async def test_plan_can_be_deleted_when_no_organization_is_on_it(stage: Stage) -> None:
    plan = await create(stage, "Gold")
    organization = Organization.filter(id=stage.organization.id)
    await organization.update(plan_id=int(plan["id"]))
    await refused(stage.admin, DELETE, "PLAN_IN_USE", id=plan["id"])
    await organization.update(plan_id=await free_id())
    assert await answer_of(stage.admin, DELETE, id=plan["id"]) == {"id": plan["id"], "deleted": True}
    await refused(stage.admin, DELETE, "NOT_FOUND", id=plan["id"])
    await not_updated(stage, plan["id"], "NOT_FOUND", price="1")
    assert [plan.name for plan in await Plan.all()] == ["Free"]


@pytest.mark.parametrize("plan_id", ["0", "999999", "x"])
async def test_unknown_plan_is_not_found(stage: Stage, plan_id: str) -> None:
    await not_updated(stage, plan_id, "NOT_FOUND", name="Gold")
    await refused(stage.admin, DELETE, "NOT_FOUND", id=plan_id)


@pytest.mark.parametrize("number", ["1e999", "-1e999", f"1{'0' * 400}"])
async def test_number_that_json_cannot_represent_is_rejected(stage: Stage, number: str) -> None:
    document = f'mutation {{ createPlan(input: {{name: "Gold", features: {{seats: [{number}]}}}}) {{ id }} }}'
    assert (await refused(stage.admin, document, "VALIDATION_ERROR")).keys() == {"features"}


# Concurrency ----------------------------------------------------------------------------------------------------

NAMES = ["gold", "Gold", "GOLD", "gOLD", "goLD", "golD"]


async def create_concurrently(stage: Stage) -> Counter[str | None]:
    return await run_concurrently(*(stage.admin.graphql_response(CREATE, input={"name": name}) for name in NAMES))


async def test_one_of_six_concurrent_creations_gets_the_name(stage: Stage) -> None:
    assert await create_concurrently(stage) == {None: 1, "NAME_TAKEN": 5}
    assert await Plan.all().count() == 2


async def test_all_creations_get_the_name_without_folding(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan._meta.fields_map["name_key"], "_key", str)
    assert await create_concurrently(stage) == {None: 6}


async def test_plan_deleted_during_its_assignment_is_rejected(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    gold = await create(stage, "Gold")
    pause = Pause(monkeypatch)
    pause.stop_after(organizations, "_get_plan")
    moving = stage.admin.put(f"/organizations/{stage.organization.id}", {"plan": "Gold"})
    answer, other = await pause.during(moving, stage.admin.graphql_response(DELETE, id=gold["id"]))
    assert error_code(other) is None
    assert error_in(answer, 400, "VALIDATION_ERROR").keys() == {"plan"}
    assert data_of(await stage.admin.get(f"/organizations/{stage.organization.id}"))["plan"] == "Free"


async def test_plan_assigned_during_its_deletion_is_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    gold = await create(stage, "Gold")
    pause = Pause(monkeypatch)
    pause.stop_before(plans, "remove_plan")
    moving = stage.admin.put(f"/organizations/{stage.organization.id}", {"plan": "Gold"})
    answer, other = await pause.during(stage.admin.graphql_response(DELETE, id=gold["id"]), moving)
    assert data_of(other)["plan"] == "Gold"
    assert error_code(answer) == "PLAN_IN_USE"
