"""GraphQL over HTTP: a request in, an operation through the schema, an answer out."""

import contextlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from amarevents import errors
from amarevents.schema.transport.operations import GraphQLRequest, run, stream
from amarevents.schema.transport.persisted import remember, resolve_persisted_query
from amarevents.schema.transport.requests import read
from amarevents.schema.transport.responses import DEFAULT, accepted, prefers_event_stream, respond
from amarevents.schema.transport.sse import EventStream, counted
from amarevents.security.context import Context
from amarevents.security.middleware import context_of

_OPERATIONS = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}
_STREAMED = {"GET": {OperationType.QUERY}, "POST": set(OperationType)}


class GraphQLEndpoint:
    """The ASGI application behind ``/graphql``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        try:
            response = await self._answer(Request(scope, receive), context)
        finally:
            await context.charge_minimum()
        await response(scope, receive, send)

    async def _answer(self, request: Request, context: Context) -> Response:
        if request.method not in _OPERATIONS:
            raise errors.MethodNotAllowed(list(_OPERATIONS))
        if prefers_event_stream(request.headers.getlist("accept")):
            return await _stream(request, context)
        to = accepted(request.headers.getlist("accept"))
        asked = await _read(request, context)
        result = await run(asked, context, allowed=_OPERATIONS[request.method])
        if result.data is not None:
            await remember(asked, context.services.cache)
        return respond(result, to)


async def _stream(request: Request, context: Context) -> Response:
    """Counted before anything is done: one too many is refused while nothing has happened."""
    with contextlib.ExitStack() as open_until:
        open_until.enter_context(counted(context))
        asked = await _read(request, context)
        outcome = await stream(asked, context, allowed=_STREAMED[request.method])
        if isinstance(outcome, ExecutionResult):
            return respond(outcome, DEFAULT)
        await remember(asked, context.services.cache)
        return EventStream(outcome, context, open_until.pop_all())


async def _read(request: Request, context: Context) -> GraphQLRequest:
    return await resolve_persisted_query(await read(request), context.services.cache)
