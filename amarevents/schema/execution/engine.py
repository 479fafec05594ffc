"""The schema class, with the execution of operations that have passed all checks (validation.py).

Queries are executed by their plans. graphql-core executes everything else, and the queries for which plans give up.
"""

import contextlib
from collections.abc import AsyncGenerator

import strawberry
from graphql import ExecutionResult as CoreResult
from graphql import GraphQLError, GraphQLSchema, OperationType, execute, subscribe
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.execution import optimized_is_awaitable
from strawberry.types import ExecutionResult
from strawberry.utils.await_maybe import await_maybe

from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.errors import log_unexpected, strip_suggestion
from amarevents.schema.execution.cost import maximum_cost
from amarevents.schema.execution.documents import Document
from amarevents.schema.execution.executor import PlannedExecutor
from amarevents.schema.execution.leaves import Value
from amarevents.schema.execution.operations import Operation
from amarevents.schema.execution.plans.compiler import compile_plan
from amarevents.schema.execution.plans.plan import Plan

_NO_VARIABLES = VariableValues({}, {})
_MAX_PLANS = 16


class AmarEventsSchema(strawberry.Schema):
    """A Strawberry schema whose operations are executed by plans where possible."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as an object of graphql-core."""
        return self._schema  # private in Strawberry, whose version is pinned

    async def execute_checked(
        self, document: Document, operation: Operation, variables: dict[str, Value], context: GraphQLContext
    ) -> ExecutionResult:
        """Return the result of a query or a mutation."""
        data = await self._execute_plan(document, operation, variables, context)
        if data is not None:
            return ExecutionResult(data, None, _extensions(operation, context))
        result = await await_maybe(execute(self._schema, document.node, **_arguments(operation, variables, context)))
        return make_result(result, operation, context)

    async def _execute_plan(
        self, document: Document, operation: Operation, variables: dict[str, Value], context: GraphQLContext
    ) -> dict[str, Value] | None:
        """Return the data of a query, None if the stock engine has to execute it."""
        if operation.kind is not OperationType.QUERY or not document.is_valid:
            return None
        definitions = operation.node.variable_definitions
        values = get_variable_values(self._schema, definitions, variables) if definitions else _NO_VARIABLES
        if not isinstance(values, VariableValues):
            return None
        plan = self.plan(operation, values)
        if plan is None:
            return None
        try:
            return await plan.execute(context, values)
        except Exception:
            # graphql-core runs into the same exception and reports it as an error of the field.
            return None

    def plan(self, operation: Operation, values: VariableValues) -> Plan | None:
        """Return the plan of a query, None if it has parts that no plan handles."""
        key = tuple(values.coerced.get(name) for name in operation.directive_variables)
        if key not in operation.plans:
            if len(operation.plans) == _MAX_PLANS:
                operation.plans.clear()
            try:
                operation.plans[key] = compile_plan(
                    self._schema, self.schema_converter, operation.node, operation.fragments, values
                )
            except Exception:
                # Either there is no plan, or graphql-core runs into the same exception.
                operation.plans[key] = None
        return operation.plans[key]

    async def subscribe_checked(
        self, document: Document, operation: Operation, variables: dict[str, Value], context: GraphQLContext
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Yield the results of a subscription."""
        arguments = _arguments(operation, variables, context)
        results = await await_maybe(subscribe(self._schema, document.node, **arguments))
        if isinstance(results, CoreResult):
            yield make_result(results, operation, context)
            return
        assert isinstance(results, AsyncGenerator)  # noqa: S101 - for the type checker
        async with contextlib.aclosing(results):
            async for result in results:
                yield make_result(result, operation, context)


def _arguments(operation: Operation, variables: dict[str, Value], context: GraphQLContext) -> dict[str, Value]:
    """Return the arguments for graphql-core."""
    return {
        "context_value": context,
        "variable_values": variables,
        "operation_name": operation.name,
        "is_awaitable": optimized_is_awaitable,
        "executor_class": PlannedExecutor,
    }


def make_result(result: CoreResult, operation: Operation, context: GraphQLContext) -> ExecutionResult:
    """Return a result of graphql-core with the cost of the operation, after ``process_errors``."""
    process_errors(result.errors or [], context)
    return ExecutionResult(result.data, result.errors, _extensions(operation, context))


def failed_result(failure: Exception, context: GraphQLContext) -> ExecutionResult:
    """Return the result of an operation that cannot be executed."""
    error = failure if isinstance(failure, GraphQLError) else GraphQLError(str(failure), original_error=failure)
    return invalid_result([error], context)


def invalid_result(errors: list[GraphQLError], context: GraphQLContext) -> ExecutionResult:
    """Return the result of an operation that is invalid."""
    process_errors(errors, context)
    return ExecutionResult(None, errors)


def process_errors(errors: list[GraphQLError], context: GraphQLContext) -> None:
    """Log unexpected errors only; remove suggested names, which reveal the schema, if introspection is disabled."""
    request = context.request
    for error in errors:
        log_unexpected(error, request.request_id)
        if not request.services.settings.graphql_introspection:
            error.message = strip_suggestion(error.message)


def _extensions(operation: Operation, context: GraphQLContext) -> dict[str, Value]:
    return {"cost": {"requested": context.cost, "maximum": maximum_cost(operation.node)}}
