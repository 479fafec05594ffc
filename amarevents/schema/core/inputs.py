"""GraphQL inputs and arguments generated from each ``Input``, so that both surfaces take the same fields."""

import types
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import strawberry
from pydantic.fields import FieldInfo
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from amarevents.resolvers.core.descriptions import description_of, public_text
from amarevents.resolvers.core.inputs import Input, RecordId, Taka
from amarevents.schema.core.scalars import JSON

# Any throughout: annotations, and classes that are made at run time.

# Of an ID and of whole taka: more than the database holds, and few enough to be parsed quickly.
_MAX_DIGITS = 18


@cache
def input_class(input_type: type[Input]) -> Any:
    """Return the Strawberry input type of an Input. Optional fields are nullable, and ``UNSET`` if not sent."""
    annotations: dict[str, Any] = {}
    namespace: dict[str, object] = {"__annotations__": annotations, "__module__": __name__}
    for name, field in graphql_fields(input_type).items():
        annotations[name] = graphql_type(field)
        default = {} if field.is_required() else {"default": strawberry.UNSET}
        namespace[name] = strawberry.field(description=_describe(input_type, name), **default)
    name = f"{input_type.__name__.removesuffix('Input')}Input"
    cls = type(name, (), namespace)
    return strawberry.input(cls, name=name, description=public_text(input_type.__doc__))


def graphql_fields(input_type: type[Input]) -> Mapping[str, FieldInfo]:
    """Return the fields that GraphQL has: all except the aliases that only REST accepts."""
    hidden: frozenset[str] = getattr(input_type, "REST_ONLY", frozenset())
    return {name: field for name, field in input_type.fields_by_name().items() if name not in hidden}


def input_arguments(input_type: type[Input]) -> list[StrawberryArgument]:
    """Return one argument per field of an Input, the required ones first."""
    fields = graphql_fields(input_type)
    return [
        argument(name, graphql_type(fields[name]), _describe(input_type, name))
        for name in sorted(fields, key=lambda name: not fields[name].is_required())
    ]


def _describe(input_type: type[Input], name: str) -> str:
    """Return the description of a field with its default, which is not a default value in the schema."""
    description, default = description_of(input_type, name), input_type.fields_by_name()[name].default
    match default:
        case Enum():
            return f"{description} Defaults to `{default.name}`."
        case bool() | int() | Decimal() | str():
            return f"{description} Defaults to `{str(default).lower() if isinstance(default, bool) else default}`."
        case _:
            return description


def input_argument(input_type: type[Input]) -> StrawberryArgument:
    """Return the argument ``input``, an object with the fields of an Input."""
    summary = public_text(input_type.__doc__).partition("\n")[0]
    return argument("input", input_class(input_type), summary)


def argument(name: str, annotation: Any, description: str) -> StrawberryArgument:
    """Return an argument, which is optional if the annotation allows None."""
    return StrawberryArgument(
        python_name=name,
        graphql_name=None,
        type_annotation=StrawberryAnnotation(annotation),
        description=description,
    )


def graphql_type(field: FieldInfo) -> Any:
    """Return the type of a field in the schema."""
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


def to_values(input_type: type[Input], given: Mapping[str, object]) -> dict[str, object]:
    """Return the values that were sent, by the names of the Input's fields, with IDs as integers."""
    fields = graphql_fields(input_type)
    return {
        name: _to_value(fields[name].annotation, value)
        for name, value in given.items()
        if value is not strawberry.UNSET
    }


def _to_value(annotation: Any, value: Any) -> object:  # Any: as Strawberry has converted it
    origin, parts = get_origin(annotation), get_args(annotation)
    if value is None or isinstance(value, Enum):
        return value
    if origin in (Union, types.UnionType, Annotated):
        return _to_value(parts[0], value)
    if origin is list:
        return [_to_value(parts[0], element) for element in value]
    if annotation is RecordId:
        number = parse_id(value)
        return value if number is None else number
    if annotation is Taka:
        return _to_integer(value)
    if isinstance(annotation, type) and issubclass(annotation, Input):
        return to_values(annotation, vars(value))
    return value


def _to_integer(value: Decimal) -> int | Decimal:
    """Return a whole number as an integer; anything else is returned as it is, for the Input to refuse."""
    is_whole = value.is_finite() and value.adjusted() < _MAX_DIGITS and value == value.to_integral_value()
    return int(value) if is_whole else value


def parse_id(value: str) -> int | None:
    """Return the integer in an ``ID``, or None if it holds none."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS else None
