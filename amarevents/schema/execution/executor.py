"""Execution with a plan per selection and view, which reads plain attributes of an object without resolvers.

Fields that are attributes with a scalar or an enum as their type are read and serialized at once, also those that only
some views have as attributes. All other fields are executed by graphql-core, and so is every object in which a plain
attribute cannot be serialized or is null although the schema says otherwise: errors are always those of graphql-core.

``PlannedExecutor`` overrides methods of graphql-core that are not part of its public API. Both packages are pinned to
the minor version it was written for, and a test compares its results with those of the stock executor.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

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
from amarevents.schema.core.context import ResponseSize
from amarevents.schema.core.edges import attribute_of
from amarevents.schema.core.nodes import encode_node_id, is_node_id

# Any throughout: values of fields, and the parameters of graphql-core's generic methods.
_Serializer: TypeAlias = Callable[[Any], Any]

# How built-in scalars serialize values of exactly these types; None: as they are.
_BUILT_IN: dict[str, Mapping[type, _Serializer | None]] = {
    GraphQLString.name: {str: None},
    GraphQLBoolean.name: {bool: None},
    GraphQLID.name: {int: str, str: None},
}
MAX_OBJECTS = 20_000
"""The maximum size of a response. Objects count 1, and each of their fields that is not a plain attribute 4."""
# The number of plain objects that take as long as one field that is not a plain attribute.
_EDGE_SIZE = 4
_TYPENAME = "__typename"
_LEAF = "amarevents.leaf"


class _NotPlain(Exception):
    """A value that graphql-core has to handle."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A plain attribute. ``by_type`` serializes values of exactly these types, ``serialize`` all others."""

    attribute: str
    by_type: Mapping[type, _Serializer | None]
    serialize: _Serializer
    nullable: bool
    optional: bool
    """Whether some views lack the attribute, whose value is loaded then."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The fields of an object in the order of the response.

    ``entries`` have None instead of a leaf for ``__typename`` and for ``others``, the fields that are not plain
    attributes. ``size`` is how much the object counts towards ``MAX_OBJECTS``.
    """

    entries: tuple[tuple[str, _Leaf | None], ...]
    others: frozenset[str]
    size: int


class AnswerTooLarge(errors.BadRequest):
    code = "ANSWER_TOO_LARGE"
    message = f"The response exceeds the maximum size of {MAX_OBJECTS:,} objects: request fewer objects or fewer fields"


