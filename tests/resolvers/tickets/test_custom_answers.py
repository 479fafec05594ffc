"""The validation of answers to custom fields, by the type of the field (decisions 6.5)."""

import datetime
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest

from amarevents import errors
from amarevents.models import CustomField
from amarevents.models.enums import FieldType
from amarevents.resolvers.tickets import custom_answers
from amarevents.resolvers.tickets.custom_answers import check_answers
from amarevents.text import fold

# Any: an answer can be any JSON.


def field(kind: FieldType, **values: Any) -> CustomField:
    return CustomField(**{"id": 7, "event_id": 1, "name": "Question", "type": kind, **values})


def options_of(kind: FieldType, value: object) -> list[str]:
    with_options = kind in (FieldType.DROPDOWN, FieldType.RADIO) or (
        kind is FieldType.CHECKBOX and not isinstance(value, bool)
    )
    return ["S", "M", "L"] if with_options else []


VALID = [
    (FieldType.TEXT, " Brac ", "Brac"), (FieldType.TEXT, "x" * 255, "x" * 255), (FieldType.TEXT, "{id}", "{id}"),
    (FieldType.TEXTAREA, "a\n\tb", "a\n\tb"), (FieldType.TEXTAREA, "x" * 20_000, "x" * 20_000),
    (FieldType.EMAIL, " Me@Example.com ", "me@example.com"), (FieldType.NUMBER, 0, "0"),
    (FieldType.NUMBER, -2.5, "-2.5"),
    (FieldType.NUMBER, " 31 ", "31"), (FieldType.NUMBER, Decimal("1.10"), "1.10"),
    (FieldType.NUMBER, "9" * 40, "9" * 40),
    (FieldType.DATE, "2028-02-29", "2028-02-29"), (FieldType.DATE, datetime.date(2028, 2, 29), "2028-02-29"),
    (FieldType.DROPDOWN, "S", "S"), (FieldType.DROPDOWN, " M ", "M"), (FieldType.RADIO, "L", "L"),
    (FieldType.NUMBER, 40.0, "40"), (FieldType.NUMBER, "৩১.৫", "31.5"), (FieldType.DATE, "২০২৮-০২-২৯", "2028-02-29"),
    (FieldType.DROPDOWN, "s", "S"), (FieldType.RADIO, "\uff2d\u200b", "M"),
    (FieldType.CHECKBOX, True, "true"), (FieldType.CHECKBOX, False, "false"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "stored"), VALID)
def test_valid_answer_is_stored_as_text(kind: FieldType, value: object, stored: str) -> None:
    question = field(kind, options=options_of(kind, value))
    assert check_answers([question], {"Question": value}) == {7: (stored, None)}


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        (["Rice, dal"], ["Rice, dal"]),
        (["Rice", "dal"], ["Rice", "dal"]),
        (["dal", "Rice"], ["dal", "Rice"]),
        ("Rice, dal", ["Rice, dal"]),
        ("Rice", ["Rice"]),
        (["Rice", "Rice", "RICE ", "rice"], ["Rice"]),
        (["", "dal", None, " "], ["dal"]),
        ("পরোটা ২", ["পরোটা 2"]),
        ([12, 3.0], ["12", "3"]),
        ("শিঙা\u09dc\u09be", ["শিঙা\u09a1\u09bc\u09be"]),
    ],
)
def test_chosen_options_keep_their_structure_and_spelling(value: object, chosen: list[str]) -> None:
    options = ["Rice", "Rice, dal", "dal", "পরোটা 2", "12", "3", "শিঙা\u09a1\u09bc\u09be"]
    question = field(FieldType.CHECKBOX, options=options)
    assert check_answers([question], {"Question": value}) == {7: (", ".join(chosen), chosen)}


def test_names_and_options_may_fold_to_spaces_at_their_ends() -> None:
    question = field(FieldType.CHECKBOX, name="\u00a8Size", options=["\u00a8S"])
    assert check_answers([question], {"\u00a8size": "\u00a8s"}) == {7: ("\u00a8S", ["\u00a8S"])}


