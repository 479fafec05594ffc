"""Execution with a plan per selection and view, which reads plain attributes of an object without resolvers.

Fields that are attributes with a scalar or an enum as their type are read and serialized at once, also those that only
some views have as attributes. All other fields are executed by graphql-core, and so is every object in which a plain
attribute cannot be serialized or is null although the schema says otherwise: errors are always those of graphql-core.

``PlannedExecutor`` overrides methods of graphql-core that are not part of its public API. Both packages are pinned to
the minor version it was written for, and a test compares its results with those of the stock executor.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from graphql import GraphQLError, GraphQLObjectType
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from amarevents import errors
from amarevents.schema.core.context import ResponseSize
from amarevents.schema.execution.leaves import Leaf, Value, leaf_of

MAX_OBJECTS = 20_000
"""The maximum size of a response. Objects count 1, and each of their fields that is not a plain attribute 4."""
# The number of plain objects that take as long as one field that is not a plain attribute.
_EDGE_SIZE = 4
TYPENAME = "__typename"


def size_of(others: int) -> int:
    """Return how much an object counts towards the maximum, given the number of its fields that are no attributes."""
    return 1 + _EDGE_SIZE * others


@dataclass(frozen=True, slots=True)
class _Plan:
    """The fields of an object in the order of the response.

    ``entries`` have None instead of a leaf for ``__typename`` and for ``others``, the fields that are not plain
    attributes. ``size`` is how much the object counts towards ``MAX_OBJECTS``.
    """

    entries: tuple[tuple[str, Leaf | None], ...]
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

    def __init__(self, *args: Value, **kwargs: Value) -> None:
        super().__init__(*args, **kwargs)
        self.collected_errors = _Errors()
        self._size: ResponseSize = getattr(self.context_value, "response_size", None) or ResponseSize()
        # By identity of the field set, which graphql-core keeps for each selection and type, and by the class of the
        # objects. The reference keeps its id from being reused.
        self._plans: dict[tuple[int, type], tuple[GroupedFieldSet, _Plan]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Value,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Value,
    ) -> Value:
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

    def build_per_event_executor(self, payload: Value) -> "PlannedExecutor":
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


def _read(plan: _Plan, source: Value, type_name: str) -> dict[str, Value]:
    """Return the plain attributes of an object, with placeholders for its other fields.

    Raises any exception of a property or a serializer.
    """
    results: dict[str, Value] = {}
    for name, leaf in plan.entries:
        results[name] = type_name if leaf is None else leaf.write(getattr(source, leaf.attribute))
    return results


def _merge(plan: _Plan, results: dict[str, Value], others: Mapping[str, Value]) -> dict[str, Value]:
    """Insert the other fields in their places; those that graphql-core left out are removed."""
    results.update(others)
    if len(others) < len(plan.others):
        for name in plan.others - others.keys():
            del results[name]
    return results


async def _complete(plan: _Plan, results: dict[str, Value], others: Awaitable[Mapping[str, Value]]) -> dict[str, Value]:
    return _merge(plan, results, await others)


def _make_plan(parent_type: GraphQLObjectType, fields: GroupedFieldSet, view: type) -> _Plan:
    entries: list[tuple[str, Leaf | None]] = []
    others: set[str] = set()
    for name, details in fields.items():
        node = details[0].node
        definition = parent_type.fields.get(node.name.value)
        leaf = None if definition is None or node.arguments else leaf_of(definition, parent_type.name)
        if leaf is not None and leaf.optional and not hasattr(view, leaf.attribute):
            leaf = None
        entries.append((name, leaf))
        if leaf is None and node.name.value != TYPENAME:
            others.add(name)
    # The data of introspection exists already.
    size = 1 if parent_type.name.startswith("__") else size_of(len(others))
    return _Plan(tuple(entries), frozenset(others), size)
