"""The cost of an operation, computed from the document and its variables before it is executed.

It is an upper estimate of the work and of the size of the response. The unit is a field with a plain value. Fields that
are loaded cost more, and so do long texts; the fields of a list cost as much as its page size allows. Elements of lists
in the input cost as well.
"""

from collections.abc import Mapping
from typing import TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
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
from amarevents.schema.core.nodes import is_node_id
from amarevents.schema.execution.limits import DocumentTooLarge, Variables, fragments_of

_Composite: TypeAlias = GraphQLObjectType | GraphQLInterfaceType

MAX_COST = 20_000
MAX_DELIVERY_COST = 2_000
"""The maximum of a subscription, which is charged once and then delivers many results."""
_LOADED_FIELD = 10
# High enough that an operation has at most 500 of them: each is a part of one SQL statement.
_PAGED_FIELD = 40
_INPUT_ELEMENT = 40
_LONG_TEXT = 80
_LONG_TEXTS = frozenset({"description", "notice", "emailmessage", "template", "note", "options"})
# The arguments for the size of a page, and those with an ID for each item of a list.
_PAGE_SIZES = frozenset({"limit", "first", "last"})
_ITEM_IDS = frozenset({"nodeIds"})
# The assumed size of lists without pages, such as the ticket types of an event; accounts have more API keys than that.
# The executor counts what a response really contains.
_LIST_SIZE = 10
_LIST_SIZES = {"apiKeys": 100}


