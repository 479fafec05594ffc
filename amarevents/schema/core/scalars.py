"""Scalars of the schema. They pass values on unchanged, so that each Input validates them as it does for REST."""

import datetime
from decimal import Decimal

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY
from strawberry.types.scalar import ScalarDefinition

from amarevents.resolvers.core.inputs import RecordId, Taka

__all__ = ["CONFIG", "JSON"]


def _unchanged(value: object) -> object:
    return value


def _serialize_datetime(value: datetime.datetime) -> str:
    return value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _serialize_date(value: datetime.date) -> str:
    return value.isoformat()


def _parse_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise GraphQLError('Decimal must be a string or a number, such as "499.50"')
    text = str(value)
    try:
        # Decimal itself ignores underscores and accepts the digits of every script.
        number = Decimal(text.replace("_", "?") if text.isascii() else "?")
    except ArithmeticError:
        raise GraphQLError(f"Decimal cannot represent {value!r}") from None
    return number or Decimal(0)  # no negative zero


_DECIMAL = strawberry.scalar(
    name="Decimal",
    description='An exact decimal number, as a string such as "499.50". It can be sent as a number as well.',
    specified_by_url="https://www.w3.org/TR/xmlschema11-2/#decimal",
    serialize=str,
    parse_value=_parse_decimal,
)
_SCALARS: dict[object, ScalarDefinition] = {
    # Integers in REST.
    RecordId: DEFAULT_SCALAR_REGISTRY[strawberry.ID],
    Decimal: _DECIMAL,
    Taka: _DECIMAL,
    datetime.datetime: strawberry.scalar(
        name="DateTime",
        description="A time in UTC in the format of RFC 3339, such as 2026-11-23T05:40:00Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        serialize=_serialize_datetime,
        parse_value=_unchanged,
    ),
    datetime.date: strawberry.scalar(
        name="Date",
        description="A date in the format YYYY-MM-DD, such as 2026-12-16.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        serialize=_serialize_date,
        parse_value=_unchanged,
    ),
}

CONFIG = StrawberryConfig(scalar_map=_SCALARS)
