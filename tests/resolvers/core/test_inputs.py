"""The field types of inputs, partial inputs and pagination (decisions 1.6 to 1.10)."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.core.inputs import Count, Date, Expiry, Id, Input, Money, NotNull
from amarevents.resolvers.core.pagination import Paging, WholeListPaging, page_of, paginate
from amarevents.resolvers.core.text_types import Email, ImageUrl, LongText, Name, Phone, ShortText, Url

# Any: annotations, and values that are mostly invalid.

DHAKA = datetime.timezone(datetime.timedelta(hours=6))


def parsed(annotation: Any, value: object) -> object:
    adapter: TypeAdapter[object] = TypeAdapter(annotation)
    return adapter.validate_python(value)


ACCEPTED = [
    (Money, 5, "5.00"), (Money, 0, "0.00"), (Money, 19.99, "19.99"), (Money, 0.1, "0.10"),
    (Money, 1e11, "100000000000.00"),
    (Money, 999_999_999_999.99, "999999999999.99"), (Money, Decimal("499.5"), "499.50"),
    (Money, Decimal("5E+2"), "500.00"),
    (Email, "A.b+c@Example.CO.uk", "a.b+c@example.co.uk"), (Email, "রহিমা@উদাহরণ.বাংলা", "রহিমা@উদাহরণ.বাংলা"),
    (Email, "a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"), (Email, "ａ@BÜCHER.example", "a@bücher.example"),
    (Email, "a@b.test", "a@b.test"), (Email, "a@b.local", "a@b.local"),
    (Email, "a@straße.example", "a@straße.example"), (ImageUrl, "/a.png", "/a.png"), (ImageUrl, "/", "/"),
    (Phone, "০১৭০০০০০০০০", None), (Phone, "999", None), (Phone, "\u200e01700.000000", "01700.000000"),
    (Name, "\u09dc", "\u09a1\u09bc"), (Phone, "01700000000", None),
    (Phone, "+880 1700-000000", None), (Phone, "02 (955) 1234", None),
    (Url, "https://example.com/a.png?b=c#d", None), (Url, "HTTP://example.com", None),
    (Date, "2028-02-29", "2028-02-29"), (Date, " 2028-02-29\r\n", "2028-02-29"),
    (Date, datetime.date(2028, 2, 29), "2028-02-29"),
    (Expiry, "2027-01-01", "2027-01-01 00:00:00+00:00"),
    (Expiry, "2027-01-01T06:00:00+06:00", "2027-01-01 00:00:00+00:00"),
    (Expiry, datetime.datetime(2027, 1, 1, 6, tzinfo=DHAKA), "2027-01-01 00:00:00+00:00"),
    (LongText, "a\tb\r\nc", None), (Name, "x" * 200, None), (ShortText, "x" * 255, None),
    (LongText, "x" * 20_000, None),
    (Count, 0, "0"), (Count, 2**31 - 1, None), (Id, 1, "1"), (Id, 2**31 - 1, None),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "shown"), ACCEPTED)
def test_valid_value_is_accepted(annotation: Any, value: object, shown: str | None) -> None:
    assert str(parsed(annotation, value)) == (str(value) if shown is None else shown)


REFUSED: list[tuple[Any, tuple[object, ...]]] = [
    (Money, (-0.01, -1, 1.005, Decimal("0.001"), 10**12, 1e300, float("nan"), float("inf"), Decimal("NaN"), "5", True,
             None, [], 10**40, Decimal("-Infinity"))),
    (Email, ("", "a", "a@b", "@b.com", "a@.com", "a@b.c", "a b@c.com", "a@b..com", "<a@b.com>", "a@b.com\n",
             "a@b@c.com", "a,b@c.com", ".a@b.com", "a@-b.com", "a@localhost",
             "İ" * 240 + "@a.com", "x" * 250 + "@a.com")),
    (Phone, ("", "12", "abc1234567", "+", "1" * 21, "017000000x0", "1+23")),
    (Url, ("", "x", "/a", "//a.com", "ftp://a.com", "javascript:alert(1)", "data:,x", "https://", "https://a b.com",
           "http://[", "mailto:a@b.com", "https:a.com")),
    (Date, ("", "2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01T00:00:00", "20260101", "0000-01-01", 0,
            1767225600, True, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "২০২৬-০১-০১")),
    (Expiry, ("", "tomorrow", "2027-02-30", 0, 1767225600.0, True, "9999-12-31T23:59:59-23:59",
              "0001-01-01T00:00+14:00")),
    (ImageUrl, ("//a.com/b.png", "/\\a.com", "a.png", "ftp://a.com", "/a b.png")),
    (Name, ("\u200b", "a\u202eb", "\u09dc" * 101, "\ufdfa" * 100)),
    (Name, ("x" * 201, "a\nb", "a\tb", "a\x00b", "a\x7fb", "a\x85b", "a\ud800b", 5, None)),
    (ShortText, ("x" * 256, "a\rb", "a\x1fb", "a\udfffb")),
    (LongText, ("x" * 20_001, "a\x00b", "a\x0bb", "a\x1bb", "a\x9fb", "a\ud83db")),
    (Count, (-1, 2**31, 1.0, "1", True)),
    (Id, (0, -1, 2**31, 1.0, "1", True)),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value"), [(kind, value) for kind, values in REFUSED for value in values])
def test_invalid_value_is_refused(annotation: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        parsed(annotation, value)


@pytest.mark.parametrize("cents", [*range(0, 1000, 7), 10**13 + 1, 10**14 - 1])
def test_every_amount_of_money_is_exact_after_json(cents: int) -> None:
    """A float is read as its shortest decimal form."""
    assert parsed(Money, cents / 100) == Decimal(cents) / 100


# Inputs ---------------------------------------------------------------------------------------------------------


class Note(Input):
    title: NotNull[Name] = None
    text: LongText | None = None


def test_texts_are_trimmed_and_blank_texts_count_as_missing() -> None:
    note = Note.model_validate({"title": "  A title\t", "text": " \n "})
    assert (note.title, note.text, note.changed_fields()) == ("A title", None, {"title": "A title"})


def test_maximum_length_applies_to_the_trimmed_text() -> None:
    assert Note(title=" " * 300 + "x" * 200).title == "x" * 200


def test_null_is_a_change_and_a_missing_field_is_not() -> None:
    assert Note.model_validate({"text": None}).changed_fields() == {"text": None}
    assert Note.model_validate({}).changed_fields() == {}


def test_null_for_a_field_with_another_default_is_left_out() -> None:
    assert Paging.model_validate({"page": None, "limit": None}) == Paging()
    assert Paging.model_validate({"page": None}).changed_fields() == {}


@pytest.mark.parametrize("values", [{"title": None}, {"colour": "red"}, {"title": "x", "Text": "y"}])
def test_null_for_a_required_field_and_unknown_fields_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Note.model_validate(values)


@pytest.mark.parametrize("values", [None, [], "text", 5])
def test_input_that_is_not_an_object_is_refused(values: object) -> None:
    with pytest.raises(ValidationError):
        Note.model_validate(values)


# Pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "limit", "pages"),
    [(0, 20, 0), (1, 20, 1), (20, 20, 1), (21, 20, 2), (142, 20, 8), (100, 100, 1), (3, 1, 3)],
)
def test_number_of_pages_is_the_total_divided_by_the_limit(total: int, limit: int, pages: int) -> None:
    pagination = page_of([], total, Paging(limit=limit)).pagination
    assert (pagination.total, pagination.page, pagination.limit, pagination.pages) == (total, 1, limit, pages)


@pytest.mark.parametrize(
    ("page", "limit", "offset"), [(1, 20, 0), (2, 20, 20), (5, 7, 28), (2**31 - 1, 100, (2**31 - 2) * 100)]
)
def test_offset_follows_from_page_and_limit(page: int, limit: int, offset: int) -> None:
    assert Paging(page=page, limit=limit).offset == offset


def test_first_page_of_twenty_is_the_default() -> None:
    assert (Paging().page, Paging().limit) == (1, 20)


@pytest.mark.parametrize(("limit", "taken"), [(100, 100), (101, 100), (2**31, 100), (10**40, 100)])
def test_limit_above_100_is_taken_as_100(limit: int, taken: int) -> None:
    assert Paging(limit=limit).limit == taken


def test_pages_of_a_list_that_has_been_loaded_are_its_parts() -> None:
    assert paginate("abcde", WholeListPaging()).items == list("abcde")
    assert paginate("abcde", WholeListPaging(page=2, limit=2)) == page_of(["c", "d"], 5, Paging(page=2, limit=2))
    assert paginate("abcde", WholeListPaging(page=9)).items == []


@pytest.mark.parametrize(
    "values", [{"page": 0}, {"page": "1"}, {"page": True}, {"limit": "5"}, {"limit": 0}, {"page": 2**31}]
)
def test_invalid_page_or_limit_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Paging(**values)


def test_public_text_is_a_docstring_without_markup_and_references() -> None:
    text = public_text("""Take ``one`` place (decisions 6.2),
        or more.

        Second part.
        """)
    assert text == "Take `one` place, or more.\n\nSecond part."
    assert public_text(None) == ""
