"""The GraphQL side of an ``Input``: the same fields, generated, so that neither surface can have one alone."""

import types
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import strawberry
from pydantic.fields import FieldInfo

from amarevents.resolvers.core.descriptions import description_of, public_text
from amarevents.resolvers.core.inputs import Input, RecordId, Taka
from amarevents.schema.core.scalars import JSON

# Any throughout: annotations and the classes made of them have no narrower type.

_MAX_DIGITS = 18  # of an id and of whole taka: more than the database holds, and quickly read


@cache
def input_class(input_type: type[Input]) -> Any:
    """The Strawberry input type of an Input: what may be left out is nullable and ``UNSET`` unless given."""
    annotations: dict[str, Any] = {}
    namespace: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__}
    for name, field in graphql_fields(input_type).items():
        annotations[name] = graphql_type(field)
        default = {} if field.is_required() else {"default": strawberry.UNSET}
        namespace[name] = strawberry.field(description=description_of(input_type, name), **default)
    name = f"{input_type.__name__.removesuffix('Input')}Input"
    cls = type(name, (), namespace)
    return strawberry.input(cls, name=name, description=public_text(input_type.__doc__))


def graphql_fields(input_type: type[Input]) -> Mapping[str, FieldInfo]:
    """The fields that GraphQL has: all but REST's further names for the same thing."""
    hidden: frozenset[str] = getattr(input_type, "REST_ONLY", frozenset())
    return {name: field for name, field in input_type.model_fields.items() if name not in hidden}


def graphql_type(field: FieldInfo) -> Any:
    translated = _translate(field.annotation)
    return translated if field.is_required() else translated | None


def _translate(annotation: Any) -> Any:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _translate(parts[0])
    if origin in (Union, types.UnionType):
        present = [_translate(part) for part in parts if part is not type(None)]
        return present[0] | None
    if origin is list:
        return list[_translate(parts[0])]  # type: ignore[misc] # made at run time
    if origin is dict:
        return JSON
    if isinstance(annotation, type) and issubclass(annotation, Input):
        return input_class(annotation)
    return annotation


def to_values(input_type: type[Input], given: Mapping[str, Any]) -> dict[str, object]:
    """What was given, by the Input's field names: nothing for ``UNSET``, ids as integers.

    Nor for null where a field has a default but cannot be null: clients send null for what they leave out.
    """
    fields = graphql_fields(input_type)
    return {
        name: _plain(fields[name].annotation, value)
        for name, value in given.items()
        if value is not strawberry.UNSET and (value is not None or _admits_null(fields[name].annotation))
    }


def _admits_null(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


def _plain(annotation: Any, value: Any) -> Any:
    origin, parts = get_origin(annotation), get_args(annotation)
    if value is None or isinstance(value, Enum):
        return value
    if origin in (Union, types.UnionType, Annotated):
        return _plain(parts[0], value)
    if origin is list:
        return [_plain(parts[0], one) for one in value]
    if annotation is RecordId:
        return to_id(value)
    if annotation is Taka:
        return _whole(value)
    if isinstance(annotation, type) and issubclass(annotation, Input):
        return to_values(annotation, vars(value))
    return value


def _whole(value: Decimal) -> int | Decimal:
    """A whole number as an integer; what is none, or has more digits than any sum, is left for the Input to refuse."""
    is_whole = value.is_finite() and value.adjusted() < _MAX_DIGITS and value == value.to_integral_value()
    return int(value) if is_whole else value


def to_id(value: str) -> object:
    """An ``ID`` as the integer that it holds; what holds none is left for the Input to refuse."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS else value
