"""Numbers and booleans of REST requests that are sent as text (decisions 1.6)."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import Field, StrictBool, StrictInt

from amarevents.resolvers.core.inputs import Count, Id, Input, Money, NotNull, Taka
from amarevents.resolvers.core.text_types import ShortText
from amarevents.rest.decoding import decode_fields, decode_query

# Any throughout: JSON.


class Part(Input):
    """A part of the sample."""

    count: Count = 0
    text: ShortText | None = None


class Sample(Input):
    """A field of each kind."""

    whole: StrictInt = 0
    id: Id | None = None
    taka: Taka | None = None
    money: NotNull[Money] = None
    flag: StrictBool | None = None
    text: ShortText | None = None
    parts: list[Part] = Field(default_factory=list)
    amounts: dict[str, Money] | None = None
    renamed: StrictInt | None = Field(default=None, alias="from")


@pytest.mark.parametrize(
    ("sent", "decoded"),
    [
        ("40", 40), (" 40 ", 40), ("40.0", 40), ("4e1", 40), ("4E+1", 40), ("400e-1", 40), ("-5", -5), ("007", 7),
        ("৪০", 40), ("৪০.০", 40), (40.0, 40), (1e20, 10**20), (-0.0, 0), (str(10**30), 10**30), ("1e30", 10**30),
        ("1.5", "1.5"), (1.5, 1.5), ("1e-1", "1e-1"), ("x", "x"), ("", ""), ("1 2", "1 2"), ("1_000", "1_000"),
        ("٤٠", 40), ("+5", "+5"), (".5", ".5"), ("5.", "5."), ("0x10", "0x10"), ("NaN", "NaN"),
        ("1e999999999", "1e999999999"), ("9" * 101, "9" * 101), (1e300, 1e300), (True, True), (None, None), ([5], [5]),
    ],
)  # fmt: skip
def test_whole_number_is_an_integer_however_it_is_written(sent: Any, decoded: Any) -> None:
    for name in ("whole", "id", "taka", "from"):
        value = decode_fields(Sample, {name: sent})[name]
        assert (type(value), value) == (type(decoded), decoded)


@pytest.mark.parametrize(
    ("sent", "decoded"),
    [("499.50", Decimal("499.50")), (" ৪৯৯.৫০ ", Decimal("499.50")), ("5e2", Decimal(500)), (0.1, 0.1), (5, 5),
     ("1,000", "1,000"), ("", ""), ("Infinity", "Infinity"), (True, True)],
)  # fmt: skip
def test_text_of_an_amount_is_exact(sent: Any, decoded: Any) -> None:
    assert decode_fields(Sample, {"money": sent, "amounts": {"a": sent}}) == {
        "money": decoded,
        "amounts": {"a": decoded},
    }


@pytest.mark.parametrize(
    ("sent", "decoded"),
    [("true", True), (" TRUE ", True), ("1", True), ("১", True), (1, True), (True, True), ("False", False),
     ("0", False), (0, False), (False, False), ("yes", "yes"), (2, 2), (1.0, 1.0), (None, None)],
)  # fmt: skip
def test_boolean_is_a_word_or_a_digit(sent: Any, decoded: Any) -> None:
    value = decode_fields(Sample, {"flag": sent})["flag"]
    assert (type(value), value) == (type(decoded), decoded)


def test_texts_and_unknown_fields_stay_as_they_are() -> None:
    sent = {"text": "40", "unknown": "40", "parts": "40", "amounts": ["40"]}
    assert decode_fields(Sample, sent) == sent


def test_fields_of_objects_in_arrays_are_decoded() -> None:
    parts = [{"count": "40", "text": "40", "unknown": "40"}, "40", None]
    assert decode_fields(Sample, {"parts": parts}) == {
        "parts": [{"count": 40, "text": "40", "unknown": "40"}, "40", None]
    }


def test_unknown_query_parameters_are_left_out() -> None:
    assert decode_query(Sample, {"whole": "40", "colour": "red", "renamed": "5"}) == {"whole": 40}
    assert decode_query(None, {"whole": "40"}) == {}
