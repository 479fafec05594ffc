"""The execution of GraphQL requests, independent of the transport that they arrive by."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass

from graphql import GraphQLError, OperationDefinitionNode, OperationType
from strawberry.types import ExecutionResult

from amarevents import errors
from amarevents.schema.core.context import Batch, GraphQLContext
from amarevents.schema.core.errors import format_error
from amarevents.schema.execution.documents import MAX_ERRORS, Document, parse_document
from amarevents.schema.execution.engine import failed_result, invalid_result
from amarevents.schema.execution.limits import DocumentTooLarge
from amarevents.schema.execution.operations import Operation
from amarevents.schema.execution.validation import check_operation
from amarevents.schema.schema import schema
from amarevents.security.context import Context

_QUERY_MISSING = "Send the GraphQL document as 'query'"
_STREAM_NEEDED = "Send subscriptions over a WebSocket, or with the header Accept: text/event-stream"
_UNKNOWN_OPERATION = "The document contains no operation with this name; check 'operationName'"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLRequest:
    """The parameters of a GraphQL request. ``persisted_hash`` identifies a persisted document."""

    query: str | None
    variables: dict[str, object] | None
    operation_name: str | None
    persisted_hash: str | None = None


async def execute(
    request: GraphQLRequest, context: Context, *, allowed: Collection[OperationType], batch: Batch | None = None
) -> ExecutionResult:
    """Execute a query or mutation and return its result.

    It is charged to the request's budget unless it belongs to a batch, which has been charged. Raises BadRequest for a
    request that cannot be executed, and MethodNotAllowed for an operation type that is not in ``allowed``.
    """
    operation_context = GraphQLContext(context, batch)
    try:
        document = _parse(request)
    except (GraphQLError, DocumentTooLarge) as error:
        return failed_result(error, operation_context)
    operation = document.operation(request.operation_name)
    kind = _kind_of(document, operation, request.operation_name)
    if kind not in allowed:
        if kind is OperationType.SUBSCRIPTION:
            raise errors.BadRequest(_STREAM_NEEDED)
        raise errors.MethodNotAllowed(["POST"])
    return await _execute(document, operation, request.variables or {}, operation_context)


async def _execute(
    document: Document, operation: Operation | None, variables: dict[str, object], context: GraphQLContext
) -> ExecutionResult:
    """Check and execute a query or mutation."""
    try:
        invalid = await check_operation(schema.graphql_schema, document, operation, variables, context)
        if invalid or operation is None:
            return invalid_result(invalid, context)
        return await schema.execute_checked(document, operation, variables, context)
    except Exception as failure:
        return failed_result(failure, context)


def _parse(request: GraphQLRequest) -> Document:
    if not request.query:
        raise errors.BadRequest(_QUERY_MISSING)
    return parse_document(request.query)


def _kind_of(document: Document, operation: Operation | None, name: str | None) -> OperationType:
    """Return the type of the operation, or of the first one of several if none was chosen.

    Raises BadRequest if there is no such operation.
    """
    node = operation.node if operation else None
    if name is None:
        node = node or next(
            (one for one in document.node.definitions if isinstance(one, OperationDefinitionNode)), None
        )
    if node is None:
        raise errors.BadRequest(_UNKNOWN_OPERATION)
    return node.operation


def serialize_result(result: ExecutionResult) -> dict[str, object]:
    """Return the JSON form of a result. One without data has a few of its errors and nothing else."""
    formatted = [format_error(error) for error in result.errors or []]
    if result.data is None and formatted:
        return {"errors": formatted[:MAX_ERRORS]}
    body: dict[str, object] = {"data": result.data}
    if formatted:
        body["errors"] = formatted
    if result.extensions:
        body["extensions"] = result.extensions
    return body


class ResultStream:
    """The results of an operation as an asynchronous iterator, which must be closed with ``aclose``.

    Unlike a generator, it can be waited for with a timeout: the next result is computed in a task that continues when
    the waiting ends.
    """

    def __init__(self, results: AsyncGenerator[object, None]) -> None:
        self._results = results
        self._next: asyncio.Task[ExecutionResult] | None = None

    async def wait(self, seconds: float | None = None, *, unless: asyncio.Event | None = None) -> bool:
        """Wait for the next result or the end; return False after so many seconds, or when ``unless`` is set."""
        awaited: set[asyncio.Task[object]] = {self._next_task()}
        if unless is not None:
            awaited.add(asyncio.create_task(unless.wait()))
        try:
            await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in awaited - {self._next}:
                task.cancel()
        return self._next_task().done()

    def _next_task(self) -> asyncio.Task[ExecutionResult]:
        if self._next is None:
            self._next = asyncio.create_task(_next_result(self._results))
        return self._next

    def __aiter__(self) -> "ResultStream":
        return self

    async def __anext__(self) -> ExecutionResult:
        await self.wait()
        task, self._next = self._next_task(), None
        return task.result()

    async def peek(self) -> ExecutionResult:
        """Return the next result without consuming it. Raises StopAsyncIteration at the end."""
        await self.wait()
        return self._next_task().result()

    async def aclose(self) -> None:
        """Cancel the operation."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self._results.aclose()


async def _next_result(results: AsyncGenerator[object, None]) -> ExecutionResult:
    result = await anext(results)
    assert isinstance(result, ExecutionResult)  # noqa: S101 - for the type checker; incremental delivery is not used
    return result


async def execute_stream(
    request: GraphQLRequest, context: Context, *, allowed: Collection[OperationType]
) -> ExecutionResult | ResultStream:
    """Execute an operation of any type, charge it to the request's budget, and return the stream of its results.

    Return a single result if the operation cannot be executed. A query or mutation returns when its result is ready; a
    subscription returns when it is active, so that no later event is missed. Raises what ``execute`` raises.
    """
    try:
        document = _parse(request)
    except GraphQLError as error:
        return ExecutionResult(data=None, errors=[error])
    operation = document.operation(request.operation_name)
    if _kind_of(document, operation, request.operation_name) not in allowed:
        raise errors.MethodNotAllowed(["POST"])
    operation_context = GraphQLContext(context)
    results = ResultStream(_results(document, operation, request.variables or {}, operation_context))
    try:
        failure = await _find_failure(results) if await results.wait(unless=operation_context.started) else None
    except BaseException:
        await results.aclose()
        raise
    if failure is not None:
        await results.aclose()
    return failure or results


async def _find_failure(results: ResultStream) -> ExecutionResult | None:
    """Return the first result if it says that nothing was executed."""
    first = await results.peek()
    return first if first.data is None and first.errors else None


async def _results(
    document: Document, operation: Operation | None, variables: dict[str, object], context: GraphQLContext
) -> AsyncGenerator[ExecutionResult, None]:
    """Yield the results of an operation of any type."""
    if operation is None or operation.kind is not OperationType.SUBSCRIPTION:
        yield await _execute(document, operation, variables, context)
        return
    try:
        invalid = await check_operation(schema.graphql_schema, document, operation, variables, context)
        if invalid:
            yield invalid_result(invalid, context)
            return
        async with contextlib.aclosing(schema.subscribe_checked(document, operation, variables, context)) as results:
            async for result in results:
                yield result
    except Exception as failure:
        yield failed_result(failure, context)
