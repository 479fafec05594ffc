"""Operations of documents, with what is computed once for all requests that execute them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
)
from graphql.execution.collect_fields import FragmentDetails

from amarevents.schema.execution.cost import calculate_cost
from amarevents.schema.execution.limits import (
    IntrospectionOff,
    Variables,
    count_units,
    fragments_of,
    require_no_introspection,
)
from amarevents.schema.execution.plans.plan import Plan

_MAX_COSTS = 64
# Of a variable that was not sent, which has its default.
_NOT_SENT = object()


@dataclass(eq=False)
class Operation:
    """An operation of a document. Valid documents are kept, and their operations with them."""

    document: DocumentNode
    node: OperationDefinitionNode
    plans: dict[tuple[object, ...], Plan | None] = field(default_factory=dict)
    """Its plans by the values of ``directive_variables``; None where it has none."""
    _costs: dict[tuple[object, ...], int] = field(default_factory=dict)

    @cached_property
    def kind(self) -> OperationType:
        return self.node.operation

    @cached_property
    def name(self) -> str | None:
        return self.node.name.value if self.node.name else None

    @cached_property
    def fragments(self) -> dict[str, FragmentDetails]:
        return {name: FragmentDetails(one) for name, one in fragments_of(self.document).items()}

    @cached_property
    def directive_variables(self) -> tuple[str, ...]:
        """The names of the variables in directives of the document, which decide what is selected."""
        return tuple(sorted(set(_directive_variables(self.document))))

    @cached_property
    def introspects(self) -> bool:
        """Whether any part of the document queries the schema."""
        try:
            require_no_introspection(self.document)
        except IntrospectionOff:
            return True
        return False

    def units(self, variables: Variables) -> int:
        """Return the units of the rate limit that the operation uses. Raises DocumentTooLarge for too many."""
        return count_units(self.document, self.node, variables) if self.directive_variables else self._constant_units

    @cached_property
    def _constant_units(self) -> int:
        return count_units(self.document, self.node, {})

    def cost(self, schema: GraphQLSchema, variables: Variables) -> int:
        """Return the cost of the operation. Raises DocumentTooLarge if it exceeds the maximum."""
        if any(isinstance(value, list | dict) for value in variables.values()):
            return calculate_cost(schema, self.document, self.node, variables)
        # Otherwise, it depends on the sizes of pages alone.
        sizes = [variables.get(name, _NOT_SENT) for name in self._integer_variables]
        key = tuple((type(size), size) for size in sizes)
        if key not in self._costs:
            if len(self._costs) == _MAX_COSTS:
                self._costs.clear()
            self._costs[key] = calculate_cost(schema, self.document, self.node, variables)
        return self._costs[key]

    @cached_property
    def _integer_variables(self) -> tuple[str, ...]:
        types = {one.variable.name.value: one.type for one in self.node.variable_definitions or ()}
        named = {name: one.type if isinstance(one, NonNullTypeNode) else one for name, one in types.items()}
        return tuple(name for name, one in named.items() if isinstance(one, NamedTypeNode) and one.name.value == "Int")


def _directive_variables(document: DocumentNode) -> Iterator[str]:
    pending = [
        definition.selection_set
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while pending:
        for selection in pending.pop().selections:
            for directive in selection.directives or ():
                for argument in directive.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        yield argument.value.name.value
            if (nested := getattr(selection, "selection_set", None)) is not None:
                pending.append(nested)
