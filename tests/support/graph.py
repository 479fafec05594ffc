"""The object types of the schema and the edges between them, derived from the schema itself."""

import dataclasses
from collections import OrderedDict
from functools import cache
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type
from graphql.type import GraphQLField, get_nullable_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from amarevents.schema.core.dataloaders import LoadFunction
from amarevents.schema.core.edges import Batch, EdgeField, PagedEdgeField
from amarevents.schema.execution import cost, documents, limits, validation
from amarevents.schema.schema import schema

SCHEMA = build_schema(schema.as_str())
"""The schema as clients see it."""

_ANY_NUMBER = 10**15
_ROOTS = {"Query", "Mutation", "Subscription"}
# Of lists, and of every object: they lead nowhere.
_NO_EDGES = {"totalCount", "nodeId"}

TYPES: dict[str, GraphQLObjectType] = {
    name: kind
    for name, kind in schema.graphql_schema.type_map.items()
    if isinstance(kind, GraphQLObjectType) and not name.startswith("__") and name not in _ROOTS
}
"""All object types except the root types."""


NODE_TYPES = [kind for kind in TYPES.values() if "nodeId" in kind.fields]
"""The types of objects with a node ID."""


def is_edge(field: GraphQLField) -> bool:
    """Return whether a field is loaded by a resolver of its own, unlike an attribute of its object."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return isinstance(definition, StrawberryField) and not definition.is_basic_field


EDGES = [
    (kind.name, name)
    for kind in TYPES.values()
    for name, field in kind.fields.items()
    if is_edge(field) and name not in _NO_EDGES
]
"""The type name and the field name of every edge."""


def object_type_of(field: GraphQLField) -> GraphQLObjectType | None:
    """Return the type of the objects in a field, or None for a field of plain values."""
    inner = get_named_type(field.type)
    return inner if isinstance(inner, GraphQLObjectType) else None


def whole_list_argument(field: GraphQLField) -> str:
    """Return the argument for the largest page of a list, or an empty string if the field has no pages."""
    return next((f"{name}: 100" for name in ("limit", "first") if name in field.args), "")


def select_field(name: str, field: GraphQLField, edges_deep: int) -> str:
    """Return the field with all fields of its type, and with its lists as long as possible."""
    inner = object_type_of(field)
    everything = f"({whole})" if (whole := whole_list_argument(field)) else ""
    return f"{name}{everything}" + (f" {{ {select_all_fields(inner, edges_deep)} }}" if inner else "")


@cache
def select_all_fields(kind: GraphQLObjectType, edges_deep: int) -> str:
    """Return all fields of a type, following at most ``edges_deep`` edges to other objects in a row."""
    return " ".join(
        select_field(name, field, edges_deep - _is_step(field))
        for name, field in kind.fields.items()
        if edges_deep or not _is_step(field)
    )


def _is_step(field: GraphQLField) -> bool:
    return is_edge(field) and object_type_of(field) is not None


def lift_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow documents as large as a test of the whole graph needs, and cache their validation."""
    monkeypatch.setattr(cost, "MAX_COST", _ANY_NUMBER)
    for bound in ("require_bounded", "require_few_overlaps"):
        monkeypatch.setattr(validation, bound, lambda _document: None)
    monkeypatch.setattr(limits, "MAX_ROOT_FIELDS", _ANY_NUMBER)
    monkeypatch.setattr(documents, "MAX_TOKENS", _ANY_NUMBER)
    monkeypatch.setattr(documents, "_MAX_CACHED_CHARACTERS", _ANY_NUMBER)


def edge_of(type_name: str, name: str) -> EdgeField | PagedEdgeField:
    """Return the extension that resolves an edge."""
    field = TYPES[type_name].fields[name].extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    [extension] = [one for one in field.extensions if isinstance(one, EdgeField | PagedEdgeField)]
    return extension


def batch_of(type_name: str, name: str) -> Batch:
    """Return how an edge is loaded."""
    batch = edge_of(type_name, name).load
    assert isinstance(batch, Batch)
    return batch


def replace_batch(monkeypatch: pytest.MonkeyPatch, type_name: str, name: str, load: LoadFunction[Any, Any]) -> None:
    """Replace the load function of an edge; documents that have been compiled are forgotten."""
    batch = dataclasses.replace(batch_of(type_name, name), load=load)
    monkeypatch.setitem(edge_of(type_name, name).__dict__, "load", batch)
    monkeypatch.setattr(documents, "_cache", OrderedDict())


def isolate_denied_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lift the limits, and make every edge nullable so that a denied edge does not hide its sibling fields."""
    lift_limits(monkeypatch)
    for type_name, name in EDGES:
        edge = TYPES[type_name].fields[name]
        monkeypatch.setattr(edge, "type", get_nullable_type(edge.type))
