"""Answers to the custom fields of events: loading them, and checking them against the types of their fields.

Answers are stored as text (decisions 4.7, 6.5).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import TypeAdapter, ValidationError

from amarevents import errors
from amarevents.models import CustomField, CustomValue
from amarevents.models.enums import FieldType
from amarevents.resolvers.core.inputs import Date, RecordId
from amarevents.resolvers.core.text_types import Email, LongText, ShortText
from amarevents.security.context import Context

_SHORT = TypeAdapter[str](ShortText)
_LONG = TypeAdapter[str](LongText)
_EMAIL = TypeAdapter[str](Email)
_DATE = TypeAdapter[object](Date)
_MAX_NUMBER_LENGTH = 40


@dataclass(slots=True, kw_only=True)
class CustomAnswerView:
    """The answer to a custom field of the event."""

    field_id: RecordId
    """The ID of the custom field."""
    name: str
    """The name of the custom field."""
    value: str
    """The answer, as text."""


async def load_answers(ctx: Context, ticket_ids: Sequence[int]) -> dict[int, list[CustomAnswerView]]:
    """Return the answers of tickets that the caller may see, in the order of the fields, in one statement."""
    answers: dict[int, list[CustomAnswerView]] = {ticket_id: [] for ticket_id in ticket_ids}
    values = CustomValue.filter(ticket_id__in=list(ticket_ids)).select_related("field")
    for value in await values.order_by("field__position", "field_id"):
        answers[value.ticket_id].append(
            CustomAnswerView(field_id=RecordId(value.field_id), name=value.field.name, value=value.value)
        )
    return answers


class _InvalidAnswer(ValueError):
    """An answer that does not fit its field; the message says what is expected."""


def check_answers(fields: Sequence[CustomField], given: Mapping[str, object]) -> dict[int, str]:
    """Return the answers as text, by field ID.

    ``given`` has the answers by field name or field ID; null means no answer. Raises ValidationFailed with a problem
    for each unknown field, each missing answer to a required field and each invalid answer.
    """
    problems: dict[str, str] = {}
    answers: dict[int, str] = {}
    for key, value in given.items():
        try:
            field = _unanswered_field(fields, key, answers)
            if not _is_empty(value):
                answers[field.id] = _CHECKS[field.type](field, value)
        except _InvalidAnswer as error:
            problems[key] = str(error)
    problems.update(_missing_answers(fields, set(problems), answers))
    if problems:
        raise errors.ValidationFailed({f"custom_fields.{key}": problem for key, problem in problems.items()})
    return answers


def _unanswered_field(fields: Sequence[CustomField], key: str, answers: Mapping[int, str]) -> CustomField:
    """Return the field that a key names or whose ID it is; names take precedence."""
    named = [field for field in fields if field.name == key.strip()]
    found = next(iter(named or [field for field in fields if str(field.id) == key]), None)
    if found is None:
        raise _InvalidAnswer("is not a custom field of this event")
    if found.id in answers:
        raise _InvalidAnswer("is given twice")
    return found


def _missing_answers(fields: Sequence[CustomField], invalid: set[str], answers: Mapping[int, str]) -> dict[str, str]:
    """Return the problems of required fields without an answer, except those that already have a problem."""
    return {
        field.name: "is required"
        for field in fields
        if field.required and field.id not in answers and not invalid & {field.name, str(field.id)}
    }


def _is_empty(value: object) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _check_text(adapter: TypeAdapter[str], expected: str) -> Callable[[CustomField, object], str]:
    def check(_field: CustomField, value: object) -> str:
        if not isinstance(value, str):
            raise _InvalidAnswer(f"must be {expected}")
        try:
            return adapter.validate_python(value.strip())
        except ValidationError as error:
            raise _InvalidAnswer(error.errors()[0]["msg"].removeprefix("Value error, ")) from error

    return check


def _check_number(_field: CustomField, value: object) -> str:
    is_scalar = isinstance(value, int | float | Decimal | str) and not isinstance(value, bool)
    if not is_scalar or len(str(value)) > _MAX_NUMBER_LENGTH:
        raise _InvalidAnswer("must be a number")
    try:
        number = Decimal(str(value).strip())
    except ArithmeticError as error:
        raise _InvalidAnswer("must be a number") from error
    if not number.is_finite() or "_" in str(value):  # Decimal ignores underscores
        raise _InvalidAnswer("must be a number")
    return str(value).strip()


def _check_date(_field: CustomField, value: object) -> str:
    try:
        return str(_DATE.validate_python(value))
    except ValidationError as error:
        raise _InvalidAnswer("must be a date, YYYY-MM-DD") from error


def _check_choice(field: CustomField, value: object) -> str:
    if not isinstance(value, str) or value.strip() not in field.options:
        raise _InvalidAnswer(f"must be one of: {', '.join(field.options)}")
    return value.strip()


def _check_checkbox(field: CustomField, value: object) -> str:
    """Return true or false for a field without options, otherwise the chosen options."""
    if not field.options:
        if not isinstance(value, bool):
            raise _InvalidAnswer("must be true or false")
        if field.required and not value:
            raise _InvalidAnswer("must be checked")
        return "true" if value else "false"
    chosen = value if isinstance(value, list) else [value]
    return ", ".join(dict.fromkeys(_check_choice(field, one) for one in chosen))


_CHECKS: dict[FieldType, Callable[[CustomField, object], str]] = {
    FieldType.TEXT: _check_text(_SHORT, "a string"),
    FieldType.TEXTAREA: _check_text(_LONG, "a string"),
    FieldType.EMAIL: _check_text(_EMAIL, "an email address"),
    FieldType.NUMBER: _check_number,
    FieldType.DATE: _check_date,
    FieldType.DROPDOWN: _check_choice,
    FieldType.RADIO: _check_choice,
    FieldType.CHECKBOX: _check_checkbox,
}