def test_checking_answers_folds_each_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding takes time, in which the server does nothing else."""
    counted = Mock(side_effect=fold)
    monkeypatch.setattr(custom_answers, "fold", counted)
    options = [f"কA{number}" for number in range(200)]
    fields = [field(FieldType.CHECKBOX, id=number, name=f"প্রশ্ন {number}", options=options) for number in range(1, 51)]
    answers = {one.name.swapcase(): [option.lower() for option in options] for one in fields}
    assert len(check_answers(fields, answers)) == 50
    names, keys, given_options = 50, 50, 50 * 200
    assert counted.call_count <= names + keys + given_options + len(options)


def test_more_answers_than_options_are_refused_before_they_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Mock(side_effect=fold)
    monkeypatch.setattr(custom_answers, "fold", counted)
    question = field(FieldType.CHECKBOX, options=["হ্যাঁ", "না"])
    with pytest.raises(errors.ValidationFailed) as caught:
        check_answers([question], {"Question": ["না"] * 3})
    assert caught.value.fields == {"custom_fields.Question": "must have at most 2 items"}
    assert counted.call_count == 2  # the key and the name


INVALID = {
    FieldType.TEXT: (5, True, ["x"], {"a": "b"}, "x" * 256, "a\nb", "a\x00b", "a\ud800b"),
    FieldType.TEXTAREA: (5, "x" * 20_001, "a\x00b"),
    FieldType.EMAIL: ("me", "a@b", 5, ["a@b.com"]),
    FieldType.NUMBER: (
        "x",
        "1,5",
        "1_000",
        "NaN",
        "Infinity",
        "0x10",
        True,
        ["1"],
        "9" * 41,
        float("inf"),
        "1 2",
        "--1",
        f"5{' ' * 1_000}x",
    ),
    FieldType.DATE: ("2026-02-29", "29/02/2028", "2028-02-29T00:00:00", 20280229, True, ["2028-02-29"]),
    FieldType.DROPDOWN: ("XL", "S, M", 5, ["S"], {"S": True}, True),
    FieldType.RADIO: ("XL", ["S", "M"], False),
    FieldType.CHECKBOX: (["S"] * 4, ["XL"], ["S", "XL"], ["S", 5], "XL", 5, [["S"]], {"S": True}),
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in INVALID.items() for value in values])
def test_invalid_answer_is_refused(kind: FieldType, value: object) -> None:
    with pytest.raises(errors.ValidationFailed) as caught:
        check_answers([field(kind, options=options_of(kind, value))], {"Question": value})
    assert caught.value.fields.keys() == {"custom_fields.Question"}


@pytest.mark.parametrize(("value", "stored"), [("true", "true"), (" FALSE ", "false"), (1, "true"), ("0", "false")])
def test_single_checkbox_may_be_text_as_forms_send_it(value: object, stored: str) -> None:
    """A boolean may come as its text or as 0 and 1 (decisions 1.6)."""
    assert check_answers([field(FieldType.CHECKBOX)], {"Question": value}) == {7: (stored, None)}


@pytest.mark.parametrize("value", [2, -1, 0.5, ["true"], "yes", "on", {"true": True}])
def test_single_checkbox_must_be_true_or_false(value: object) -> None:
    with pytest.raises(errors.ValidationFailed):
        check_answers([field(FieldType.CHECKBOX)], {"Question": value})


@pytest.mark.parametrize("kind", list(FieldType))
@pytest.mark.parametrize("empty", [{}, *({"Question": value} for value in (None, "", " \t", [], [None, ""]))], ids=str)
def test_missing_answer_is_refused_only_if_required(kind: FieldType, empty: dict[str, Any]) -> None:
    assert check_answers([field(kind, options=options_of(kind, ""))], empty) == {}
    with pytest.raises(errors.ValidationFailed) as caught:
        check_answers([field(kind, required=True, options=options_of(kind, ""))], empty)
    assert caught.value.fields == {"custom_fields.Question": "is required"}


def test_required_single_checkbox_must_be_true() -> None:
    question = field(FieldType.CHECKBOX, required=True)
    assert check_answers([question], {"Question": True}) == {7: ("true", None)}
    with pytest.raises(errors.ValidationFailed):
        check_answers([question], {"Question": False})


@pytest.mark.parametrize("key", ["Question", " Question ", "QUESTION", "Quest\u200bion", "7", "৭"])
def test_answer_can_be_keyed_by_name_or_id(key: str) -> None:
    assert check_answers([field(FieldType.TEXT)], {key: "x"}) == {7: ("x", None)}


@pytest.mark.parametrize("key", ["Questions", "8", "07", "", "Question.x", "৮"])
def test_unknown_key_is_refused_even_without_an_answer(key: str) -> None:
    for value in ("x", None):
        with pytest.raises(errors.ValidationFailed) as caught:
            check_answers([field(FieldType.TEXT)], {key: value})
        assert caught.value.fields.keys() == {f"custom_fields.{key}"}


def test_name_takes_precedence_over_an_id() -> None:
    named, numbered = field(FieldType.TEXT, id=1, name="2"), field(FieldType.TEXT, id=2, name="Other")
    assert check_answers([named, numbered], {"2": "x"}) == {1: ("x", None)}


def test_all_invalid_answers_are_named_together() -> None:
    fields = [
        field(FieldType.NUMBER, id=1, name="Age", required=True),
        field(FieldType.TEXT, id=2, name="Company", required=True),
    ]
    with pytest.raises(errors.ValidationFailed) as caught:
        check_answers(fields, {"1": "old", "Colour": "red"})
    assert caught.value.fields.keys() == {f"custom_fields.{key}" for key in ("1", "Colour", "Company")}
