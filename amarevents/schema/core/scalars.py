"""Scalars of the schema. Their values reach the operations as sent: what is wrong with one is said by its Input."""

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


def _as_sent(value: object) -> object:
    return value


def _instant(value: datetime.datetime) -> str:
    return value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _date(value: datetime.date) -> str:
    return value.isoformat()


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise GraphQLError('Decimal must be a string or a number, such as "499.50"')
    text = str(value)
    try:
        # Decimal itself reads over underscores, and takes the digits of every script.
        number = Decimal(text.replace("_", "?") if text.isascii() else "?")
    except ArithmeticError:
        raise GraphQLError(f"Decimal cannot represent {value!r}") from None
    return number or Decimal(0)  # no negative zero


_DECIMAL = strawberry.scalar(
    name="Decimal",
    description='An exact decimal number, as a string such as "499.50". Money is in taka unless said otherwise.',
    serialize=str,
    parse_value=_decimal,
)
_SCALARS: dict[object, ScalarDefinition] = {
    # The integers of REST, as the field's own identifiers.
    RecordId: DEFAULT_SCALAR_REGISTRY[strawberry.ID],
    Decimal: _DECIMAL,
    Taka: _DECIMAL,
    datetime.datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC, RFC 3339: 2026-11-23T05:40:00Z.",
        serialize=_instant,
        parse_value=_as_sent,
    ),
    datetime.date: strawberry.scalar(
        name="Date",
        description="A date, YYYY-MM-DD.",
        serialize=_date,
        parse_value=_as_sent,
    ),
}

CONFIG = StrawberryConfig(scalar_map=_SCALARS)
