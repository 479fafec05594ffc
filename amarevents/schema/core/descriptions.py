"""Descriptions of the schema: its own, and those of fields and enum values from the docstrings of the code."""

from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition

from amarevents.resolvers.core.descriptions import description_of

_DESCRIPTION = """\
The GraphQL API of Amar Events: events, registration, payments and check-in. It follows the same rules as the REST API \
at `/api`.

Authentication: send an API key as `Authorization: Bearer ae_…`, or start a session with `login`, which sets a cookie. \
Without either, only public data is visible.

Amounts of money are in taka, as a `Decimal`: an exact string such as `"499.50"`. An `ID` is opaque: pass it as you \
received it. Times are in UTC, and dates have the format YYYY-MM-DD.

Every error has a code for programs in `extensions.code`.
"""


def describe(schema: GraphQLSchema) -> None:
    """Describe the schema, and every field and enum value that has a docstring instead of a description.

    Raises KeyError for a field or an enum value without either, with the place where to write one.
    """
    schema.description = _DESCRIPTION.strip()
    for graphql_type in schema.type_map.values():
        definition = graphql_type.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if isinstance(graphql_type, CustomGraphQLEnumType):
            _describe_values(graphql_type, graphql_type.wrapped_cls)
        elif isinstance(graphql_type, GraphQLObjectType) and isinstance(definition, StrawberryObjectDefinition):
            _describe_fields(graphql_type, definition.origin)


def _describe_values(graphql_type: GraphQLEnumType, enum: type) -> None:
    for name, value in graphql_type.values.items():
        value.description = value.description or description_of(enum, name)


def _describe_fields(graphql_type: GraphQLObjectType, cls: type) -> None:
    for field in graphql_type.fields.values():
        attribute = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].python_name
        field.description = field.description or description_of(cls, attribute)
