"""GraphQL over HTTP: a request in, an operation through the schema, an answer with the status of decisions 9.5."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from amarevents import errors
from amarevents.schema.documents import MAX_ERRORS
from amarevents.schema.errors import cause_of, presented, refusal
from amarevents.schema.running import Asked, run, shown, stream
from amarevents.schema.sse import EventStream, wants_events
from amarevents.security.context import Context
from amarevents.security.failures import told
from amarevents.security.middleware import context_of
from amarevents.security.origins import is_json
from amarevents.security.request_body import read_body

_JSON = "application/json"
_GRAPHQL_JSON = "application/graphql-response+json"
_OPERATIONS = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}
_STREAMED = {"GET": {OperationType.QUERY}, "POST": set(OperationType)}

# Any below: JSON values.


class GraphQLEndpoint:
    """The ASGI application behind ``/graphql``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        try:
            response = await self._answer(Request(scope, receive), context)
        finally:
            if context.verdict is None:
                # What could not even be parsed costs a unit like everything else.
                await context.charge()
        await response(scope, receive, send)

    async def _answer(self, request: Request, context: Context) -> Response:
        if request.method not in _OPERATIONS:
            raise errors.MethodNotAllowed(list(_OPERATIONS))
        asked = await _read(request, context)
        if wants_events(request):
            outcome = await stream(asked, context, allowed=_STREAMED[request.method])
            return _respond(outcome, _JSON) if isinstance(outcome, ExecutionResult) else EventStream(outcome, context)
        result = await run(asked, context, allowed=_OPERATIONS[request.method])
        return _respond(result, _media_type(request))


async def _read(request: Request, context: Context) -> Asked:
    if request.method == "GET":
        query = dict(request.query_params)
        return _asked({**query, "variables": _loads(query.get("variables") or "null")})
    body = await read_body(request, context.services.settings.max_body_bytes)
    if not is_json(request.headers.get("content-type")):
        raise errors.UnsupportedMediaType
    parsed = _loads(body)
    if not isinstance(parsed, dict):
        raise errors.BadRequest("The body must be a JSON object with 'query', 'variables' and 'operationName'")
    return _asked(parsed)


def _loads(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise errors.MalformedJson from error


def _asked(parameters: Mapping[str, Any]) -> Asked:
    expected = {"query": str, "variables": dict, "operationName": str}
    values = {name: parameters.get(name) for name in expected}
    for name, kind in expected.items():
        if values[name] is not None and not isinstance(values[name], kind):
            raise errors.BadRequest(f"'{name}' must be {'an object' if kind is dict else 'a string'}")
    return Asked(query=values["query"], variables=values["variables"], operation_name=values["operationName"] or None)


def _media_type(request: Request) -> str:
    return _GRAPHQL_JSON if _GRAPHQL_JSON in request.headers.get("accept", "") else _JSON


def _respond(result: ExecutionResult, media_type: str) -> Response:
    failures = result.errors or []
    if result.data is None and failures:
        return _not_executed([presented(error) for error in failures[:MAX_ERRORS]], _cause_status(result), media_type)
    _raise_if_all_limited(result)
    return Response(orjson.dumps(shown(result)), 200, media_type=media_type)


def _raise_if_all_limited(result: ExecutionResult) -> None:
    """Where a limit of its own has refused every root field, nothing was executed: 429 (decisions 9.5)."""
    causes = [cause_of(error) for error in result.errors or []]
    limited = [cause for cause in causes if isinstance(cause, errors.RateLimited)]
    if result.data and len(limited) == len(causes) == len(result.data):
        raise max(limited, key=lambda cause: cause.retry_after)


def _cause_status(result: ExecutionResult) -> int:
    """400 for what is wrong with the document, the failure's own status where the platform refused it."""
    known = [cause for error in result.errors or [] if (cause := cause_of(error)) is not None]
    refused = told(known[0]) if known else None
    if isinstance(refused, errors.RateLimited):
        # Left to the middleware, which adds Retry-After.
        raise refused
    return refused.status if refused else errors.BadRequest.status


def _not_executed(failures: list[dict[str, Any]], status: int, media_type: str) -> Response:
    return Response(orjson.dumps({"errors": failures}), status, media_type=media_type)


def request_error(error: errors.AmarEventsError) -> Response:
    """A request that failed before anything was executed, as GraphQL shows it."""
    return _not_executed([refusal(error)], error.status, _JSON)
