"""The checks that every document passes before it is executed."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from graphql import OperationDefinitionNode, OperationType, get_operation_ast
from strawberry.extensions import SchemaExtension

from amarevents.errors import BadRequest
from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.timeouts import Deadline
from amarevents.schema.execution.cost import calculate_cost, maximum_cost
from amarevents.schema.execution.documents import is_cached, parse_document, validation_errors
from amarevents.schema.execution.engine import graphql_schema_of
from amarevents.schema.execution.limits import count_units, require_bounded, require_no_introspection
from amarevents.schema.execution.overlaps import require_few_overlaps


class CheckDocument(SchemaExtension):
    """Parse a document, check its size, charge the rate limit, compute the cost and validate.

    The order matters: each check protects the next one, which may be more expensive.
    """

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        if execution.query:
            execution.graphql_document = parse_document(execution.query)
        yield

    async def on_validate(self) -> AsyncIterator[None]:
        execution = self.execution_context
        document = execution.graphql_document
        context: GraphQLContext = execution.context
        schema = graphql_schema_of(execution.schema)
        operation = self._operation()
        if document is None or operation is None:
            raise BadRequest("The document contains several operations: choose one with 'operationName'")
        settings = context.request.services.settings
        if operation.operation is not OperationType.SUBSCRIPTION:
            mutates = operation.operation is OperationType.MUTATION
            elapsed = context.batch.elapsed if context.batch else 0
            context.deadline = Deadline(settings.graphql_timeout_seconds - elapsed, mutates=mutates)
        variables = execution.variables or {}
        if not settings.graphql_introspection:
            require_no_introspection(document)
        if not is_cached(document):
            require_bounded(document)
            require_few_overlaps(document)
        if context.batch is None:
            await context.request.charge(count_units(document, operation, variables))
        context.cost = calculate_cost(schema, document, operation, variables)
        execution.pre_execution_errors = validation_errors(schema, document)
        yield

    def get_results(self) -> dict[str, Any]:  # Any: JSON
        """Return the extensions of the response: the cost of the operation, if it could be computed."""
        context: GraphQLContext = self.execution_context.context
        operation = self._operation()
        if context.cost is None or operation is None:
            return {}
        return {"cost": {"requested": context.cost, "maximum": maximum_cost(operation)}}

    def _operation(self) -> OperationDefinitionNode | None:
        """Return the operation to execute, None if the document has several and the caller did not choose one.

        Strawberry's ``operation_name`` would be that of the first operation then.
        """
        execution = self.execution_context
        document = execution.graphql_document
        return get_operation_ast(document, execution.context.operation_name) if document else None
