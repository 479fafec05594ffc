"""Custom fields are asked for, changed, moved and taken away by the event's managers (decisions 4.7)."""

from typing import Any

import pytest

from amarevents.models import CustomField, CustomValue, Ticket
from amarevents.resolvers.events import custom_fields
from tests.rest.conftest import Stage
from tests.support.event_parts import CREATE_FIELD, DELETE_FIELD, REORDER_FIELDS, UPDATE_FIELD
from tests.support.graphql_answers import answer_of, refused
from tests.support.orphans import unbalanced
from tests.support.rest_answers import data_of, outcomes
from tests.support.world import World, snapshot

# Any throughout: JSON.

EDGE = "query($id: ID!) { event(id: $id) { customFields { id name position } } }"


async def create(stage: Stage, name: str, **fields: Any) -> Any:
    given = {"eventId": stage.event.id, "name": name, "type": "TEXT", **fields}
    return await answer_of(stage.organizer, CREATE_FIELD, input=given)


async def not_created(stage: Stage, code: str, **fields: Any) -> dict[str, str]:
    given = {"eventId": stage.event.id, "name": "Size", "type": "TEXT", **fields}
    return await refused(stage.organizer, CREATE_FIELD, code, input=given)


async def update(stage: Stage, field_id: object, **fields: Any) -> Any:
    return await answer_of(stage.organizer, UPDATE_FIELD, id=field_id, input=fields)


async def not_updated(stage: Stage, field_id: object, code: str, **fields: Any) -> dict[str, str]:
    return await refused(stage.organizer, UPDATE_FIELD, code, id=field_id, input=fields)


async def asked(stage: Stage) -> list[tuple[str, int]]:
    """Name and position of the event's fields as both surfaces show them, in their order."""
    over_graphql = (await answer_of(stage.buyer, EDGE, id=stage.event.id))["customFields"]
    shown = [(one["name"], one["position"]) for one in over_graphql]
    listed = data_of(await stage.buyer.get(f"/events/{stage.event.id}/fields"))
    assert [(one["name"], one["position"]) for one in listed] == shown
    assert data_of(await stage.buyer.get(f"/events/{stage.event.id}"))["custom_fields"] == listed
    return shown


async def answered(world: World, stage: Stage, field: Any, value: str) -> Ticket:
    ticket = await world.ticket(stage.event, stage.buyer_account)
    await CustomValue.create(ticket=ticket, field_id=int(field["id"]), value=value)
    return ticket


# Creating -------------------------------------------------------------------------------------------------------


async def test_a_new_field_is_shown_and_asked_at_once(stage: Stage) -> None:
    made = await create(stage, " সাইজ ", type="DROPDOWN", options=[" S ", "M"], required=True)
    assert made == {
        "id": made["id"], "eventId": str(stage.event.id), "name": "সাইজ", "type": "DROPDOWN", "options": ["S", "M"],
        "required": True, "position": 0,
    }  # fmt: skip
    assert await asked(stage) == [("সাইজ", 0)]
    body: dict[str, Any] = {"event_id": stage.event.id}
    assert outcomes([await stage.buyer.post("/tickets", body)]) == {(400, "VALIDATION_ERROR"): 1}
    ticket = data_of(await stage.buyer.post("/tickets", body | {"custom_fields": {"সাইজ": "M"}}), 201)
    assert [one["value"] for one in ticket["custom_fields"]] == ["M"]


async def test_what_may_be_left_out_has_its_default(stage: Stage) -> None:
    made = await create(stage, "Bio")
    assert (made["options"], made["required"], made["position"]) == ([], False, 0)


async def test_an_admin_adds_fields_to_any_event(stage: Stage) -> None:
    given = {"eventId": stage.event.id, "name": "Size", "type": "TEXT"}
    assert (await answer_of(stage.admin, CREATE_FIELD, input=given))["name"] == "Size"


async def test_a_repeated_creation_with_its_key_makes_one_field(stage: Stage) -> None:
    given = {"eventId": stage.event.id, "name": "Size", "type": "TEXT"}
    first, second = [await answer_of(stage.organizer, CREATE_FIELD, input=given, key="k1") for _ in range(2)]
    assert first == second
    assert await CustomField.all().count() == 1


@pytest.mark.parametrize("name", ["size", "SIZE", " Size "])
async def test_names_are_unique_in_an_event_whatever_their_case(stage: Stage, name: str) -> None:
    await create(stage, "Size")
    assert (await not_created(stage, "NAME_TAKEN", name=name)).keys() == {"name"}


async def test_another_event_may_ask_the_same(world: World, stage: Stage) -> None:
    await create(stage, "Size")
    other = await world.event(stage.organization)
    assert (await create(stage, "Size", eventId=other.id))["eventId"] == str(other.id)


