"""The checks that every operation passes before it is executed."""

from graphql import GraphQLError, GraphQLSchema, OperationType

from amarevents.errors import BadRequest
from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.timeouts import Deadline
from amarevents.schema.execution.documents import Document, validation_errors
from amarevents.schema.execution.limits import IntrospectionOff, Variables, require_bounded
from amarevents.schema.execution.operations import Operation
from amarevents.schema.execution.overlaps import require_few_overlaps


async def check_operation(
    schema: GraphQLSchema,
    document: Document,
    operation: Operation | None,
    variables: Variables,
    context: GraphQLContext,
) -> list[GraphQLError]:
    """Check the size of a document, charge the rate limit, compute the cost and validate; return what is invalid.

    The order matters: each check protects the next one, which may be more expensive. ``operation`` is None if the
    document has several and the caller did not choose one. Raises what exceeds a limit.
    """
    if operation is None:
        raise BadRequest("The document contains several operations: choose one with 'operationName'")
    settings = context.request.services.settings
    if operation.kind is not OperationType.SUBSCRIPTION:
        elapsed = context.batch.elapsed if context.batch else 0
        mutates = operation.kind is OperationType.MUTATION
        context.deadline = Deadline(settings.graphql_timeout_seconds - elapsed, mutates=mutates)
    if not settings.graphql_introspection and operation.introspects:
        raise IntrospectionOff
    if not document.is_valid:
        require_bounded(document.node)
        require_few_overlaps(document.node)
    if context.batch is None:
        await context.request.charge(operation.units(variables))
    context.cost = operation.cost(schema, variables)
    return validation_errors(schema, document)
