"""The GraphQL endpoint for HTTP: a response or a batch of them as JSON, or a stream of Server-Sent Events."""

import contextlib
from functools import lru_cache

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from strawberry.types import ExecutionResult

from amarevents import errors
from amarevents.infra.answer_cache import Answer
from amarevents.schema.core.context import Batch
from amarevents.schema.transport.batches import execute_batch
from amarevents.schema.transport.operations import GraphQLRequest, execute, execute_stream
from amarevents.schema.transport.persisted import resolve_persisted_query, store_persisted_query
from amarevents.schema.transport.requests import parse_sent, read_sent
from amarevents.schema.transport.responses import (
    DEFAULT,
    AcceptedType,
    build_batch_response,
    build_response,
    negotiate_media_type,
    prefers_event_stream,
)
from amarevents.schema.transport.shared_answers import is_shared, shared_key, shared_scopes
from amarevents.schema.transport.sse import EventStreamResponse, count_connection
from amarevents.security.context import Context
from amarevents.security.middleware import context_of
from amarevents.web.shared_answers import NotKept, answer_for, find_answer, render

_OPERATIONS = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}
_VARY = b", Accept"
_STREAMED = {"GET": {OperationType.QUERY}, "POST": set(OperationType)}


async def respond(request: Request) -> Response:
    """Return the response to a request to ``/graphql``. Raises errors for requests that cannot be executed."""
    context = context_of(request.scope)
    try:
        return await _respond(request, context)
    finally:
        await context.charge_minimum()


@lru_cache(maxsize=256)
def _negotiate(accept: bytes) -> AcceptedType | None:
    """Return the media type of the response, None for an event stream. Raises NotAcceptable."""
    lines = [accept.decode("latin-1")]
    return None if prefers_event_stream(lines) else negotiate_media_type(lines)


async def _respond(http_request: Request, context: Context) -> Response:
    if http_request.method not in _OPERATIONS:
        raise errors.MethodNotAllowed(list(_OPERATIONS))
    accepted = _negotiate(b",".join(value for name, value in http_request.scope["headers"] if name == b"accept"))
    if accepted is None:
        return await _stream(http_request, context)
    sent = await read_sent(http_request)
    key = shared_key(http_request, accepted, sent)
    if (kept := find_answer(context, key)) is not None:
        await context.charge(kept.units)
        return render(kept, http_request, vary=_VARY)
    received = parse_sent(http_request, sent)
    if isinstance(received, list):
        answers = await execute_batch(received, context, allowed=_OPERATIONS[http_request.method])
        return build_batch_response(answers, accepted)
    request = await resolve_persisted_query(received, context.services.cache)
    stores_document = request.persisted_hash is not None and received.query is not None
    if context.credential is None and not stores_document and is_shared(request):
        return await _respond_shared(http_request, request, context, accepted, key)
    result = await execute(request, context, allowed=_OPERATIONS[http_request.method])
    if result.data is not None:
        await store_persisted_query(request, context.services.cache)
    return build_response(result, accepted)


async def _respond_shared(
    http_request: Request, request: GraphQLRequest, context: Context, accepted: AcceptedType, key: bytes
) -> Response:
    """Return the answer that other anonymous callers get as well, or the response to this one if it has errors."""

    async def compute() -> Answer:
        batch = Batch() if context.units else None  # the second time, the request has been charged
        result = await execute(request, context, allowed=_OPERATIONS[http_request.method], batch=batch)
        response = build_response(result, accepted)
        if result.errors or result.data is None:
            raise NotKept(response)
        media_type = response.headers["content-type"].encode()
        return Answer(bytes(response.body), media_type, shared_scopes(), context.units)

    try:
        answer = await answer_for(context, key, compute)
    except NotKept as refusal:
        return refusal.response
    if not context.units:
        await context.charge(answer.units)  # it was computed for another request
    return render(answer, http_request, vary=_VARY)


async def _stream(http_request: Request, context: Context) -> Response:
    """Return the results as an event stream.

    The connection is counted first, so that one beyond the limit is refused before anything is executed.
    """
    with contextlib.ExitStack() as until_closed:
        until_closed.enter_context(count_connection(context))
        received = parse_sent(http_request, await read_sent(http_request))
        if isinstance(received, list):
            raise errors.BadRequest("A batch cannot be answered by an event stream; send Accept: application/json")
        request = await resolve_persisted_query(received, context.services.cache)
        outcome = await execute_stream(request, context, allowed=_STREAMED[http_request.method])
        if isinstance(outcome, ExecutionResult):
            return build_response(outcome, DEFAULT)
        await store_persisted_query(request, context.services.cache)
        return EventStreamResponse(outcome, context, until_closed.pop_all())
