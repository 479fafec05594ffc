"""Plans are made, changed and deleted by admins (decisions 5.2)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

SHOWN = "id name price currency eventLimit features"
CREATE = (
    "mutation($input: CreatePlanInput!, $key: String){ createPlan(input: $input, idempotencyKey: $key) { %s } }" % SHOWN
)
UPDATE = "mutation($id: ID!, $input: UpdatePlanInput!) { updatePlan(id: $id, input: $input) { %s } }" % SHOWN
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


async def test_a_new_plan_can_be_chosen_at_once(stage: Stage) -> None:
    given = {"price": "1999.90", "currency": "usd", "eventLimit": 25, "features": FEATURES}
    made = await create(stage, " Gold ", **given)
    assert made == given | {"id": made["id"], "name": "Gold", "currency": "USD"}
    [listed, _] = data_of(await stage.admin.get("/admin/plans"))
    assert listed == {
        "id": int(made["id"]), "name": "Gold", "price": 1999.9, "currency": "USD", "event_limit": 25,
        "features": FEATURES,
    }  # fmt: skip
    path = f"/organizations/{stage.organization.id}"
    assert data_of(await stage.admin.put(path, {"plan": "Gold"}))["plan"] == "Gold"


async def test_what_may_be_left_out_has_its_default(stage: Stage) -> None:
    made = await create(stage, "Gold")
    assert made == {
        "id": made["id"], "name": "Gold", "price": "0.00", "currency": "BDT", "eventLimit": None, "features": {}
    }  # fmt: skip


async def test_a_repeated_creation_with_its_key_makes_one_plan(stage: Stage) -> None:
    first, second = [await answer_of(stage.admin, CREATE, input={"name": "Gold"}, key="k1") for _ in range(2)]
    assert first == second
    assert await Plan.all().count() == 2


@pytest.mark.parametrize("name", ["Free", "FREE", " free "])
async def test_names_are_unique_whatever_their_case(stage: Stage, name: str) -> None:
    assert (await refused(stage.admin, CREATE, "NAME_TAKEN", input={"name": name})).keys() == {"name"}
    made = await create(stage, "Gold")
    assert (await not_updated(stage, made["id"], "NAME_TAKEN", name=name)).keys() == {"name"}
    assert (await update(stage, made["id"], name="GOLD"))["name"] == "GOLD"


CHANGES: dict[str, Any] = {
    "name": "Silver", "price": "5.50", "currency": "EUR", "eventLimit": 3, "features": {"a": 1}
}  # fmt: skip


@pytest.mark.parametrize("changed", CHANGES)
async def test_only_what_is_sent_changes(stage: Stage, changed: str) -> None:
    made = await create(stage, "Gold", price="1", eventLimit=7, features=FEATURES)
    shown = await update(stage, made["id"], **{changed: CHANGES[changed]})
    assert shown == made | {changed: CHANGES[changed]}
    before = await snapshot()
    assert await update(stage, made["id"]) == shown
    assert await snapshot() == before


async def test_null_makes_a_plan_unlimited(stage: Stage) -> None:
    made = await create(stage, "Gold", eventLimit=7)
    assert (await update(stage, made["id"], eventLimit=None))["eventLimit"] is None


async def test_a_plan_is_renamed_for_all_that_are_on_it(stage: Stage) -> None:
    made = await create(stage, "Gold")
    await Organization.filter(id=stage.organization.id).update(plan_id=int(made["id"]))
    await update(stage, made["id"], name="Silver")
    assert data_of(await stage.buyer.get(f"/organizations/{stage.organization.id}"))["plan"] == "Silver"


async def test_the_plan_of_new_organizations_keeps_its_name_and_stays(world: World, stage: Stage) -> None:
    await Organization.all().delete()
    for name in ("Basic", "free"):
        await not_updated(stage, await free_id(), "DEFAULT_PLAN", name=name)
    await refused(stage.admin, DELETE, "DEFAULT_PLAN", id=await free_id())
    changed = await update(stage, await free_id(), name="Free", eventLimit=2)
    assert (changed["name"], changed["eventLimit"]) == ("Free", 2)
    body = {"name": "Club", "user_id": stage.buyer_account.id}
    assert data_of(await stage.admin.post("/organizations", body), 201)["plan"] == "Free"


async def test_a_plan_goes_once_nobody_is_on_it(stage: Stage) -> None:
    made = await create(stage, "Gold")
    organization = Organization.filter(id=stage.organization.id)
    await organization.update(plan_id=int(made["id"]))
    await refused(stage.admin, DELETE, "PLAN_IN_USE", id=made["id"])
    await organization.update(plan_id=await free_id())
    assert await answer_of(stage.admin, DELETE, id=made["id"]) == {"id": made["id"], "deleted": True}
    await refused(stage.admin, DELETE, "NOT_FOUND", id=made["id"])
    await not_updated(stage, made["id"], "NOT_FOUND", price="1")
    assert [plan.name for plan in await Plan.all()] == ["Free"]


@pytest.mark.parametrize("plan_id", ["0", "999999", "x"])
async def test_a_plan_that_is_not_there_is_not_found(stage: Stage, plan_id: str) -> None:
    await not_updated(stage, plan_id, "NOT_FOUND", name="Gold")
    await refused(stage.admin, DELETE, "NOT_FOUND", id=plan_id)


@pytest.mark.parametrize("number", ["1e999", "-1e999", f"1{'0' * 400}"])
async def test_a_number_that_no_json_holds_is_refused_in_a_document_as_well(stage: Stage, number: str) -> None:
    document = f'mutation {{ createPlan(input: {{name: "Gold", features: {{seats: [{number}]}}}}) {{ id }} }}'
    assert (await refused(stage.admin, document, "VALIDATION_ERROR")).keys() == {"features"}


# At the same time -----------------------------------------------------------------------------------------------

NAMES = ["gold", "Gold", "GOLD", "gOLD", "goLD", "golD"]


async def take_a_name_at_once(stage: Stage) -> Counter[str | None]:
    return await run_concurrently(*(stage.admin.graphql_response(CREATE, input={"name": name}) for name in NAMES))


async def test_of_six_who_take_a_name_at_once_one_gets_it(stage: Stage) -> None:
    assert await take_a_name_at_once(stage) == {None: 1, "NAME_TAKEN": 5}
    assert await Plan.all().count() == 2


async def test_looking_without_the_lock_would_let_several_have_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def no_transaction() -> AsyncIterator[None]:
        yield

    async def look() -> list[Plan]:
        found = await Plan.all()
        await asyncio.sleep(0.2)
        return found

    monkeypatch.setattr(plans, "in_transaction", no_transaction)
    monkeypatch.setattr(plans, "_lock_plans", look)
    assert (await take_a_name_at_once(stage))[None] > 1


async def test_a_plan_that_goes_while_an_organization_is_put_on_it_is_unknown(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold = await create(stage, "Gold")
    pause = Pause(monkeypatch)
    pause.stop_after(organizations, "_get_plan")
    moving = stage.admin.put(f"/organizations/{stage.organization.id}", {"plan": "Gold"})
    answer, other = await pause.during(moving, stage.admin.graphql_response(DELETE, id=gold["id"]))
    assert error_code(other) is None
    assert error_in(answer, 400, "VALIDATION_ERROR").keys() == {"plan"}
    assert data_of(await stage.admin.get(f"/organizations/{stage.organization.id}"))["plan"] == "Free"


async def test_an_organization_that_comes_meanwhile_keeps_its_plan(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold = await create(stage, "Gold")
    pause = Pause(monkeypatch)
    pause.stop_before(plans, "remove_plan")
    moving = stage.admin.put(f"/organizations/{stage.organization.id}", {"plan": "Gold"})
    answer, other = await pause.during(stage.admin.graphql_response(DELETE, id=gold["id"]), moving)
    assert data_of(other)["plan"] == "Gold"
    assert error_code(answer) == "PLAN_IN_USE"
