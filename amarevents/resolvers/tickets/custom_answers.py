"""Answers to an event's custom fields: checked against each field's type, kept as text (decisions 4.7, 6.5)."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from pydantic import TypeAdapter, ValidationError

from amarevents import errors
from amarevents.models import CustomField
from amarevents.models.enums import FieldType
from amarevents.resolvers.core.inputs import Date, Email, LongText, ShortText

_SHORT = TypeAdapter[str](ShortText)
_LONG = TypeAdapter[str](LongText)
_EMAIL = TypeAdapter[str](Email)
_DATE = TypeAdapter[object](Date)


class _Unfit(ValueError):
    """The value does not fit the field; the message says what would."""


def check_answers(fields: Sequence[CustomField], given: Mapping[str, object]) -> dict[int, str]:
    """The answers as text by field id; ``given`` is keyed by a field's name or id, null is no answer.

    Raises ValidationFailed naming every key that is unknown, missing or unfit; nothing has been stored then.
    """
    problems: dict[str, str] = {}
    answers: dict[int, str] = {}
    for key, value in given.items():
        try:
            field = _unanswered(fields, key, answers)
            if not _is_empty(value):
                answers[field.id] = _CHECKS[field.type](field, value)
        except _Unfit as unfit:
            problems[key] = str(unfit)
    problems.update(_missing(fields, set(problems), answers))
    if problems:
        raise errors.ValidationFailed({f"custom_fields.{key}": problem for key, problem in problems.items()})
    return answers


def _unanswered(fields: Sequence[CustomField], key: str, answers: Mapping[int, str]) -> CustomField:
    named = [field for field in fields if field.name == key.strip()]
    found = next(iter(named or [field for field in fields if str(field.id) == key]), None)
    if found is None:
        raise _Unfit("is not a field of this event")
    if found.id in answers:
        raise _Unfit("is given twice")
    return found


def _missing(fields: Sequence[CustomField], unfit: set[str], answers: Mapping[int, str]) -> dict[str, str]:
    """What is required and has no answer; what has an unfit one is complained of already."""
    return {
        field.name: "is required"
        for field in fields
        if field.required and field.id not in answers and not unfit & {field.name, str(field.id)}
    }


def _is_empty(value: object) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _text(adapter: TypeAdapter[str], expected: str) -> Callable[[CustomField, object], str]:
    def check(_field: CustomField, value: object) -> str:
        if not isinstance(value, str):
            raise _Unfit(f"must be {expected}")
        try:
            return adapter.validate_python(value.strip())
        except ValidationError as error:
            raise _Unfit(error.errors()[0]["msg"].removeprefix("Value error, ")) from error

    return check


def _number(_field: CustomField, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str) or len(str(value)) > 40:
        raise _Unfit("must be a number")
    try:
        number = Decimal(str(value).strip())
    except ArithmeticError as error:
        raise _Unfit("must be a number") from error
    if not number.is_finite() or "_" in str(value):  # which Decimal reads over
        raise _Unfit("must be a number")
    return str(value).strip()


def _date(_field: CustomField, value: object) -> str:
    try:
        return str(_DATE.validate_python(value))
    except ValidationError as error:
        raise _Unfit("must be a date, YYYY-MM-DD") from error


def _choice(field: CustomField, value: object) -> str:
    if not isinstance(value, str) or value.strip() not in field.options:
        raise _Unfit(f"must be one of: {', '.join(field.options)}")
    return value.strip()


def _checkbox(field: CustomField, value: object) -> str:
    """One box, or one per option: true/false, or the chosen options."""
    if not field.options:
        if not isinstance(value, bool):
            raise _Unfit("must be true or false")
        if field.required and not value:
            raise _Unfit("must be checked")
        return "true" if value else "false"
    chosen = value if isinstance(value, list) else [value]
    return ", ".join(dict.fromkeys(_choice(field, one) for one in chosen))


_CHECKS: dict[FieldType, Callable[[CustomField, object], str]] = {
    FieldType.TEXT: _text(_SHORT, "a text"),
    FieldType.TEXTAREA: _text(_LONG, "a text"),
    FieldType.EMAIL: _text(_EMAIL, "an email address"),
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.DROPDOWN: _choice,
    FieldType.RADIO: _choice,
    FieldType.CHECKBOX: _checkbox,
}