@pytest.mark.parametrize("name", ["5", "0123", "a{b", "a}", "name", "event", "location", "date", "price", "id"])
async def test_a_name_that_means_something_else_is_refused(stage: Stage, name: str) -> None:
    """decisions 4.3 and 6.5"""
    assert (await not_created(stage, "VALIDATION_ERROR", name=name)).keys() == {"name"}
    made = await create(stage, "Size")
    assert (await not_updated(stage, made["id"], "VALIDATION_ERROR", name=name)).keys() == {"name"}


@pytest.mark.parametrize("name", ["Date", "5 or more", "Name of the school", "তারিখ"])
async def test_a_name_that_only_resembles_one_of_those_is_taken(stage: Stage, name: str) -> None:
    assert (await create(stage, name))["name"] == name


@pytest.mark.parametrize("kind", ["DROPDOWN", "RADIO"])
async def test_a_choice_needs_options(stage: Stage, kind: str) -> None:
    without: list[dict[str, Any]] = [{"options": []}, {"options": None}, {}]
    for given in without:
        assert (await not_created(stage, "VALIDATION_ERROR", type=kind, **given)).keys() == {"options"}


@pytest.mark.parametrize("kind", ["TEXT", "TEXTAREA", "EMAIL", "NUMBER", "DATE"])
async def test_what_is_no_choice_has_no_options(stage: Stage, kind: str) -> None:
    assert (await not_created(stage, "VALIDATION_ERROR", type=kind, options=["S"])).keys() == {"options"}
    assert (await create(stage, "Size", type=kind, options=[]))["options"] == []


@pytest.mark.parametrize("options", [[], ["Friday", "Saturday"]])
async def test_a_checkbox_is_one_box_or_one_for_each_option(stage: Stage, options: list[str]) -> None:
    assert (await create(stage, "Days", type="CHECKBOX", options=options))["options"] == options


async def test_an_event_asks_a_bounded_number_of_things(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_fields, "MAX_CUSTOM_FIELDS", 2)
    for name in ("Size", "Meal"):
        await create(stage, name)
    await not_created(stage, "TOO_MANY_CUSTOM_FIELDS", name="Bio")


# Positions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "order"),
    [(None, "abcx"), (0, "xabc"), (1, "axbc"), (2, "abxc"), (3, "abcx"), (99, "abcx"), (2**31 - 1, "abcx")],
)
async def test_a_field_is_put_where_it_is_asked_for(stage: Stage, position: int | None, order: str) -> None:
    for name in "abc":
        await create(stage, name)
    await create(stage, "x", position=position)
    assert await asked(stage) == [(name, number) for number, name in enumerate(order)]


async def test_a_field_that_goes_leaves_the_others_in_their_order(stage: Stage) -> None:
    first, *_ = [await create(stage, name) for name in "abc"]
    await answer_of(stage.organizer, DELETE_FIELD, id=first["id"])
    await create(stage, "x", position=2)
    assert [name for name, _ in await asked(stage)] == ["b", "x", "c"]


async def test_fields_are_put_in_any_order(stage: Stage) -> None:
    a, b, c = [(await create(stage, name))["id"] for name in "abc"]
    given = {"eventId": stage.event.id, "ids": [c, a, b]}
    shown = await answer_of(stage.organizer, REORDER_FIELDS, input=given)
    assert shown == [{"id": field_id, "position": number} for number, field_id in enumerate([c, a, b])]
    assert await asked(stage) == [("c", 0), ("a", 1), ("b", 2)]
    before = await snapshot()
    assert await answer_of(stage.organizer, REORDER_FIELDS, input=given) == shown
    assert await snapshot() == before


async def test_an_order_names_each_field_of_the_event_once(world: World, stage: Stage) -> None:
    a, b = [(await create(stage, name))["id"] for name in "ab"]
    foreign = (await world.custom_field(await world.event(stage.organization), "x")).id
    for ids in ([], [a], [a, a], [a, b, b], [a, b, foreign], [a, foreign], [b, 999_999]):
        named = await refused(
            stage.organizer, REORDER_FIELDS, "VALIDATION_ERROR", input={"eventId": stage.event.id, "ids": ids}
        )
        assert named.keys() == {"ids"}


async def test_an_event_without_fields_has_an_empty_order(stage: Stage) -> None:
    assert await answer_of(stage.organizer, REORDER_FIELDS, input={"eventId": stage.event.id, "ids": []}) == []


# Changing -------------------------------------------------------------------------------------------------------


CHANGES: dict[str, Any] = {"name": "Shirt", "type": "RADIO", "options": ["L"], "required": True}


@pytest.mark.parametrize("changed", CHANGES)
async def test_only_what_is_sent_changes(stage: Stage, changed: str) -> None:
    made = await create(stage, "Size", type="DROPDOWN", options=["S", "M"])
    shown = await update(stage, made["id"], **{changed: CHANGES[changed]})
    assert shown == made | {changed: CHANGES[changed]}
    assert await update(stage, made["id"]) == shown


