"""The arguments of fields, as the resolvers of the stock engine get them."""

from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, ListValueNode, ObjectValueNode, ValueNode, VariableNode
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a field in a document."""

    field: StrawberryField
    definition: GraphQLField
    node: FieldNode
    converter: GraphQLCoreConverter

    @property
    def is_constant(self) -> bool:
        """Whether they are the same for all variables."""
        return not any(_has_variable(argument.value) for argument in self.node.arguments or ())

    def values(self, variables: VariableValues) -> dict[str, Any]:  # Any: as Strawberry has converted them
        """Return the arguments. Raises GraphQLError and what Strawberry raises for invalid ones."""
        given = get_argument_values(self.definition, self.node, variables)
        return convert_arguments(
            given, self.field.arguments, self.converter.scalar_registry, self.converter.config, info=None
        )


def _has_variable(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_has_variable, value.values))
    if isinstance(value, ObjectValueNode):
        return any(_has_variable(field.value) for field in value.fields)
    return isinstance(value, VariableNode)
