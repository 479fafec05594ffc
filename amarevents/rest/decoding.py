"""Values of REST requests in the types that inputs expect: numbers and booleans may be sent as text (decisions 1.6).

Texts come from query parameters and from forms. What does not fit its field is left as it is, for the input to refuse.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, get_args, get_origin

from starlette.datastructures import QueryParams

from amarevents.resolvers.core.inputs import FLAGS, Input
from amarevents.resolvers.core.operation import validate
from amarevents.text import ascii_digits

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MAX_LENGTH = 100
_MAX_DIGITS = 100
_MAX_CACHED_BYTES = 256


def read_query(input_type: type[Input] | None, query_string: bytes) -> Input | None:
    """Return the validated input of a query string, None if the operation has none. Raises ValidationFailed."""
    if input_type is None:
        return None
    cached = len(query_string) <= _MAX_CACHED_BYTES
    return _read_query(input_type, query_string) if cached else _read_query.__wrapped__(input_type, query_string)


@lru_cache(maxsize=2_048)  # inputs are immutable, and the same queries come again and again
def _read_query(input_type: type[Input], query_string: bytes) -> Input:
    return validate(input_type, decode_query(input_type, QueryParams(query_string)))


def decode_query(input_type: type[Input] | None, query: Mapping[str, str]) -> dict[str, object]:
    """Return query parameters as the types that the input expects; unknown ones are ignored (decisions 1.6)."""
    if input_type is None:
        return {}
    fields = input_type.fields_by_name().keys() - getattr(input_type, "GRAPHQL_ONLY", frozenset())
    return decode_fields(input_type, {name: text for name, text in query.items() if name in fields})


def decode_fields(input_type: type[Input], values: Mapping[str, object]) -> dict[str, object]:
    """Return an object of a request with its values as the types that the fields of the input expect."""
    fields = input_type.fields_by_name()
    return {
        name: _decode(fields[name].annotation, value) if name in fields else value for name, value in values.items()
    }


def _decode(annotation: object, value: object) -> object:
    annotation = getattr(annotation, "__supertype__", annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Input):
        return decode_fields(annotation, value) if isinstance(value, dict) else value
    if origin is Annotated:
        return _decode(parts[0], value)
    if origin is list:
        return [_decode(parts[0], element) for element in value] if isinstance(value, list) else value
    if origin is dict:
        return {key: _decode(parts[1], part) for key, part in value.items()} if isinstance(value, dict) else value
    if parts:  # a union, whose other parts leave the value as it is
        for part in parts:
            value = _decode(part, value)
        return value
    return _SCALARS[annotation](value) if annotation in _SCALARS else value


def _to_whole_number(value: object) -> object:
    """Return a whole number as an integer, however it is written: 40, 40.0 or 4e1."""
    number = Decimal(value) if isinstance(value, float) else _to_decimal(value)
    if not isinstance(number, Decimal) or number.adjusted() >= _MAX_DIGITS:
        return value
    return int(number) if number == number.to_integral_value() else value


def _to_decimal(value: object) -> object:
    text = ascii_digits(value.strip()) if isinstance(value, str) and len(value) <= _MAX_LENGTH else ""
    return Decimal(text) if _NUMBER.fullmatch(text) else value


def _to_flag(value: object) -> object:
    return FLAGS.get(ascii_digits(str(value).strip()).lower(), value) if isinstance(value, str | int) else value


_SCALARS: Mapping[object, Callable[[object], object]] = {int: _to_whole_number, Decimal: _to_decimal, bool: _to_flag}
