"""Answers to the custom fields of events: loading them, and checking them against the types of their fields.

An answer is stored as text, and that to a checkbox field also as the list of the chosen options (decisions 4.7, 6.5).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, Protocol

from pydantic import TypeAdapter, ValidationError

from amarevents import errors
from amarevents.models import CustomValue
from amarevents.models.enums import FieldType
from amarevents.resolvers.core.inputs import FLAGS, Date, RecordId
from amarevents.resolvers.core.text_types import Email, LongText, ShortText
from amarevents.resolvers.events.custom_fields import CustomFieldView
from amarevents.security.context import Context
from amarevents.text import fold

_SHORT = TypeAdapter[str](ShortText)
_LONG = TypeAdapter[str](LongText)
_EMAIL = TypeAdapter[str](Email)
_DATE = TypeAdapter[object](Date)
_MAX_NUMBER_LENGTH = 40
_MAX_FOLDED = 1_000  # characters; longer than every name and option, because folding takes time


@dataclass(slots=True, kw_only=True)
class CustomAnswerView:
    """The answer to a custom field of the event."""

    field_id: RecordId
    """The ID of the custom field."""
    name: str
    """The name of the custom field."""
    value: str
    """The answer as text for people; several chosen options are joined by commas."""
    values: list[str]
    """The chosen options of a checkbox field; for other fields, the answer alone."""


async def load_answers(ctx: Context, ticket_ids: Sequence[int]) -> dict[int, list[CustomAnswerView]]:
    """Return the answers of tickets that the caller may see, in the order of the fields, in one statement."""
    answers: dict[int, list[CustomAnswerView]] = {ticket_id: [] for ticket_id in ticket_ids}
    rows = CustomValue.filter(ticket_id__in=list(ticket_ids)).select_related("field")
    for row in await rows.order_by("field__position", "field_id"):
        answers[row.ticket_id].append(
            CustomAnswerView(
                field_id=RecordId(row.field_id),
                name=row.field.name,
                value=row.value,
                values=[row.value] if row.choices is None else list(row.choices),
            )
        )
    return answers


class Question(Protocol):
    """What answers are checked against: a custom field."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> FieldType: ...
    @property
    def options(self) -> list[str]: ...
    @property
    def required(self) -> bool: ...


class CheckedAnswer(NamedTuple):
    """An answer that fits its field."""

    value: str
    """The answer as text."""
    choices: list[str] | None = None
    """The options chosen in a checkbox field; None for other answers."""


def answer_views(fields: Iterable[CustomFieldView], answers: Mapping[int, CheckedAnswer]) -> list[CustomAnswerView]:
    """Return the answers by field ID as callers see them, in the order of the fields."""
    return [
        CustomAnswerView(
            field_id=field.id,
            name=field.name,
            value=answer.value,
            values=[answer.value] if answer.choices is None else answer.choices,
        )
        for field in fields
        if (answer := answers.get(field.id)) is not None
    ]


class _InvalidAnswer(ValueError):
    """An answer that does not fit its field; the message says what is expected."""


def check_answers(fields: Sequence[Question], given: Mapping[str, object]) -> dict[int, CheckedAnswer]:
    """Return the answers by field ID.

    ``given`` has the answers by field name or field ID; null means no answer. Raises ValidationFailed with a problem
    for each unknown field, each missing answer to a required field and each invalid answer.
    """
    # Names take precedence over IDs.
    by_key = {str(field.id): field for field in fields} | {_plain(field.name): field for field in fields}
    problems: dict[str, str] = {}
    answers: dict[int, CheckedAnswer] = {}
    refused: set[int] = set()
    for key, value in given.items():
        field = by_key.get(_plain(key))
        try:
            answers.update(_check(field, value, answers))
        except _InvalidAnswer as error:
            problems[key] = str(error)
            refused.update([field.id] if field else [])
    missing = (field for field in fields if field.required and field.id not in {*answers, *refused})
    problems.update({field.name: "is required" for field in missing})
    if problems:
        raise errors.ValidationFailed({f"custom_fields.{key}": problem for key, problem in problems.items()})
    return answers