def calculate_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Variables,
) -> int:
    """Return the cost of an operation. Raises DocumentTooLarge if it exceeds the maximum."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    calculator = _CostCalculator(schema, fragments_of(document), {**_defaults(operation), **variables})
    cost = calculator.cost_of(operation.selection_set, root, _LIST_SIZE)
    maximum = maximum_cost(operation)
    if cost > maximum:
        raise DocumentTooLarge(
            f"The cost of this operation is {cost}, above the maximum of {maximum}: select less or use smaller pages"
        )
    return cost


def maximum_cost(operation: OperationDefinitionNode) -> int:
    """Return the maximum cost of an operation of its kind."""
    return MAX_DELIVERY_COST if operation.operation is OperationType.SUBSCRIPTION else MAX_COST


class _CostCalculator:
    """The costs of selections. That of a fragment is computed once per page size and added wherever it is spread."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Variables
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._fragment_costs: dict[tuple[str, int], int] = {}

    def cost_of(self, selections: SelectionSetNode, parent: _Composite, page_size: int) -> int:
        """Return the cost of one object; ``page_size`` is that of the page that its lists belong to.

        Selections for different types add up, although an object only has one of them.
        """
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                total += self._field_cost(selection, parent, page_size)
            elif isinstance(selection, InlineFragmentNode):
                of_type = self._type_of(selection.type_condition) or parent
                total += self.cost_of(selection.selection_set, of_type, page_size)
            elif isinstance(selection, FragmentSpreadNode):
                total += self._fragment_cost(selection.name.value, page_size)
        return total

    def _fragment_cost(self, name: str, page_size: int) -> int:
        key = (name, page_size)
        if key not in self._fragment_costs:
            self._fragment_costs[key] = 0  # ends cycles of fragments, which validation refuses
            fragment = self._fragments.get(name)
            of_type = self._type_of(fragment.type_condition) if fragment else None
            if fragment is not None and of_type is not None:
                self._fragment_costs[key] = self.cost_of(fragment.selection_set, of_type, page_size)
        return self._fragment_costs[key]

    def _type_of(self, condition: NamedTypeNode | None) -> _Composite | None:
        """Return the type of a fragment; None for none, and for an unknown one, which validation refuses."""
        of_type = self._schema.get_type(condition.name.value) if condition else None
        return of_type if isinstance(of_type, GraphQLObjectType | GraphQLInterfaceType) else None

    def _field_cost(self, field: FieldNode, parent: _Composite, page_size: int) -> int:
        """Return the cost of a field. Unknown fields are left to validation, which limits introspection as well."""
        definition = parent.fields.get(field.name.value)
        if definition is None:
            return 1
        own = _own_cost(field.name.value, definition) + self._input_cost(field, definition)
        inner = get_named_type(definition.type)
        if field.selection_set is None or not isinstance(inner, GraphQLObjectType | GraphQLInterfaceType):
            return own
        size = self._page_size(field) if _is_paged(definition) else _LIST_SIZE
        times = self._list_size(field, page_size) if _is_list(definition.type) else 1
        return own + times * self.cost_of(field.selection_set, inner, size)

    def _input_cost(self, field: FieldNode, definition: GraphQLField) -> int:
        return sum(
            self._value_cost(argument.value, definition.args[argument.name.value].type)
            for argument in field.arguments or ()
            if argument.name.value in definition.args
        )

    def _value_cost(self, value: object, of: GraphQLInputType) -> int:
        """Return the cost of all lists in a value, from the document or from a variable."""
        if isinstance(value, VariableNode):
            value = self._variables.get(value.name.value)
        kind = get_nullable_type(of)
        if isinstance(kind, GraphQLList):
            elements = value.values if isinstance(value, ListValueNode) else value
            if not isinstance(elements, list | tuple):
                return self._value_cost(value, kind.of_type)  # a list of one element can be sent without the list
            return sum(_INPUT_ELEMENT + self._value_cost(element, kind.of_type) for element in elements)
        if isinstance(kind, GraphQLInputObjectType):
            values = _fields_of(value)
            return sum(
                self._value_cost(values[name], field.type) for name, field in kind.fields.items() if name in values
            )
        return 0

    def _list_size(self, field: FieldNode, page_size: int) -> int:
        """Return the size of a list from its arguments: the number of IDs or the limit, or else its assumed size."""
        for argument in field.arguments or ():
            if argument.name.value in _ITEM_IDS:
                return self._length(argument.value)
            if argument.name.value in _PAGE_SIZES and (size := self._size(argument.value)):
                return size
        return _LIST_SIZES.get(field.name.value, page_size)

    def _length(self, argument: ValueNode) -> int:
        value = self._variables.get(argument.name.value) if isinstance(argument, VariableNode) else argument
        elements = value.values if isinstance(value, ListValueNode) else value
        return len(elements) if isinstance(elements, list | tuple) else 1

    def _page_size(self, field: FieldNode) -> int:
        """Return the largest page size among the arguments, or the default."""
        sizes = [self._size(argument.value) for argument in field.arguments or () if argument.name.value in _PAGE_SIZES]
        return max(filter(None, sizes), default=DEFAULT_PAGE_SIZE)

    def _size(self, argument: ValueNode) -> int | None:
        """Return the page size in an argument, the maximum if it is invalid; None for null or a missing variable."""
        value = self._variables.get(argument.name.value) if isinstance(argument, VariableNode) else argument
        if value is None or isinstance(value, NullValueNode):
            return None
        if isinstance(value, IntValueNode):
            value = int(value.value) if len(value.value) < 5 else MAX_PAGE_SIZE
        return min(max(value, 1), MAX_PAGE_SIZE) if isinstance(value, int) else MAX_PAGE_SIZE


def _fields_of(value: object) -> Mapping[str, object]:
    """Return the fields of an input object; none if it is not an object, which validation refuses."""
    if isinstance(value, ObjectValueNode):
        return {field.name.value: field.value for field in value.fields}
    return value if isinstance(value, dict) else {}


def _defaults(operation: OperationDefinitionNode) -> dict[str, ValueNode]:
    return {
        definition.variable.name.value: definition.default_value
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }


def _own_cost(name: str, definition: GraphQLField) -> int:
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    is_loaded = isinstance(field, StrawberryField) and not field.is_basic_field and not is_node_id(field)
    if _is_paged(definition):
        return _PAGED_FIELD
    return (_LOADED_FIELD if is_loaded else 1) + (_LONG_TEXT if name in _LONG_TEXTS else 0)


def _is_paged(definition: GraphQLField) -> bool:
    return not _PAGE_SIZES.isdisjoint(definition.args)


def _is_list(of: GraphQLOutputType) -> bool:
    return is_list_type(of.of_type if isinstance(of, GraphQLNonNull) else of)
