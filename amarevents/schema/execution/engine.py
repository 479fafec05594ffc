"""The schema class, which logs unexpected errors and hides suggestions if introspection is disabled."""

import strawberry
from graphql import GraphQLError, GraphQLSchema
from strawberry.schema.base import BaseSchema
from strawberry.types import ExecutionContext

from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.errors import log_unexpected, strip_suggestion


class AmarEventsSchema(strawberry.Schema):
    """A Strawberry schema with public access to the graphql-core schema that it is made of."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as an object of graphql-core."""
        return self._schema  # private in Strawberry, whose version is pinned

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log unexpected errors only; remove suggested names, which reveal the schema, if introspection is disabled."""
        if execution_context is None:
            return
        context: GraphQLContext = execution_context.context
        request = context.request
        for error in errors:
            log_unexpected(error, request.request_id)
            if not request.services.settings.graphql_introspection:
                error.message = strip_suggestion(error.message)


def graphql_schema_of(schema: BaseSchema) -> GraphQLSchema:
    """Return the schema as an object of graphql-core."""
    assert isinstance(schema, AmarEventsSchema)  # noqa: S101 - for the type checker; there is no other schema class
    return schema.graphql_schema
