"""Custom fields, which the managers of an event create, update, reorder and delete (decisions 4.7)."""

from typing import Any

import pytest

from amarevents.models import CustomField, CustomValue, Ticket
from amarevents.resolvers.events import custom_fields
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.event_parts import CREATE_FIELD, DELETE_FIELD, REORDER_FIELDS, UPDATE_FIELD
from tests.support.graphql_answers import answer_of, refused
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


async def fields_of(stage: Stage) -> list[tuple[str, int]]:
    """Return name and position of the event's fields in their order, as REST and GraphQL both return them."""
    over_graphql = (await answer_of(stage.buyer, EDGE, id=stage.event.id))["customFields"]
    result = [(one["name"], one["position"]) for one in over_graphql]
    listed = data_of(await stage.buyer.get(f"/events/{stage.event.id}/fields"))
    assert [(one["name"], one["position"]) for one in listed] == result
    assert data_of(await stage.buyer.get(f"/events/{stage.event.id}"))["custom_fields"] == listed
    return result


async def ticket_with_answer(world: World, stage: Stage, field: Any, value: str) -> Ticket:
    ticket = await world.ticket(stage.event, stage.buyer_account)
    await CustomValue.create(ticket=ticket, field_id=int(field["id"]), value=value)
    return ticket


# Creating -------------------------------------------------------------------------------------------------------


async def test_new_field_is_listed_and_required_in_registrations(stage: Stage) -> None:
    field = await create(stage, " সাইজ ", type="DROPDOWN", options=[" S ", "M"], required=True)
    assert field == {
        "id": field["id"], "eventId": str(stage.event.id), "name": "সাইজ", "type": "DROPDOWN", "options": ["S", "M"],
        "required": True, "position": 0,
    }  # fmt: skip
    assert await fields_of(stage) == [("সাইজ", 0)]
    body: dict[str, Any] = {"event_id": stage.event.id}
    assert outcomes([await stage.buyer.post("/tickets", body)]) == {(400, "VALIDATION_ERROR"): 1}
    ticket = data_of(await stage.buyer.post("/tickets", body | {"custom_fields": {"সাইজ": "M"}}), 201)
    assert [one["value"] for one in ticket["custom_fields"]] == ["M"]


async def test_optional_fields_have_defaults(stage: Stage) -> None:
    field = await create(stage, "Bio")
    assert (field["options"], field["required"], field["position"]) == ([], False, 0)


async def test_admin_can_add_fields_to_any_event(stage: Stage) -> None:
    given = {"eventId": stage.event.id, "name": "Size", "type": "TEXT"}
    assert (await answer_of(stage.admin, CREATE_FIELD, input=given))["name"] == "Size"


async def test_repeated_creation_with_an_idempotency_key_creates_one_field(stage: Stage) -> None:
    given = {"eventId": stage.event.id, "name": "Size", "type": "TEXT"}
    first, second = [await answer_of(stage.organizer, CREATE_FIELD, input=given, key="k1") for _ in range(2)]
    assert first == second
    assert await CustomField.all().count() == 1


@pytest.mark.parametrize("name", ["size", "SIZE", " Size "])
async def test_names_are_unique_in_an_event_ignoring_case(stage: Stage, name: str) -> None:
    await create(stage, "Size")
    assert (await not_created(stage, "NAME_TAKEN", name=name)).keys() == {"name"}


async def test_another_event_can_have_a_field_with_the_same_name(world: World, stage: Stage) -> None:
    await create(stage, "Size")
    other = await world.event(stage.organization)
    assert (await create(stage, "Size", eventId=other.id))["eventId"] == str(other.id)


@pytest.mark.parametrize("name", ["5", "0123", "a{b", "a}", "name", "event", "location", "date", "price", "id"])
async def test_reserved_name_is_rejected(stage: Stage, name: str) -> None:
    """See decisions 4.3 and 6.5."""
    assert (await not_created(stage, "VALIDATION_ERROR", name=name)).keys() == {"name"}
    field = await create(stage, "Size")
    assert (await not_updated(stage, field["id"], "VALIDATION_ERROR", name=name)).keys() == {"name"}


