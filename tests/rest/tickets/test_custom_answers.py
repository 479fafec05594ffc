"""Answers to the custom fields of an event, sent with a registration (decisions 6.5)."""

from typing import Any

import pytest

from amarevents.models.enums import FieldType
from tests.rest.conftest import Stage
from tests.support.graphql_answers import answer_of
from tests.support.rest_answers import data_of, refused
from tests.support.world import World

FIELDS: dict[str, dict[str, Any]] = {
    "Company": {"type": FieldType.TEXT},
    "Bio": {"type": FieldType.TEXTAREA},
    "Contact": {"type": FieldType.EMAIL},
    "Age": {"type": FieldType.NUMBER},
    "Birthday": {"type": FieldType.DATE},
    "Size": {"type": FieldType.DROPDOWN, "options": ["S", "M"]},
    "Meal": {"type": FieldType.RADIO, "options": ["Veg", "Fish"]},
    "Terms": {"type": FieldType.CHECKBOX},
    "Days": {"type": FieldType.CHECKBOX, "options": ["Friday", "Saturday", "Friday, Saturday"]},
}


@pytest.fixture
async def ids(world: World, stage: Stage) -> dict[str, int]:
    """Create the custom fields of the event and return their IDs by name; Company is required."""
    created = {}
    for position, (name, fields) in enumerate(FIELDS.items()):
        row = await world.custom_field(stage.event, name, position=position, required=name == "Company", **fields)
        created[name] = row.id
    return created


def body_with(stage: Stage, **answers: Any) -> dict[str, Any]:
    return {"event_id": stage.event.id, "custom_fields": {"Company": "Brac", **answers}}


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("Days", ["Friday, Saturday"], "Friday, Saturday"), ("Days", "saturday", "Saturday"), ("Age", "৩১", "31"),
        ("Size", "m", "M"), ("Terms", "1", "true"),
        ("Bio", " Two\nlines ", "Two\nlines"), ("Contact", "Me@Example.com", "me@example.com"), ("Age", 31, "31"),
        ("Age", 1.5, "1.5"), ("Age", "31", "31"), ("Age", -1, "-1"), ("Birthday", "1999-02-28", "1999-02-28"),
        ("Size", "M", "M"), ("Meal", "Fish", "Fish"), ("Terms", True, "true"), ("Terms", False, "false"),
        ("Days", ["Friday", "Saturday"], "Friday, Saturday"), ("Days", ["Friday"], "Friday"),
    ],
)  # fmt: skip
async def test_valid_answer_is_stored(stage: Stage, ids: dict[str, int], name: str, given: object, value: str) -> None:
    values = given if isinstance(given, list) else [value]
    created = data_of(await stage.buyer.post("/tickets", body_with(stage, **{name: given})), 201)
    assert created["custom_fields"] == [
        {"field_id": ids["Company"], "name": "Company", "value": "Brac", "values": ["Brac"]},
        {"field_id": ids[name], "name": name, "value": value, "values": values},
    ]
    assert data_of(await stage.buyer.get(f"/tickets/{created['id']}"))["custom_fields"] == created["custom_fields"]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("Company", 5), ("Company", ["x"]), ("Company", "x" * 256), ("Company", "a\x00b"), ("Bio", {"a": 1}),
        ("Bio", "x" * 20_001), ("Contact", "no email"), ("Contact", 5), ("Age", "old"), ("Age", True), ("Age", [5]),
        ("Birthday", "1999-02-30"), ("Birthday", "28/02/1999"), ("Birthday", 19990228), ("Size", "L"), ("Size", ["S"]),
        ("Size", "S, M"), ("Meal", "Meat"), ("Meal", 1), ("Terms", "yes"), ("Terms", 2), ("Days", ["Friday", "Sunday"]),
        ("Days", True), ("Colour", "red"), ("999999", "red"),
    ],
)  # fmt: skip
async def test_invalid_answer_is_refused_by_name(
    world: World, stage: Stage, ids: dict[str, int], name: str, given: object
) -> None:
    await world.ticket_type(stage.event, capacity=1)
    fields = await refused(stage.buyer.post("/tickets", body_with(stage, **{name: given})), 400, "VALIDATION_ERROR")
    assert set(fields) == {f"custom_fields.{name}"}