def _check(field: Question | None, value: object, answers: Mapping[int, CheckedAnswer]) -> dict[int, CheckedAnswer]:
    """Return the answer by the ID of its field, or nothing for an empty value."""
    if field is None:
        raise _InvalidAnswer("is not a custom field of this event")
    if field.id in answers:
        raise _InvalidAnswer("is given twice")
    return {} if _is_empty(value) else {field.id: _CHECKS[field.type](field, value)}


def _is_empty(value: object) -> bool:
    """Return whether a value is no answer: null, an empty text, or a list of these."""
    if isinstance(value, list):
        return all(map(_is_empty, value))
    return value is None or (isinstance(value, str) and not value.strip())


_Check = Callable[[Question, object], CheckedAnswer]


def _check_text(adapter: TypeAdapter[str], expected: str) -> _Check:
    def check(_field: Question, value: object) -> CheckedAnswer:
        if not isinstance(value, str):
            raise _InvalidAnswer(f"must be {expected}")
        try:
            return CheckedAnswer(adapter.validate_python(value.strip()))
        except ValidationError as error:
            raise _InvalidAnswer(error.errors()[0]["msg"].removeprefix("Value error, ")) from error

    return check


def _check_number(_field: Question, value: object) -> CheckedAnswer:
    is_scalar = isinstance(value, int | float | Decimal | str) and not isinstance(value, bool)
    text = _plain(value)
    if not is_scalar or len(text) > _MAX_NUMBER_LENGTH:
        raise _InvalidAnswer("must be a number")
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise _InvalidAnswer("must be a number") from error
    if not number.is_finite() or "_" in text:  # Decimal ignores underscores
        raise _InvalidAnswer("must be a number")
    return CheckedAnswer(text)


def _plain(value: object) -> str:
    """Return a value as text, folded unless it is too long.

    A whole number has no decimals, however it is written in JSON (decisions 1.6).
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return fold(text).strip() if len(text) <= _MAX_FOLDED else text


def _check_date(_field: Question, value: object) -> CheckedAnswer:
    try:
        return CheckedAnswer(str(_DATE.validate_python(_plain(value) if isinstance(value, str) else value)))
    except ValidationError as error:
        raise _InvalidAnswer("must be a date, YYYY-MM-DD") from error


def _check_choice(field: Question, value: object) -> CheckedAnswer:
    return CheckedAnswer(_option(field, value))


def _option(field: Question, value: object) -> str:
    """Return the option that a value names, in its own spelling (decisions 1.11)."""
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        option = _options_by_folded_form(tuple(field.options)).get(_plain(value))
        if option is not None:
            return option
    raise _InvalidAnswer(f"must be one of: {', '.join(field.options)}")


@lru_cache(maxsize=200)
def _options_by_folded_form(options: tuple[str, ...]) -> Mapping[str, str]:
    return {_plain(option): option for option in options}


def _check_checkbox(field: Question, value: object) -> CheckedAnswer:
    """Return true or false for a field without options, otherwise the chosen options."""
    if not field.options:
        return CheckedAnswer(_check_flag(field, value))
    given = value if isinstance(value, list) else [value]
    if len(given) > len(field.options):
        raise _InvalidAnswer(f"must have at most {len(field.options)} items")
    chosen = list(dict.fromkeys(_option(field, one) for one in given if not _is_empty(one)))
    return CheckedAnswer(", ".join(chosen), chosen)


def _check_flag(field: Question, value: object) -> str:
    flag = FLAGS.get(_plain(value)) if isinstance(value, str | int | float) else None
    if flag is None:
        raise _InvalidAnswer("must be true or false")
    if field.required and not flag:
        raise _InvalidAnswer("must be checked")
    return "true" if flag else "false"


_CHECKS: dict[FieldType, _Check] = {
    FieldType.TEXT: _check_text(_SHORT, "a string"),
    FieldType.TEXTAREA: _check_text(_LONG, "a string"),
    FieldType.EMAIL: _check_text(_EMAIL, "an email address"),
    FieldType.NUMBER: _check_number,
    FieldType.DATE: _check_date,
    FieldType.DROPDOWN: _check_choice,
    FieldType.RADIO: _check_choice,
    FieldType.CHECKBOX: _check_checkbox,
}