@pytest.mark.parametrize("name", ["Date", "5 or more", "Name of the school", "তারিখ"])
async def test_name_that_resembles_a_reserved_one_is_accepted(stage: Stage, name: str) -> None:
    assert (await create(stage, name))["name"] == name


@pytest.mark.parametrize("field_type", ["DROPDOWN", "RADIO"])
async def test_choice_requires_options(stage: Stage, field_type: str) -> None:
    without: list[dict[str, Any]] = [{"options": []}, {"options": None}, {}]
    for given in without:
        assert (await not_created(stage, "VALIDATION_ERROR", type=field_type, **given)).keys() == {"options"}


@pytest.mark.parametrize("field_type", ["TEXT", "TEXTAREA", "EMAIL", "NUMBER", "DATE"])
async def test_other_types_cannot_have_options(stage: Stage, field_type: str) -> None:
    assert (await not_created(stage, "VALIDATION_ERROR", type=field_type, options=["S"])).keys() == {"options"}
    assert (await create(stage, "Size", type=field_type, options=[]))["options"] == []


@pytest.mark.parametrize("options", [[], ["Friday", "Saturday"]])
async def test_checkbox_can_have_options_or_none(stage: Stage, options: list[str]) -> None:
    assert (await create(stage, "Days", type="CHECKBOX", options=options))["options"] == options


async def test_number_of_fields_is_limited(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_fields, "MAX_CUSTOM_FIELDS", 2)
    for name in ("Size", "Meal"):
        await create(stage, name)
    await not_created(stage, "TOO_MANY_CUSTOM_FIELDS", name="Bio")


# Positions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "order"),
    [(None, "abcx"), (0, "xabc"), (1, "axbc"), (2, "abxc"), (3, "abcx"), (99, "abcx"), (2**31 - 1, "abcx")],
)
async def test_field_is_inserted_at_the_requested_position(stage: Stage, position: int | None, order: str) -> None:
    for name in "abc":
        await create(stage, name)
    await create(stage, "x", position=position)
    assert await fields_of(stage) == [(name, number) for number, name in enumerate(order)]


async def test_deletion_keeps_the_order_of_the_other_fields(stage: Stage) -> None:
    first, *_ = [await create(stage, name) for name in "abc"]
    await answer_of(stage.organizer, DELETE_FIELD, id=first["id"])
    await create(stage, "x", position=2)
    assert [name for name, _ in await fields_of(stage)] == ["b", "x", "c"]


async def test_fields_can_be_reordered(stage: Stage) -> None:
    a, b, c = [(await create(stage, name))["id"] for name in "abc"]
    given = {"eventId": stage.event.id, "ids": [c, a, b]}
    result = await answer_of(stage.organizer, REORDER_FIELDS, input=given)
    assert result == [{"id": field_id, "position": number} for number, field_id in enumerate([c, a, b])]
    assert await fields_of(stage) == [("c", 0), ("a", 1), ("b", 2)]
    before = await snapshot()
    assert await answer_of(stage.organizer, REORDER_FIELDS, input=given) == result
    assert await snapshot() == before


async def test_order_must_name_each_field_of_the_event_once(world: World, stage: Stage) -> None:
    a, b = [(await create(stage, name))["id"] for name in "ab"]
    foreign = (await world.custom_field(await world.event(stage.organization), "x")).id
    for ids in ([], [a], [a, a], [a, b, b], [a, b, foreign], [a, foreign], [b, 999_999]):
        named = await refused(
            stage.organizer, REORDER_FIELDS, "VALIDATION_ERROR", input={"eventId": stage.event.id, "ids": ids}
        )
        assert named.keys() == {"ids"}


async def test_event_without_fields_has_an_empty_order(stage: Stage) -> None:
    assert await answer_of(stage.organizer, REORDER_FIELDS, input={"eventId": stage.event.id, "ids": []}) == []


# Changing -------------------------------------------------------------------------------------------------------


CHANGES: dict[str, Any] = {"name": "Shirt", "type": "RADIO", "options": ["L"], "required": True}


