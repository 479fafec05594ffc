"""The engine: Strawberry's schema class, with what it logs and what it hides of errors."""

import strawberry
from graphql import GraphQLError, GraphQLSchema
from strawberry.schema.base import BaseSchema
from strawberry.types import ExecutionContext

from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.errors import log_unforeseen, without_suggestion


class AmarEventsSchema(strawberry.Schema):
    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log what was not foreseen, and nothing of the callers' own mistakes; suggest no names that are not told."""
        if execution_context is None:
            return
        context: GraphQLContext = execution_context.context
        request = context.request
        for error in errors:
            log_unforeseen(error, request.request_id)
            if not request.services.settings.graphql_introspection:
                error.message = without_suggestion(error.message)


def graphql_schema_of(schema: BaseSchema) -> GraphQLSchema:
    """Return the schema as graphql-core has it."""
    assert isinstance(schema, AmarEventsSchema)  # noqa: S101 - for the type checker; there is no other
    return schema.graphql_schema
