"""The graph that the schema spans, as tests walk it: whatever the schema has, without being listed anywhere."""

from functools import cache

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type
from graphql.type import GraphQLField, get_nullable_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from amarevents.schema.execution import cost, documents, limits, validation
from amarevents.schema.schema import schema

SCHEMA = build_schema(schema.as_str())
"""The schema as clients are told it."""

_ANY_NUMBER = 10**15
_ROOTS = {"Query", "Mutation", "Subscription"}
_COUNT = "totalCount"

TYPES: dict[str, GraphQLObjectType] = {
    name: kind
    for name, kind in schema.graphql_schema.type_map.items()
    if isinstance(kind, GraphQLObjectType) and not name.startswith("__") and name not in _ROOTS
}
"""The types of objects, but for the roots."""


def is_edge(field: GraphQLField) -> bool:
    """Whether a field is loaded for itself, and not merely an attribute of its object."""
    made_of = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return isinstance(made_of, StrawberryField) and not made_of.is_basic_field


EDGES = [
    (kind.name, name)
    for kind in TYPES.values()
    for name, field in kind.fields.items()
    if is_edge(field) and name != _COUNT
]
"""Every edge: the name of its type, and its own. The count of a list leads nowhere."""


def leads_to(field: GraphQLField) -> GraphQLObjectType | None:
    """The type of the objects that a field holds, None for one that holds plain values."""
    inner = get_named_type(field.type)
    return inner if isinstance(inner, GraphQLObjectType) else None


def whole_list(field: GraphQLField) -> str:
    """The argument with which a field shows all that a scene has, none for what is no list in parts."""
    return next((f"{name}: 100" for name in ("limit", "first") if name in field.args), "")


def selected(name: str, field: GraphQLField, edges_deep: int) -> str:
    """The field with all that it holds; whole lists."""
    inner = leads_to(field)
    everything = f"({whole})" if (whole := whole_list(field)) else ""
    return f"{name}{everything}" + (f" {{ {selection(inner, edges_deep)} }}" if inner else "")


@cache
def selection(kind: GraphQLObjectType, edges_deep: int) -> str:
    """All fields of a type, and of those that lead to other objects as many after each other as are asked for."""
    return " ".join(
        selected(name, field, edges_deep - _is_step(field))
        for name, field in kind.fields.items()
        if edges_deep or not _is_step(field)
    )


def _is_step(field: GraphQLField) -> bool:
    return is_edge(field) and leads_to(field) is not None


def lift_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let documents be as large as a test of the whole graph needs them, and be validated once."""
    monkeypatch.setattr(cost, "MAX_COST", _ANY_NUMBER)
    for bound in ("require_bounded", "require_few_overlaps"):
        monkeypatch.setattr(validation, bound, lambda _document: None)
    monkeypatch.setattr(limits, "MAX_ROOT_FIELDS", _ANY_NUMBER)
    monkeypatch.setattr(documents, "MAX_TOKENS", _ANY_NUMBER)
    monkeypatch.setattr(documents, "_MAX_CACHED_CHARACTERS", _ANY_NUMBER)


def let_it_be_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, and let an edge that refuses hide nothing of what stands beside it."""
    lift_bounds(monkeypatch)
    for of, name in EDGES:
        edge = TYPES[of].fields[name]
        monkeypatch.setattr(edge, "type", get_nullable_type(edge.type))
