"""Execution of plain fields from a plan: what the stock engine decides per value is decided once per selection.

An object's leaf fields that are merely attributes are read and serialized at once. Whatever else there is, a field with
a resolver, arguments or an object for its value, goes the ordinary way; and so does any whole object in which something
does not fit (null where it may not be, a value that does not serialize), so that errors are the engine's own.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from amarevents import errors

# Any throughout: the values of fields, and the executor's own generic parts.
_Serialize = Callable[[Any], Any]

# What the engine's own scalars make of values of exactly these types; None: the value itself.
_KNOWN: dict[str, Mapping[type, _Serialize | None]] = {
    GraphQLString.name: {str: None},
    GraphQLBoolean.name: {bool: None},
    GraphQLID.name: {int: str, str: None},
}
MAX_OBJECTS = 20_000
# As many plain objects take as long as one field that is more than a plain value of its object.
_EDGE_WEIGHT = 4
_TYPENAME = "__typename"
_LEAF = "amarevents.leaf"


class _DoesNotFit(Exception):
    """A leaf that the stock engine has to judge."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A field that is an attribute; ``by_type`` serializes values of exactly these types, ``serialize`` all others."""

    attribute: str
    by_type: Mapping[type, _Serialize | None]
    serialize: _Serialize
    nullable: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """The answer's names in their order, each with its leaf; None for the object's type name and for the ``others``.

    ``weight``: how many plain objects take as long as one of these. What introspection tells is all there already.
    """

    entries: tuple[tuple[str, _Leaf | None], ...]
    others: frozenset[str]
    weight: int


class AnswerTooLarge(errors.BadRequest):
    code = "ANSWER_TOO_LARGE"
    message = f"An answer weighs at most {MAX_OBJECTS} objects: ask for fewer, or for less within each of them"


class _Errors(CollectedErrors):
    """What has gone wrong. An answer that is too large is told once, however much of it is left out."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        super().__init__()
        self._told = False

    def add(self, error: GraphQLError, path: Path | None) -> None:
        if isinstance(error.original_error, AnswerTooLarge):
            if self._told:
                self._error_positions.add(path)
                return
            self._told = True
        super().add(error, path)


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor with a plan for each selection, and a bound to the objects of an answer.

    What a document may cost is told before; how many things there really are is known only here.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.collected_errors = _Errors()
        self._weight = 0
        # By identity: the engine keeps one set of fields for each selection, and holding it here keeps its id.
        self._plans: dict[int, tuple[GroupedFieldSet, _Plan]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Any:
        plan = self._plan(parent_type, grouped_field_set)
        self._weight += plan.weight
        if self._weight > MAX_OBJECTS:
            raise AnswerTooLarge
        try:
            results = _read(plan, source_value, parent_type.name)
        except Exception:
            # Whatever it is, the engine meets it again and makes its error of it.
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        if not plan.others:
            return results
        rest = {name: details for name, details in grouped_field_set.items() if name in plan.others}
        others = super().execute_fields(parent_type, source_value, path, rest, position_context)
        if isinstance(others, dict):
            return _merged(plan, results, others)
        return _completed(plan, results, others)

    def build_per_event_executor(self, payload: Any) -> "PlannedExecutor":
        """Each delivery of a subscription is an answer of its own."""
        executor = super().build_per_event_executor(payload)
        assert isinstance(executor, PlannedExecutor)  # noqa: S101 - for the type checker; it is a copy of this one
        executor.collected_errors = _Errors()
        executor._weight = 0  # noqa: SLF001 - its own
        return executor

    def _plan(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> _Plan:
        known = self._plans.get(id(fields))
        if known is None:
            known = self._plans[id(fields)] = (fields, _make_plan(parent_type, fields))
        return known[1]


def _read(plan: _Plan, source: Any, type_name: str) -> dict[str, Any]:
    """The answer with its leaves, and with a place for everything else. Raises what reading and serializing raise."""
    results: dict[str, Any] = {}
    for name, leaf in plan.entries:
        if leaf is None:
            results[name] = type_name
            continue
        value = getattr(source, leaf.attribute)
        kind = type(value)
        if kind in leaf.by_type:
            serialize = leaf.by_type[kind]
            results[name] = value if serialize is None else serialize(value)
        elif value is None and leaf.nullable:
            results[name] = None
        else:
            results[name] = _serialized(leaf, value)
    return results


def _serialized(leaf: _Leaf, value: Any) -> Any:
    if value is None or value is Undefined or isinstance(value, Exception) or hasattr(value, "__await__"):
        raise _DoesNotFit
    shown = leaf.serialize(value)
    if shown is None or shown is Undefined:
        raise _DoesNotFit
    return shown


def _merged(plan: _Plan, results: dict[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Fill the places that were kept; a field that the engine has left out has none."""
    results.update(others)
    if len(others) < len(plan.others):
        for name in plan.others - others.keys():
            del results[name]
    return results


async def _completed(plan: _Plan, results: dict[str, Any], others: Awaitable[Mapping[str, Any]]) -> dict[str, Any]:
    return _merged(plan, results, await others)


def _make_plan(parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> _Plan:
    entries: list[tuple[str, _Leaf | None]] = []
    others: set[str] = set()
    for name, details in fields.items():
        node = details[0].node
        definition = parent_type.fields.get(node.name.value)
        leaf = None if definition is None or node.arguments else _leaf(definition)
        entries.append((name, leaf))
        if leaf is None and node.name.value != _TYPENAME:
            others.add(name)
    weight = 1 if parent_type.name.startswith("__") else 1 + _EDGE_WEIGHT * len(others)
    return _Plan(tuple(entries), frozenset(others), weight)


def _leaf(definition: GraphQLField) -> _Leaf | None:
    """None for a field that is more than an attribute with a leaf for its value; remembered with the field."""
    if _LEAF not in definition.extensions:
        definition.extensions[_LEAF] = _make_leaf(definition)
    leaf: _Leaf | None = definition.extensions[_LEAF]
    return leaf


def _make_leaf(definition: GraphQLField) -> _Leaf | None:
    made_of = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    of_type = get_nullable_type(definition.type)
    if not isinstance(made_of, StrawberryField) or not made_of.is_basic_field or definition.args:
        return None
    if not isinstance(of_type, GraphQLScalarType | GraphQLEnumType):
        return None
    return _Leaf(
        attribute=made_of.python_name,
        by_type=_by_type(of_type),
        serialize=of_type.coerce_output_value,
        nullable=not is_non_null_type(definition.type),
    )


@cache
def _by_type(of_type: GraphQLScalarType | GraphQLEnumType) -> Mapping[type, _Serialize | None]:
    if isinstance(of_type, GraphQLScalarType):
        return _KNOWN.get(of_type.name, {})
    members = {value.value: name for name, value in of_type.values.items()}
    wrapped = getattr(of_type, "wrapped_cls", None)
    if wrapped is None:
        return {}
    names = {member: members[member.value] for member in wrapped if member.value in members}
    return {wrapped: names.__getitem__}
