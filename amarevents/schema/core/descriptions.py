"""What each part of the schema means: the words of REST in the schema's own names, and what GraphQL alone has."""

from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter

from amarevents.resolvers.core.descriptions import description_of

_ABOUT = """\
Events, their tickets and payments, and the door: what REST has at `/api`, and more, with the same rules.

Who you are: send an API key as `Authorization: Bearer ae_…`, or sign in with `login`, which sets a cookie. Without \
either you see what is public.

Money is a `Decimal`, in taka: an exact text, such as `"499.50"`. An `ID` comes from an answer and goes into arguments \
as it is. Times are in UTC, dates are YYYY-MM-DD.

Errors say what happened to programs as well: in `extensions.code`.
"""


def describe(schema: GraphQLSchema) -> None:
    """Describe the schema, and every field and enum value that has a docstring instead of a description.

    Raises KeyError for a field or a value without either.
    """
    schema.description = _ABOUT.strip()
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if isinstance(kind, GraphQLEnumType):
            _describe_values(kind, definition.wrapped_cls)
        elif isinstance(kind, GraphQLObjectType):
            for field in kind.fields.values():
                python_name = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].python_name
                field.description = field.description or description_of(definition.origin, python_name)


def _describe_values(kind: GraphQLEnumType, enum: type) -> None:
    for name, value in kind.values.items():
        value.description = value.description or description_of(enum, name)
