"""What an operation may cost to answer, told from the document and its variables before it runs.

The unit is a plain field. A field that has to wait for its answer costs more, and so does a long text, because what it
costs is the answer's size: what lists hold is multiplied. What is sent in a list is work for each of its elements.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from graphql.type import GraphQLInputType, GraphQLNonNull, GraphQLOutputType
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from amarevents.resolvers.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from amarevents.schema.execution.limits import DocumentTooLarge, fragments_of

MAX_COST = 20_000
MAX_DELIVERY_COST = 2_000
"""Of a subscription: it is paid for once, and delivered as often as something happens."""
_WAITING = 10
# Dear enough that at most 500 of them fit: each is a part of one statement.
_PAGED = 40
_ELEMENT_SENT = 40
_LONG_TEXT = 80
_LONG_TEXTS = frozenset({"description", "notice", "emailmessage", "template", "note", "options"})
# The arguments that say how many of a list are wanted.
_SIZES = frozenset({"limit", "first", "last"})
# What a list that cannot be paged is taken to hold: an organization's recent events, an event's ticket types. Keys are
# more than that. What there really is, is counted when the answer is made.
_LIST_SIZE = 10
_LIST_SIZES = {"apiKeys": 100}


def require_affordable(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],  # Any: whatever the caller sent
) -> int:
    """What the operation may cost. Raises DocumentTooLarge for more than its maximum."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    counting = _Counting(schema, fragments_of(document), {**_defaults(operation), **variables})
    cost = counting.of(operation.selection_set, root, _LIST_SIZE)
    maximum = maximum_cost(operation)
    if cost > maximum:
        raise DocumentTooLarge(
            f"This operation may cost {cost}, of {maximum} that are allowed: ask for fewer fields or a smaller limit"
        )
    return cost


def maximum_cost(operation: OperationDefinitionNode) -> int:
    """What an operation of its kind may cost at most."""
    return MAX_DELIVERY_COST if operation.operation is OperationType.SUBSCRIPTION else MAX_COST


class _Counting:
    """One walk: a fragment is weighed once for each page size that it is spread under, and added wherever it is."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._known: dict[tuple[str, int], int] = {}

    def of(self, selections: SelectionSetNode, parent: GraphQLObjectType, page_size: int) -> int:
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                total += self._field(selection, parent, page_size)
            elif isinstance(selection, InlineFragmentNode):
                total += self.of(selection.selection_set, parent, page_size)
            elif isinstance(selection, FragmentSpreadNode):
                total += self._fragment(selection.name.value, page_size)
        return total

    def _fragment(self, name: str, page_size: int) -> int:
        key = (name, page_size)
        if key not in self._known:
            self._known[key] = 0  # where a fragment spreads itself, which validation refuses
            fragment = self._fragments.get(name)
            of_type = self._schema.get_type(fragment.type_condition.name.value) if fragment else None
            if fragment is not None and isinstance(of_type, GraphQLObjectType):
                self._known[key] = self.of(fragment.selection_set, of_type, page_size)
        return self._known[key]

    def _field(self, field: FieldNode, parent: GraphQLObjectType, page_size: int) -> int:
        """Unknown fields are left to validation; introspection has a limit of its own there."""
        definition = parent.fields.get(field.name.value)
        if definition is None:
            return 1
        own = _own_cost(field.name.value, definition) + self._sent_with(field, definition)
        inner = get_named_type(definition.type)
        if field.selection_set is None or not isinstance(inner, GraphQLObjectType):
            return own
        size = self._page_size(field) if _is_paged(definition) else _LIST_SIZE
        times = _LIST_SIZES.get(field.name.value, page_size) if _is_list(definition.type) else 1
        return own + times * self.of(field.selection_set, inner, size)

    def _sent_with(self, field: FieldNode, definition: GraphQLField) -> int:
        return sum(
            self._sent(argument.value, definition.args[argument.name.value].type)
            for argument in field.arguments or ()
            if argument.name.value in definition.args
        )

    def _sent(self, value: object, of: GraphQLInputType) -> int:
        """The cost of the elements of all lists in a value, written in the document or in a variable."""
        if isinstance(value, VariableNode):
            value = self._variables.get(value.name.value)
        kind = get_nullable_type(of)
        if isinstance(kind, GraphQLList):
            elements = value.values if isinstance(value, ListValueNode) else value
            if not isinstance(elements, list | tuple):
                return self._sent(value, kind.of_type)  # one element may stand without its list
            return sum(_ELEMENT_SENT + self._sent(one, kind.of_type) for one in elements)
        if isinstance(kind, GraphQLInputObjectType):
            parts = _parts_of(value)
            return sum(self._sent(parts[name], part.type) for name, part in kind.fields.items() if name in parts)
        return 0

    def _page_size(self, field: FieldNode) -> int:
        """The largest size given, as far as it can be read and is allowed."""
        given = [self._size(one.value) for one in field.arguments or () if one.name.value in _SIZES]
        return max(filter(None, given), default=DEFAULT_PAGE_SIZE)

    def _size(self, argument: ValueNode) -> int | None:
        """None for null and for a variable without a value: then no size is given."""
        value = self._variables.get(argument.name.value) if isinstance(argument, VariableNode) else argument
        if value is None or isinstance(value, NullValueNode):
            return None
        if isinstance(value, IntValueNode):
            value = int(value.value) if len(value.value) < 5 else MAX_PAGE_SIZE
        return min(max(value, 1), MAX_PAGE_SIZE) if isinstance(value, int) else MAX_PAGE_SIZE


def _parts_of(value: object) -> Mapping[str, object]:
    """The fields of an object; none of what is no object, which is refused later."""
    if isinstance(value, ObjectValueNode):
        return {part.name.value: part.value for part in value.fields}
    return value if isinstance(value, dict) else {}


def _defaults(operation: OperationDefinitionNode) -> dict[str, ValueNode]:
    return {
        definition.variable.name.value: definition.default_value
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }


def _own_cost(name: str, definition: GraphQLField) -> int:
    made_of = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    waits = isinstance(made_of, StrawberryField) and not made_of.is_basic_field
    if _is_paged(definition):
        return _PAGED
    return (_WAITING if waits else 1) + (_LONG_TEXT if name in _LONG_TEXTS else 0)


def _is_paged(definition: GraphQLField) -> bool:
    return not _SIZES.isdisjoint(definition.args)


def _is_list(of: GraphQLOutputType) -> bool:
    return is_list_type(of.of_type if isinstance(of, GraphQLNonNull) else of)
