"""Leaves: fields whose value is an attribute of the object, with a scalar or an enum as their type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_non_null_type,
)
from graphql.type import GraphQLOutputType
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from amarevents.schema.core.edges import attribute_of
from amarevents.schema.core.nodes import encode_node_id, is_node_id

Value: TypeAlias = Any
"""The value of a field, of a view or of the response: each has its own type."""
Serializer: TypeAlias = Callable[[Value], Value]

# How built-in scalars serialize values of exactly these types; None: as they are.
_BUILT_IN: dict[str, Mapping[type, Serializer | None]] = {
    GraphQLString.name: {str: None},
    GraphQLBoolean.name: {bool: None},
    GraphQLID.name: {int: str, str: None},
}
_LEAF = "amarevents.leaf"


class NotPlain(Exception):
    """A value that graphql-core has to handle."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A plain attribute. ``by_type`` serializes values of exactly these types, ``serialize`` all others."""

    attribute: str
    type_name: str
    by_type: Mapping[type, Serializer | None]
    serialize: Serializer
    nullable: bool
    optional: bool = False
    """Whether some views lack the attribute, whose value is loaded then."""

    def write(self, value: Value) -> Value:
        """Return the value as the response shows it.

        Raises NotPlain, also for null if the schema does not allow it, and any exception of a serializer.
        """
        value_type = type(value)
        if value_type in self.by_type:
            serialize = self.by_type[value_type]
            return value if serialize is None else serialize(value)
        if value is None and self.nullable:
            return None
        if value is None or value is Undefined or isinstance(value, Exception) or hasattr(value, "__await__"):
            raise NotPlain
        serialized = self.serialize(value)
        if serialized is None or serialized is Undefined:
            raise NotPlain
        return serialized


def field_of(definition: GraphQLField) -> StrawberryField | None:
    """Return Strawberry's field behind a field of the schema; None for fields of introspection."""
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return field if isinstance(field, StrawberryField) else None


def leaf_of(definition: GraphQLField, type_name: str) -> Leaf | None:
    """Return the leaf of a field, None if it is not a plain attribute. It is stored with the field."""
    if _LEAF not in definition.extensions:
        definition.extensions[_LEAF] = _make_leaf(definition, type_name)
    leaf: Leaf | None = definition.extensions[_LEAF]
    return leaf


def _make_leaf(definition: GraphQLField, type_name: str) -> Leaf | None:
    field = field_of(definition)
    if field is None or definition.args:
        return None
    if is_node_id(field):
        encode = partial(encode_node_id, type_name)
        return Leaf("id", GraphQLID.name, {int: encode}, encode, nullable=False)
    attribute = field.python_name if field.is_basic_field else attribute_of(field)
    return None if attribute is None else leaf_of_type(definition.type, attribute, optional=not field.is_basic_field)


def leaf_of_type(declared: GraphQLOutputType, attribute: str = "", *, optional: bool = False) -> Leaf | None:
    """Return a leaf of this type, None if it is not the type of leaves."""
    of_type = get_nullable_type(declared)
    if not isinstance(of_type, GraphQLScalarType | GraphQLEnumType):
        return None
    return Leaf(
        attribute=attribute,
        type_name=of_type.name,
        by_type=by_type(of_type),
        serialize=of_type.coerce_output_value,
        nullable=not is_non_null_type(declared),
        optional=optional,
    )


@cache
def by_type(of_type: GraphQLScalarType | GraphQLEnumType) -> Mapping[type, Serializer | None]:
    """Return how values of the types that are usual for a scalar or an enum are serialized."""
    if isinstance(of_type, GraphQLScalarType):
        return _BUILT_IN.get(of_type.name, {})
    wrapped = getattr(of_type, "wrapped_cls", None)
    if wrapped is None:
        return {}
    known = {value.value for value in of_type.values.values()}
    names = {member: of_type.coerce_output_value(member) for member in wrapped if member.value in known}
    return {wrapped: names.__getitem__}
