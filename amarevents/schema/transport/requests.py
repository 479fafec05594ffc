"""Reading a GraphQL request: its parameters from a body or an address, and nothing that could be read in two ways."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request

from amarevents import errors
from amarevents.schema.transport.operations import GraphQLRequest
from amarevents.schema.transport.persisted import persisted_query_hash
from amarevents.security.auth.csrf import is_json, may_query
from amarevents.security.context import Context
from amarevents.security.middleware import context_of
from amarevents.security.request_body import read_body

# Any below: JSON values.

_KINDS: Mapping[str, type] = {"query": str, "variables": dict, "operationName": str, "extensions": dict}
_OBJECTS = tuple(name for name, kind in _KINDS.items() if kind is dict)


async def read(request: Request) -> GraphQLRequest:
    """The parameters of a request by GET or POST.

    Raises UnsupportedMediaType, MalformedJson, BadRequest for parameters of the wrong kind, CrossSiteRequest for a GET
    that another site may have made a browser send, and what ``read_body`` raises.
    """
    context = context_of(request.scope)
    if request.method == "GET":
        return _from_address(request, context)
    body = await read_body(request, context.services.settings.max_body_bytes)
    if not is_json(request.headers.get("content-type")):
        raise errors.UnsupportedMediaType
    return parse_request(loads(body))


def parse_request(parameters: object) -> GraphQLRequest:
    """What a request's JSON asks for; parameters that are null count as left out, unknown ones are ignored.

    Raises BadRequest for what is no object, or has a parameter of the wrong kind.
    """
    if isinstance(parameters, list):
        raise errors.BadRequest("Batches are not accepted: send each operation in a request of its own")
    if not isinstance(parameters, dict):
        raise errors.BadRequest("The body must be a JSON object with 'query', 'variables' and 'operationName'")
    values = {name: parameters.get(name) for name in _KINDS}
    for name, kind in _KINDS.items():
        if values[name] is not None and not isinstance(values[name], kind):
            raise errors.BadRequest(f"'{name}' must be {'an object' if kind is dict else 'a string'}")
    return GraphQLRequest(
        query=values["query"],
        variables=values["variables"],
        operation_name=values["operationName"] or None,
        persisted_hash=persisted_query_hash(values["extensions"] or {}),
    )


def _from_address(request: Request, context: Context) -> GraphQLRequest:
    allowed = context.services.settings.allowed_origins
    if context.principal.session_id is not None and not may_query(request.headers, allowed):
        raise errors.CrossSiteRequest(
            "A session may only query by GET from an allowed origin: send the header X-Requested-With, or use POST"
        )
    given: dict[str, Any] = _unique([pair for pair in request.query_params.multi_items() if pair[0] in _KINDS])
    for name in _OBJECTS:
        given[name] = loads(given.get(name) or "null")
    return parse_request(given)


def loads(text: str | bytes) -> Any:
    """orjson's reading, of texts that every other reader reads alike. Raises MalformedJson."""
    try:
        value = orjson.loads(text)
        # Only to find what is named twice; numbers, which may have any length, are left alone.
        json.loads(text, object_pairs_hook=_unique, parse_int=_leave, parse_float=_leave)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise errors.MalformedJson from error
    return value


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values with one name one reader takes the first, another the last."""
    named = dict(pairs)
    if len(named) < len(pairs):
        raise errors.MalformedJson("A name stands twice where it may stand once")
    return named


def _leave(number: str) -> str:
    return number