@pytest.mark.parametrize("changed", CHANGES)
async def test_update_changes_only_the_given_fields(stage: Stage, changed: str) -> None:
    field = await create(stage, "Size", type="DROPDOWN", options=["S", "M"])
    result = await update(stage, field["id"], **{changed: CHANGES[changed]})
    assert result == field | {changed: CHANGES[changed]}
    assert await update(stage, field["id"]) == result


async def test_empty_update_changes_nothing(stage: Stage) -> None:
    field = await create(stage, "Size")
    before = await snapshot()
    assert await update(stage, field["id"], name=" ") == field
    assert await snapshot() == before


async def test_rename_can_change_the_case_but_not_take_another_name(stage: Stage) -> None:
    field, _ = await create(stage, "Size"), await create(stage, "Meal")
    assert (await update(stage, field["id"], name="SIZE"))["name"] == "SIZE"
    assert (await not_updated(stage, field["id"], "NAME_TAKEN", name="meal")).keys() == {"name"}


async def test_change_of_type_removes_or_requires_options(stage: Stage) -> None:
    field = await create(stage, "Size", type="DROPDOWN", options=["S", "M"])
    assert (await update(stage, field["id"], type="RADIO"))["options"] == ["S", "M"]
    assert (await not_updated(stage, field["id"], "VALIDATION_ERROR", options=[])).keys() == {"options"}
    assert (await not_updated(stage, field["id"], "VALIDATION_ERROR", type="TEXT", options=["L"])).keys() == {"options"}
    assert (await update(stage, field["id"], type="TEXT"))["options"] == []
    assert (await not_updated(stage, field["id"], "VALIDATION_ERROR", type="DROPDOWN")).keys() == {"options"}
    assert (await update(stage, field["id"], type="CHECKBOX", options=["L"]))["options"] == ["L"]


async def test_existing_answers_are_unaffected_by_updates(world: World, stage: Stage) -> None:
    field = await create(stage, "Size", type="DROPDOWN", options=["S", "M"])
    ticket = await ticket_with_answer(world, stage, field, "M")
    for changes in ({"options": ["L"]}, {"type": "DATE"}, {"name": "Born", "required": True}):
        await update(stage, field["id"], **changes)
    result = data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))["custom_fields"]
    assert result == [{"field_id": int(field["id"]), "name": "Born", "value": "M", "values": ["M"]}]
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"note": "not asked again"}))


# Deleting -------------------------------------------------------------------------------------------------------


async def test_deletion_removes_the_field_and_its_answers(world: World, stage: Stage) -> None:
    field, kept = await create(stage, "Size", required=True), await create(stage, "Meal")
    ticket = await ticket_with_answer(world, stage, field, "M")
    await CustomValue.create(ticket=ticket, field_id=int(kept["id"]), value="Fish")
    assert await answer_of(stage.organizer, DELETE_FIELD, id=field["id"]) == {"id": field["id"], "deleted": True}
    result = data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))["custom_fields"]
    assert [one["value"] for one in result] == ["Fish"]
    assert [name for name, _ in await fields_of(stage)] == ["Meal"]
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    assert await find_inconsistencies() == {}
    await refused(stage.organizer, DELETE_FIELD, "NOT_FOUND", id=field["id"])


async def test_fields_are_deleted_with_their_event(world: World, stage: Stage) -> None:
    await ticket_with_answer(world, stage, await create(stage, "Size"), "M")
    data_of(await stage.organizer.delete(f"/events/{stage.event.id}"))
    assert await find_inconsistencies() == {}
    assert await CustomField.all().count() == await CustomValue.all().count() == 0


@pytest.mark.parametrize("field_id", ["0", "999999", "99999999999999999999", "x"])
async def test_unknown_field_is_not_found(stage: Stage, field_id: str) -> None:
    await refused(stage.admin, UPDATE_FIELD, "NOT_FOUND", id=field_id, input={"required": True})
    await refused(stage.admin, DELETE_FIELD, "NOT_FOUND", id=field_id)


# Reading after writing ------------------------------------------------------------------------------------------


async def test_mutation_sees_the_changes_of_earlier_mutations_in_the_document(world: World, stage: Stage) -> None:
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
