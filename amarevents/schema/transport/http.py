"""The GraphQL endpoint for HTTP: a response or a batch of them as JSON, or a stream of Server-Sent Events."""

import contextlib

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from strawberry.types import ExecutionResult

from amarevents import errors
from amarevents.schema.transport.batches import execute_batch
from amarevents.schema.transport.operations import execute, execute_stream
from amarevents.schema.transport.persisted import resolve_persisted_query, store_persisted_query
from amarevents.schema.transport.requests import read_request
from amarevents.schema.transport.responses import (
    DEFAULT,
    build_batch_response,
    build_response,
    negotiate_media_type,
    prefers_event_stream,
)
from amarevents.schema.transport.sse import EventStreamResponse, count_connection
from amarevents.security.context import Context
from amarevents.security.middleware import context_of

_OPERATIONS = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}
_STREAMED = {"GET": {OperationType.QUERY}, "POST": set(OperationType)}


async def respond(request: Request) -> Response:
    """Return the response to a request to ``/graphql``. Raises errors for requests that cannot be executed."""
    context = context_of(request.scope)
    try:
        return await _respond(request, context)
    finally:
        await context.charge_minimum()


async def _respond(http_request: Request, context: Context) -> Response:
    if http_request.method not in _OPERATIONS:
        raise errors.MethodNotAllowed(list(_OPERATIONS))
    accept = http_request.headers.getlist("accept")
    if prefers_event_stream(accept):
        return await _stream(http_request, context)
    media_type = negotiate_media_type(accept)
    received = await read_request(http_request)
    if isinstance(received, list):
        answers = await execute_batch(received, context, allowed=_OPERATIONS[http_request.method])
        return build_batch_response(answers, media_type)
    request = await resolve_persisted_query(received, context.services.cache)
    result = await execute(request, context, allowed=_OPERATIONS[http_request.method])
    if result.data is not None:
        await store_persisted_query(request, context.services.cache)
    return build_response(result, media_type)


async def _stream(http_request: Request, context: Context) -> Response:
    """Return the results as an event stream.

    The connection is counted first, so that one beyond the limit is refused before anything is executed.
    """
    with contextlib.ExitStack() as until_closed:
        until_closed.enter_context(count_connection(context))
        received = await read_request(http_request)
        if isinstance(received, list):
            raise errors.BadRequest("A batch cannot be answered by an event stream; send Accept: application/json")
        request = await resolve_persisted_query(received, context.services.cache)
        outcome = await execute_stream(request, context, allowed=_STREAMED[http_request.method])
        if isinstance(outcome, ExecutionResult):
            return build_response(outcome, DEFAULT)
        await store_persisted_query(request, context.services.cache)
        return EventStreamResponse(outcome, context, until_closed.pop_all())
