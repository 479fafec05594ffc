"""Running an operation, whichever transport it came by."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, get_operation_ast
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from amarevents import errors
from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.errors import presented
from amarevents.schema.execution.documents import parse_document
from amarevents.schema.schema import schema
from amarevents.security.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLRequest:
    """The parameters of a GraphQL request; ``query`` may be missing. Any: JSON values.

    ``persisted_hash`` names a document that may have been sent before.
    """

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    persisted_hash: str | None = None


async def run(asked: GraphQLRequest, context: Context, *, allowed: Iterable[OperationType]) -> ExecutionResult:
    """The result of one query or mutation, charged to the request's budget.

    Raises BadRequest for what cannot be executed, MethodNotAllowed for a kind of operation that is not ``allowed``.
    """
    try:
        return await schema.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=GraphQLContext(context, asked.operation_name),
            operation_name=asked.operation_name,
            allowed_operation_types=allowed,
        )
    except MissingQueryError as error:
        raise errors.BadRequest("Send the GraphQL document as 'query'") from error
    except CannotGetOperationTypeError as error:
        raise errors.BadRequest("The document holds no operation of this name") from error
    except InvalidOperationTypeError as error:
        if error.operation_type is OperationType.SUBSCRIPTION:
            raise errors.BadRequest("Subscribe over a WebSocket, or with Accept: text/event-stream") from error
        raise errors.MethodNotAllowed(["POST"]) from error


def serialize_result(result: ExecutionResult) -> dict[str, Any]:  # Any: JSON
    """What was executed, as callers see it."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [presented(error) for error in result.errors]
    if result.extensions:
        body["extensions"] = result.extensions
    return body


class Results:
    """The results of an operation as they come; whoever iterates over them closes them in the end.

    A result is worked at from the moment somebody waits for it until it is taken, however often the waiting ends.
    """

    def __init__(self, results: AsyncGenerator[object, None]) -> None:
        self._results = results
        self._next: asyncio.Task[ExecutionResult] | None = None

    async def wait(self, seconds: float | None = None, *, unless: asyncio.Event | None = None) -> bool:
        """Whether the next result, or the end, is there; False after so many seconds, or once ``unless`` is set."""
        waited: set[asyncio.Task[Any]] = {self._upcoming()}
        if unless is not None:
            waited.add(asyncio.create_task(unless.wait()))
        try:
            await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waited - {self._next}:
                task.cancel()
        return self._upcoming().done()

    def _upcoming(self) -> asyncio.Task[ExecutionResult]:
        if self._next is None:
            self._next = asyncio.create_task(_first_of(self._results))
        return self._next

    def __aiter__(self) -> "Results":
        return self

    async def __anext__(self) -> ExecutionResult:
        await self.wait()
        taken, self._next = self._upcoming(), None
        return taken.result()

    async def peek(self) -> ExecutionResult:
        """The next result, which stays the next. Raises StopAsyncIteration at the end."""
        await self.wait()
        return self._upcoming().result()

    async def aclose(self) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self._results.aclose()


async def _first_of(results: AsyncGenerator[object, None]) -> ExecutionResult:
    result = await anext(results)
    assert isinstance(result, ExecutionResult)  # noqa: S101 - for the type checker; nothing is delivered in parts
    return result


async def stream(
    asked: GraphQLRequest, context: Context, *, allowed: Collection[OperationType]
) -> ExecutionResult | Results:
    """The results of an operation of any kind, charged to the request's budget; one result if it cannot be executed.

    Returns once the first result is there or, for a subscription, once nothing that happens will be missed. Raises what
    ``run`` raises.
    """
    try:
        _require_operation(asked, allowed)
    except GraphQLError as error:
        return ExecutionResult(data=None, errors=[error])
    operation = GraphQLContext(context, asked.operation_name)
    results = Results(
        await schema.stream(
            asked.query,
            variable_values=asked.variables,
            context_value=operation,
            operation_name=asked.operation_name,
            allowed_operation_types=allowed,
        )
    )
    try:
        failure = await _failure_of(results) if await results.wait(unless=operation.begun) else None
    except BaseException:
        await results.aclose()
        raise
    if failure is not None:
        await results.aclose()
    return failure or results


async def _failure_of(results: Results) -> ExecutionResult | None:
    """The first result, where it says that nothing was executed."""
    first = await results.peek()
    return first if first.data is None and first.errors else None


def _require_operation(asked: GraphQLRequest, allowed: Collection[OperationType]) -> None:
    """What the schema's own stream takes for unforeseen. Raises BadRequest, MethodNotAllowed, GraphQLSyntaxError."""
    if not asked.query:
        raise errors.BadRequest("Send the GraphQL document as 'query'")
    document = parse_document(asked.query)
    operation = get_operation_ast(document, asked.operation_name)
    several = not asked.operation_name and any(isinstance(one, OperationDefinitionNode) for one in document.definitions)
    if operation is None and not several:
        raise errors.BadRequest("The document holds no operation of this name")
    if operation is not None and OperationType(operation.operation.value) not in allowed:
        raise errors.MethodNotAllowed(["POST"])