class _Errors(CollectedErrors):
    """The errors of a response, with at most one AnswerTooLarge, however many objects are left out."""

    __slots__ = ("_is_too_large",)

    def __init__(self) -> None:
        super().__init__()
        self._is_too_large = False

    def add(self, error: GraphQLError, path: Path | None) -> None:
        if isinstance(error.original_error, AnswerTooLarge):
            if self._is_too_large:
                self._error_positions.add(path)
                return
            self._is_too_large = True
        super().add(error, path)


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor with a plan for each selection and a limit for the size of the response.

    The cost limit applies to an estimate before the execution; this limit applies to the real number of objects.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.collected_errors = _Errors()
        self._size: ResponseSize = getattr(self.context_value, "response_size", None) or ResponseSize()
        # By identity of the field set, which graphql-core keeps for each selection and type, and by the class of the
        # objects. The reference keeps its id from being reused.
        self._plans: dict[tuple[int, type], tuple[GroupedFieldSet, _Plan]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Any:
        plan = self._plan(parent_type, grouped_field_set, type(source_value))
        self._size.objects += plan.size
        if self._size.objects > MAX_OBJECTS:
            raise AnswerTooLarge
        try:
            results = _read(plan, source_value, parent_type.name)
        except Exception:
            # graphql-core runs into the same exception and reports it as an error of the field.
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        if not plan.others:
            return results
        rest = {name: details for name, details in grouped_field_set.items() if name in plan.others}
        others = super().execute_fields(parent_type, source_value, path, rest, position_context)
        if isinstance(others, dict):
            return _merge(plan, results, others)
        return _complete(plan, results, others)

    def build_per_event_executor(self, payload: Any) -> "PlannedExecutor":
        """Return an executor for the next result of a subscription, which has its own errors and size."""
        executor = super().build_per_event_executor(payload)
        assert isinstance(executor, PlannedExecutor)  # noqa: S101 - for the type checker; it is a copy of this one
        executor.collected_errors = _Errors()
        executor._size = ResponseSize()  # noqa: SLF001 - its own
        return executor

    def _plan(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet, view: type) -> _Plan:
        key = (id(fields), view)
        known = self._plans.get(key)
        if known is None:
            known = self._plans[key] = (fields, _make_plan(parent_type, fields, view))
        return known[1]


def _read(plan: _Plan, source: Any, type_name: str) -> dict[str, Any]:
    """Return the plain attributes of an object, with placeholders for its other fields.

    Raises any exception of a property or a serializer.
    """
    results: dict[str, Any] = {}
    for name, leaf in plan.entries:
        if leaf is None:
            results[name] = type_name
            continue
        value = getattr(source, leaf.attribute)
        value_type = type(value)
        if value_type in leaf.by_type:
            serialize = leaf.by_type[value_type]
            results[name] = value if serialize is None else serialize(value)
        elif value is None and leaf.nullable:
            results[name] = None
        else:
            results[name] = _serialize(leaf, value)
    return results


def _serialize(leaf: _Leaf, value: Any) -> Any:
    if value is None or value is Undefined or isinstance(value, Exception) or hasattr(value, "__await__"):
        raise _NotPlain
    serialized = leaf.serialize(value)
    if serialized is None or serialized is Undefined:
        raise _NotPlain
    return serialized


def _merge(plan: _Plan, results: dict[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Insert the other fields in their places; those that graphql-core left out are removed."""
    results.update(others)
    if len(others) < len(plan.others):
        for name in plan.others - others.keys():
            del results[name]
    return results


async def _complete(plan: _Plan, results: dict[str, Any], others: Awaitable[Mapping[str, Any]]) -> dict[str, Any]:
    return _merge(plan, results, await others)


def _make_plan(parent_type: GraphQLObjectType, fields: GroupedFieldSet, view: type) -> _Plan:
    entries: list[tuple[str, _Leaf | None]] = []
    others: set[str] = set()
    for name, details in fields.items():
        node = details[0].node
        definition = parent_type.fields.get(node.name.value)
        leaf = None if definition is None or node.arguments else _leaf(definition, parent_type.name)
        if leaf is not None and leaf.optional and not hasattr(view, leaf.attribute):
            leaf = None
        entries.append((name, leaf))
        if leaf is None and node.name.value != _TYPENAME:
            others.add(name)
    # The data of introspection exists already.
    size = 1 if parent_type.name.startswith("__") else 1 + _EDGE_SIZE * len(others)
    return _Plan(tuple(entries), frozenset(others), size)


def _leaf(definition: GraphQLField, type_name: str) -> _Leaf | None:
    """Return the leaf of a field, None if it is not a plain attribute. It is stored with the field."""
    if _LEAF not in definition.extensions:
        definition.extensions[_LEAF] = _make_leaf(definition, type_name)
    leaf: _Leaf | None = definition.extensions[_LEAF]
    return leaf


def _make_leaf(definition: GraphQLField, type_name: str) -> _Leaf | None:
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    of_type = get_nullable_type(definition.type)
    if not isinstance(field, StrawberryField) or definition.args:
        return None
    if is_node_id(field):
        encode = partial(encode_node_id, type_name)
        return _Leaf(attribute="id", by_type={int: encode}, serialize=encode, nullable=False, optional=False)
    attribute = field.python_name if field.is_basic_field else attribute_of(field)
    if attribute is None or not isinstance(of_type, GraphQLScalarType | GraphQLEnumType):
        return None
    return _Leaf(
        attribute=attribute,
        by_type=_by_type(of_type),
        serialize=of_type.coerce_output_value,
        nullable=not is_non_null_type(definition.type),
        optional=not field.is_basic_field,
    )


@cache
def _by_type(of_type: GraphQLScalarType | GraphQLEnumType) -> Mapping[type, _Serializer | None]:
    if isinstance(of_type, GraphQLScalarType):
        return _BUILT_IN.get(of_type.name, {})
    wrapped = getattr(of_type, "wrapped_cls", None)
    if wrapped is None:
        return {}
    known = {value.value for value in of_type.values.values()}
    names = {member: of_type.coerce_output_value(member) for member in wrapped if member.value in known}
    return {wrapped: names.__getitem__}
