"""Fields of the inputs that exist only in GraphQL: a table of values that each of them accepts and rejects.

The schema rejects values of the wrong type before execution; the operation rejects the other invalid values by name.
"""

import itertools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import GraphQLInputObjectType

from tests.contract.body_fields import Field, not_null, optional, required
from tests.contract.kinds import BLANK, LARGEST_ID, NAME, SHORT, URL, Kind
from tests.rest.conftest import Stage
from tests.support.graph import SCHEMA
from tests.support.world import World, snapshot

# Any throughout: JSON.
CreateTarget = Callable[[World, Stage], Awaitable[int]]


async def _event(_world: World, stage: Stage) -> int:
    return stage.event.id


async def _custom_field(world: World, stage: Stage) -> int:
    return (await world.custom_field(stage.event, "Size", type="dropdown", options=["S"])).id


async def _image(world: World, stage: Stage) -> int:
    return (await world.gallery_image(stage.event)).id


async def _plan(world: World, _stage: Stage) -> int:
    return (await world.plan("Gold")).id


_COUNT = Kind((0, 1, LARGEST_ID), ("5", True, -1, 1.5, 2**31, 10**30, [5]), is_text=False)
_FLAG = Kind((True, False), ("true", "x", 1, 0, 1.5, [True]), is_text=False)
_EVENT = Kind((), ("0", "-1", "x", "1.5", str(2**31), "9" * 40, True, ["1", "2"], {"id": 1}), is_text=False)
_FIELD_NAME = Kind(NAME.valid, (*NAME.invalid, "7", "{x}", "price"))
_FIELD_TYPE = Kind(("RADIO", "CHECKBOX"), ("radio", "COLOUR", 5, True, ["RADIO", "TEXT"], {}), is_text=False)
_OPTIONS = Kind(
    (
        ["S", "M"],
        ["x" * 255],
        [str(number) for number in range(200)],
        ["x" * 200 + f"{number:02}" for number in range(19)],
    ),
    (
        *(["S", 5], ["S", None], [""], [" "], ["x" * 256], ["S", " S "], ["a\nb"], ["a\x00b"], {"S": 1}),
        *([str(number) for number in range(201)], ["x" * 200 + f"{number:02}" for number in range(20)]),
    ),
    is_text=False,
)
_PRICE = Kind(
    (0, "5", "0.50", 1234567.89, "999999999999.99"), ("-1", "0.001", "1000000000000", "x", True, ["5"]), is_text=False
)
_CURRENCY = Kind(("BDT", "usd"), ("TAKA", "BD", "B1T", "টাক", "B T", 5, ["BDT", "USD"]))
_DEEP: Any = [[[[1]]]]
_DEEPER: Any = {"a": {"b": {"c": {"d": {"e": {}}}}}}
_FEATURES = Kind(
    ({}, {"a": _DEEP}, {"text": "a\nb\tc", "numbers": [0, -1.5, 2**53 - 1]}, {"x": "y" * 9_000}),
    (
        *(5, "text", True, ["a"], {"a": [_DEEP]}, _DEEPER, {"a": 2**53}, {"a": -(2**53)}),
        *({"a": "b\x00"}, {"a\x00": 1}, {"a": ["b\x1b"]}, {"a": {"\x7f": 1}}, {"x": "y" * 10_000}),
    ),
    is_text=False,
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A mutation and every field of its input.

    ``target`` creates the row to change, or to create something in. ``given`` is an input that can be repeated. A
    creation accepts null for optional fields.
    """

    mutation: str
    target: CreateTarget
    given: dict[str, Any]
    fields: dict[str, Field]

    @property
    def creates(self) -> bool:
        return self.mutation.startswith("create")

    @property
    def document(self) -> str:
        name = f"{self.mutation[0].upper()}{self.mutation[1:]}Input"
        if self.creates:
            return f"mutation($input: {name}!) {{ {self.mutation}(input: $input) {{ id }} }}"
        return f"mutation($id: ID!, $input: {name}!) {{ {self.mutation}(id: $id, input: $input) {{ id }} }}"


FORMS = (
    Form(
        "createCustomField",
        _event,
        {"name": "Size $unique", "type": "CHECKBOX", "options": ["S"]},
        {
            "eventId": required(_EVENT),
            "name": required(_FIELD_NAME),
            "type": required(_FIELD_TYPE),
            "options": not_null(_OPTIONS),
            "required": not_null(_FLAG),
            "position": optional(_COUNT),
        },
    ),
    Form(
        "updateCustomField",
        _custom_field,
        {},
        {
            "name": not_null(_FIELD_NAME),
            "type": not_null(_FIELD_TYPE),
            "options": not_null(_OPTIONS),
            "required": not_null(_FLAG),
        },
    ),
    Form(
        "createGalleryImage",
        _event,
        {"url": "https://example.com/1.png"},
        {
            "eventId": required(_EVENT),
            "url": required(URL),
            "caption": optional(SHORT),
            "position": optional(_COUNT),
        },
    ),
    Form("updateGalleryImage", _image, {}, {"url": not_null(URL), "caption": optional(SHORT)}),
    Form(
        "createPlan",
        _plan,
        {"name": "Plan $unique"},
        {
            "name": required(NAME),
            "price": not_null(_PRICE),
            "currency": not_null(_CURRENCY),
            "eventLimit": optional(_COUNT),
            "features": not_null(_FEATURES),
        },
    ),
    Form(
        "updatePlan",
        _plan,
        {},
        {
            "name": not_null(NAME),
            "price": not_null(_PRICE),
            "currency": not_null(_CURRENCY),
            "eventLimit": optional(_COUNT),
            "features": not_null(_FEATURES),
        },
    ),
)
EVERY_FORM = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.mutation)


class Sender:
    """A sender of the form's mutation, as an admin and with changes to its input."""

    def __init__(self, form: Form, stage: Stage, target_id: int) -> None:
        self._form, self._stage, self._target_id = form, stage, target_id
        self._numbers = itertools.count()

    async def send_with(self, **changes: Any) -> Any:
        unique = str(next(self._numbers))
        given = {
            name: value.replace("$unique", unique) if isinstance(value, str) else value
            for name, value in self._form.given.items()
        }
        if "eventId" in self._form.fields:
            given["eventId"] = self._target_id
        return await self._stage.admin.graphql(self._form.document, id=self._target_id, input={**given, **changes})


async def _sender(world: World, stage: Stage, form: Form) -> Sender:
    return Sender(form, stage, await form.target(world, stage))


def _rejected_fields(answer: Any) -> set[str]:
    """Return the fields that the error names: in its message for a wrong type, otherwise at the start of its paths."""
    [failure] = answer["errors"]
    assert failure["extensions"]["status"] == 400
    if failure["extensions"]["code"] == "GRAPHQL_INVALID":
        assert "data" not in answer
        return set(re.findall(r"value at \.(\w+)", failure["message"]))
    assert failure["extensions"]["code"] == "VALIDATION_ERROR"
    return {path.partition(".")[0] for path in failure["extensions"]["fields"]}


def _invalid_values(form: Form, field: Field) -> list[Any]:
    not_null = field.required or not (field.nullable or form.creates)
    blank = [*BLANK] if field.required and field.kind.is_text else []
    return [*field.kind.invalid, *([None] if not_null else []), *blank]


@EVERY_FORM
async def test_invalid_value_is_rejected_by_name(world: World, stage: Stage, form: Form) -> None:
    sender = await _sender(world, stage, form)
    before = await snapshot()
    for name, field in form.fields.items():
        for value in _invalid_values(form, field):
            assert _rejected_fields(await sender.send_with(**{name: value})) == {name}, repr(value)[:80]
    assert await snapshot() == before


@EVERY_FORM
async def test_valid_value_is_accepted(world: World, stage: Stage, form: Form) -> None:
    sender = await _sender(world, stage, form)
    for name, field in form.fields.items():
        for value in [*field.kind.valid, *([None] if field.nullable or (form.creates and not field.required) else [])]:
            answer = await sender.send_with(**{name: value})
            assert "errors" not in answer, (name, repr(value)[:80], answer["errors"])


@EVERY_FORM
async def test_unknown_field_is_rejected(world: World, stage: Stage, form: Form) -> None:
    sender = await _sender(world, stage, form)
    before = await snapshot()
    answer = await sender.send_with(colour="red")
    assert "colour" in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"]["status"] == 400
    assert await snapshot() == before


@EVERY_FORM
def test_table_has_every_field_of_the_input(form: Form) -> None:
    input_type = SCHEMA.type_map[f"{form.mutation[0].upper()}{form.mutation[1:]}Input"]
    assert isinstance(input_type, GraphQLInputObjectType)
    assert input_type.fields.keys() == form.fields.keys()
