"""Batches: an array of operations in one HTTP request, which are executed in their order.

A batch is charged as a whole, before anything is executed (decisions 3.5), and its operations share the limits of one
request, so that a batch multiplies neither.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from graphql import GraphQLError, OperationType

from amarevents import errors
from amarevents.schema.core.context import Batch
from amarevents.schema.core.errors import format_request_error
from amarevents.schema.execution.cost import MAX_COST
from amarevents.schema.execution.documents import Document, parse_document
from amarevents.schema.execution.limits import (
    MAX_ROOT_FIELDS,
    MAX_TOKENS,
    Counts,
    DocumentTooLarge,
    require_bounded,
)
from amarevents.schema.execution.operations import Operation
from amarevents.schema.schema import schema
from amarevents.schema.transport.operations import GraphQLRequest, execute, serialize_result
from amarevents.schema.transport.persisted import (
    PersistedQueryMismatch,
    PersistedQueryNotFound,
    resolve_persisted_query,
    store_persisted_query,
)
from amarevents.security.context import Context
from amarevents.security.error_reporting import log_failure, public_error


@dataclass(frozen=True, slots=True)
class _Selected:
    """The operation that a request selects, with its document and variables."""

    document: Document
    operation: Operation
    variables: dict[str, object]


async def execute_batch(
    requests: Sequence[GraphQLRequest], context: Context, *, allowed: Collection[OperationType]
) -> list[dict[str, object]]:
    """Charge the batch, execute its operations one after the other, and return the answer to each.

    An operation that cannot be executed has an answer with its errors and costs one unit. Raises DocumentTooLarge if
    the operations together exceed a limit, and RateLimited; nothing has been executed then.
    """
    resolved = [await _resolve(request, context) for request in requests]
    selected = [_select(request) for request in resolved if isinstance(request, GraphQLRequest)]
    executable = [one for one in selected if one is not None]
    try:
        units = _count_units(executable)
    except DocumentTooLarge:
        await context.charge(len(requests))
        raise
    await context.charge(units + len(requests) - len(executable))
    _require_affordable(executable)
    batch = Batch()
    answers: list[dict[str, object]] = []
    for request in resolved:
        if isinstance(request, errors.AmarEventsError):
            answers.append({"errors": [format_request_error(request)]})
        else:
            answers.append(await _answer(request, context, batch, allowed))
    return answers


async def _resolve(request: GraphQLRequest, context: Context) -> GraphQLRequest | errors.AmarEventsError:
    """Return the request with its persisted document, or the error if there is none."""
    try:
        return await resolve_persisted_query(request, context.services.cache)
    except (PersistedQueryNotFound, PersistedQueryMismatch) as error:
        return error


def _select(request: GraphQLRequest) -> _Selected | None:
    """Return the operation of a request; None if it has none, which executing the request reports."""
    try:
        document = parse_document(request.query or "")
    except (GraphQLError, DocumentTooLarge):
        return None
    operation = document.operation(request.operation_name)
    return None if operation is None else _Selected(document, operation, request.variables or {})


def _count_units(selected: Sequence[_Selected]) -> int:
    """Return the units of all operations together. Raises DocumentTooLarge if they exceed the limits of one."""
    if sum(one.document.node.token_count for one in selected) > MAX_TOKENS:
        raise DocumentTooLarge(f"The documents of a batch can have at most {MAX_TOKENS} tokens together")
    counts = Counts()
    for one in selected:
        require_bounded(one.document.node, counts)
    units = sum(one.operation.units(one.variables) for one in selected)
    if units > MAX_ROOT_FIELDS:
        raise DocumentTooLarge(f"The operations of a batch can have at most {MAX_ROOT_FIELDS} root fields together")
    return units


def _require_affordable(selected: Sequence[_Selected]) -> None:
    cost = sum(one.operation.cost(schema.graphql_schema, one.variables) for one in selected)
    if cost > MAX_COST:
        raise DocumentTooLarge(f"The cost of this batch is {cost}, above the maximum of {MAX_COST}")


async def _answer(
    request: GraphQLRequest, context: Context, batch: Batch, allowed: Collection[OperationType]
) -> dict[str, object]:
    try:
        await context.reauthenticate()  # an earlier operation may have ended or started a session
        result = await execute(request, context, allowed=allowed, batch=batch)
    except Exception as failure:
        log_failure(failure, context.request_id, "GraphQL batch")
        return {"errors": [format_request_error(public_error(failure))]}
    if result.data is not None:
        await store_persisted_query(request, context.services.cache)
    return serialize_result(result)
