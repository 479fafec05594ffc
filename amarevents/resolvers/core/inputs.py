"""The base class of inputs, and the field types that all inputs share except texts (decisions 1.8)."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NewType, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    WithJsonSchema,
    model_validator,
)
from pydantic.fields import FieldInfo

from amarevents.models.columns import MAX_ID

T = TypeVar("T")

RecordId = NewType("RecordId", int)
"""The ID of a row: an integer in REST, an ``ID`` in GraphQL."""

Taka = NewType("Taka", int)
"""Whole taka: an integer in REST, a ``Decimal`` like all money in GraphQL (decisions 9.1)."""

FLAGS = {"true": True, "1": True, "false": False, "0": False}
"""What folded texts mean as booleans (decisions 1.6)."""

_MAX_MONEY = Decimal(10) ** 12

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _check_date(value: object) -> object:
    """Accept only ``YYYY-MM-DD`` of the many forms that pydantic accepts as a date."""
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date | str):
        raise ValueError("must be a date, YYYY-MM-DD")  # noqa: TRY004 - pydantic turns only ValueError into a field error
    if isinstance(value, str):
        value = value.strip()
        if not _DATE.fullmatch(value):
            raise ValueError("must be a date, YYYY-MM-DD")
    return value


def _parse_expiry(value: object) -> datetime.datetime:
    """Return the time in UTC of a date and time, or of a date, which means 00:00 UTC (decisions 2.5)."""
    if isinstance(value, datetime.datetime):
        instant = value
    elif isinstance(value, str) and _DATE.match(value.strip()):
        try:
            instant = datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a date or a time such as 2027-01-01T00:00:00Z") from None
    else:
        raise ValueError("must be a date or a time such as 2027-01-01T00:00:00Z")
    instant = instant if instant.tzinfo else instant.replace(tzinfo=datetime.UTC)
    try:
        return instant.astimezone(datetime.UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


def _parse_money(value: object) -> Decimal:
    """Return the exact amount of a JSON number, or of the Decimal of GraphQL's scalar."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic turns only ValueError into a field error
    try:
        amount = Decimal(str(value))
        cents = amount.quantize(Decimal("0.01"))
        in_range = 0 <= amount < _MAX_MONEY
    except InvalidOperation:
        in_range = False
    if not in_range:
        raise ValueError("must be at least 0 and less than 1,000,000,000,000")
    if cents != amount:
        raise ValueError("must have at most two decimal places")
    return abs(cents)  # zero has no sign


DateTime = datetime.datetime
"""A time in UTC, with its time zone."""

Date = Annotated[datetime.date, BeforeValidator(_check_date)]
Expiry = Annotated[
    datetime.datetime,
    BeforeValidator(_parse_expiry),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
Money = Annotated[
    Decimal, BeforeValidator(_parse_money), Field(json_schema_extra={"exclusiveMaximum": int(_MAX_MONEY)})
]
Count = Annotated[StrictInt, Field(ge=0, le=MAX_ID)]
Id = Annotated[RecordId, Field(strict=True, ge=1, le=MAX_ID)]
Ids = Annotated[list[Id], Field(max_length=100)]


def _require_value(value: T | None) -> T | None:
    if value is None:
        raise ValueError("must not be null")
    return value


def _omit_null(schema: dict[str, Any]) -> None:  # Any: JSON Schema
    """Remove null from a JSON Schema: it is only the default that stands for a field that was not sent."""
    present = [option for option in schema.pop("anyOf") if option != {"type": "null"}]
    schema.update(present[0] if len(present) == 1 else {"anyOf": present})


NotNull = Annotated[T | None, AfterValidator(_require_value), Field(json_schema_extra=_omit_null)]
"""A field of an update that can be omitted, but not set to null."""


def _is_left_out(field: FieldInfo, value: object) -> bool:
    """Return whether a value means that its field was not sent: blank text, or null unless null has a meaning."""
    if value is None:
        return not field.is_required() and not _admits_null(field)
    return isinstance(value, str) and not value.strip()


def _admits_null(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)


class Input(BaseModel):
    """The input of an operation, validated in the same way on both surfaces.

    Unknown fields are rejected. Null for a field with a default that is not null counts as missing (decisions 1.6).
    Strings are trimmed, and a string that is then empty counts as missing as well (decisions 1.9). ``model_fields_set``
    has the fields that were sent, so that updates are partial (decisions 1.10).
    """

    # The validator of an input is built when it is needed first: all of them would take a tenth of the start.
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_left_out(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        # Unknown fields are kept even if they are blank, so that they are rejected.
        known = cls.fields_by_name()
        return {
            name: value for name, value in values.items() if name not in known or not _is_left_out(known[name], value)
        }

    @classmethod
    def fields_by_name(cls) -> Mapping[str, FieldInfo]:
        """Return the fields by the names that callers use. ``from_`` is ``from``, which is a keyword of Python."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    def changed_fields(self) -> dict[str, object]:
        """Return the fields that the caller sent, which are those that an update changes."""
        return {name: getattr(self, name) for name in self.model_fields_set}


@dataclass(slots=True, kw_only=True)
class DeletedView:
    """The result of a deletion (decisions 1.5)."""

    id: RecordId
    """The ID of the deleted object."""
    deleted: bool
    """Always true: the object no longer exists."""


def deleted(record_id: int) -> DeletedView:
    return DeletedView(id=RecordId(record_id), deleted=True)