async def test_an_update_of_nothing_changes_nothing(stage: Stage) -> None:
    made = await create(stage, "Size")
    before = await snapshot()
    assert await update(stage, made["id"], name=" ") == made
    assert await snapshot() == before


async def test_a_field_may_change_the_case_of_its_name_and_take_no_others(stage: Stage) -> None:
    made, _ = await create(stage, "Size"), await create(stage, "Meal")
    assert (await update(stage, made["id"], name="SIZE"))["name"] == "SIZE"
    assert (await not_updated(stage, made["id"], "NAME_TAKEN", name="meal")).keys() == {"name"}


async def test_options_go_with_a_type_that_has_none_and_are_needed_by_one_that_has(stage: Stage) -> None:
    made = await create(stage, "Size", type="DROPDOWN", options=["S", "M"])
    assert (await update(stage, made["id"], type="RADIO"))["options"] == ["S", "M"]
    assert (await not_updated(stage, made["id"], "VALIDATION_ERROR", options=[])).keys() == {"options"}
    assert (await not_updated(stage, made["id"], "VALIDATION_ERROR", type="TEXT", options=["L"])).keys() == {"options"}
    assert (await update(stage, made["id"], type="TEXT"))["options"] == []
    assert (await not_updated(stage, made["id"], "VALIDATION_ERROR", type="DROPDOWN")).keys() == {"options"}
    assert (await update(stage, made["id"], type="CHECKBOX", options=["L"]))["options"] == ["L"]


async def test_answers_that_were_given_stay_whatever_is_asked_from_now_on(world: World, stage: Stage) -> None:
    made = await create(stage, "Size", type="DROPDOWN", options=["S", "M"])
    ticket = await answered(world, stage, made, "M")
    for changes in ({"options": ["L"]}, {"type": "DATE"}, {"name": "Born", "required": True}):
        await update(stage, made["id"], **changes)
    shown = data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))["custom_fields"]
    assert shown == [{"field_id": int(made["id"]), "name": "Born", "value": "M"}]
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"note": "not asked again"}))


# Deleting -------------------------------------------------------------------------------------------------------


async def test_a_field_goes_with_its_answers_and_nothing_else(world: World, stage: Stage) -> None:
    made, kept = await create(stage, "Size", required=True), await create(stage, "Meal")
    ticket = await answered(world, stage, made, "M")
    await CustomValue.create(ticket=ticket, field_id=int(kept["id"]), value="Fish")
    assert await answer_of(stage.organizer, DELETE_FIELD, id=made["id"]) == {"id": made["id"], "deleted": True}
    shown = data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))["custom_fields"]
    assert [one["value"] for one in shown] == ["Fish"]
    assert [name for name, _ in await asked(stage)] == ["Meal"]
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    assert await unbalanced() == {}
    await refused(stage.organizer, DELETE_FIELD, "NOT_FOUND", id=made["id"])


async def test_fields_go_with_their_event(world: World, stage: Stage) -> None:
    await answered(world, stage, await create(stage, "Size"), "M")
    data_of(await stage.organizer.delete(f"/events/{stage.event.id}"))
    assert await unbalanced() == {}
    assert await CustomField.all().count() == await CustomValue.all().count() == 0


@pytest.mark.parametrize("field_id", ["0", "999999", "99999999999999999999", "x"])
async def test_a_field_that_is_not_there_is_not_found(stage: Stage, field_id: str) -> None:
    await refused(stage.admin, UPDATE_FIELD, "NOT_FOUND", id=field_id, input={"required": True})
    await refused(stage.admin, DELETE_FIELD, "NOT_FOUND", id=field_id)


# What is shown --------------------------------------------------------------------------------------------------


async def test_one_operation_shows_what_its_earlier_mutations_have_done(world: World, stage: Stage) -> None:
    document = (
        "mutation($id: ID!) {"
        " before: updateEvent(id: $id, input: {}) { gallery { url } customFields { name } stats { total } }"
        ' image: createGalleryImage(input: {eventId: $id, url: "https://example.com/1.png"}) { id }'
        ' field: createCustomField(input: {eventId: $id, name: "Size", type: TEXT}) { id }'
        " ticket: registerForEvent(input: {eventId: $id}) { id }"
        " after: updateEvent(id: $id, input: {}) { gallery { url } customFields { name } stats { total } } }"
    )
    answer = await stage.organizer.graphql(document, id=stage.event.id)
    assert answer["data"]["before"] == {"gallery": [], "customFields": [], "stats": {"total": 0}}
    assert answer["data"]["after"] == {
        "gallery": [{"url": "https://example.com/1.png"}], "customFields": [{"name": "Size"}], "stats": {"total": 1}
    }  # fmt: skip