@pytest.mark.parametrize("answers", [None, {}, {"Company": None}, {"Company": ""}, {"Company": " "}, {"Age": 5}])
async def test_missing_required_answer_is_refused(
    stage: Stage, ids: dict[str, int], answers: dict[str, Any] | None
) -> None:
    body = {"event_id": stage.event.id, "custom_fields": answers}
    for caller in (stage.buyer, stage.organizer):
        fields = await refused(caller.post("/tickets", body), 400, "VALIDATION_ERROR")
        assert fields == {"custom_fields.Company": "is required"}


async def test_all_invalid_answers_are_named_together(stage: Stage, ids: dict[str, int]) -> None:
    body = {"event_id": stage.event.id, "custom_fields": {"Age": "old", "Size": "L", "Colour": "red"}}
    fields = await refused(stage.buyer.post("/tickets", body), 400, "VALIDATION_ERROR")
    assert set(fields) == {f"custom_fields.{name}" for name in ("Age", "Size", "Colour", "Company")}


async def test_answers_can_be_keyed_by_field_id(stage: Stage, ids: dict[str, int]) -> None:
    body = {"event_id": stage.event.id, "custom_fields": {str(ids["Company"]): "Brac"}}
    [answer] = data_of(await stage.buyer.post("/tickets", body), 201)["custom_fields"]
    assert answer == {"field_id": ids["Company"], "name": "Company", "value": "Brac", "values": ["Brac"]}


async def test_field_answered_by_name_and_by_id_is_refused(stage: Stage, ids: dict[str, int]) -> None:
    body = body_with(stage, **{str(ids["Company"]): "Grameen"})
    fields = await refused(stage.buyer.post("/tickets", body), 400, "VALIDATION_ERROR")
    assert set(fields) == {f"custom_fields.{ids['Company']}"}


async def test_field_of_another_event_is_refused(world: World, stage: Stage, ids: dict[str, int]) -> None:
    other = await world.custom_field(await world.event(stage.organization), "Colour")
    body = body_with(stage, **{str(other.id): "red"})
    await refused(stage.buyer.post("/tickets", body), 400, "VALIDATION_ERROR")


async def test_registration_with_invalid_answers_takes_no_place(
    world: World, stage: Stage, ids: dict[str, int]
) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    await refused(stage.buyer.post("/tickets", {"event_id": stage.event.id}), 400, "VALIDATION_ERROR")
    assert data_of(await stage.buyer.post("/tickets", body_with(stage)), 201)["ticket_type_id"] == ticket_type.id


async def test_chosen_options_keep_their_structure_on_both_surfaces(stage: Stage, ids: dict[str, int]) -> None:
    """One option with a comma differs from two options, although both read the same."""
    for chosen in (["Friday, Saturday"], ["Friday", "Saturday"], ["Saturday", "Friday"], ["Saturday"]):
        expected = {"value": ", ".join(chosen), "values": chosen}
        over_rest = data_of(await stage.buyer.post("/tickets", body_with(stage, Days=chosen)), 201)
        assert {name: over_rest["custom_fields"][1][name] for name in expected} == expected
        over_graphql = await answer_of(
            stage.buyer,
            "mutation($input: RegisterForEventInput!) { registerForEvent(input: $input) "
            "{ customFields { value values } } }",
            input={"eventId": stage.event.id, "customFields": {"Company": "Brac", "days": chosen}},
        )
        assert over_graphql["customFields"][1] == expected


async def test_repeated_registration_with_the_same_key_returns_the_same_options(
    stage: Stage, ids: dict[str, int]
) -> None:
    body = body_with(stage, Days=["Friday", "Saturday"])
    first = data_of(await stage.buyer.post("/tickets", body, Idempotency_Key="k"), 201)
    assert data_of(await stage.buyer.post("/tickets", body, Idempotency_Key="k"), 201) == first
    other = body_with(stage, Days=["Friday, Saturday"])
    await refused(stage.buyer.post("/tickets", other, Idempotency_Key="k"), 400, "IDEMPOTENCY_MISMATCH")
