"""Reading GraphQL requests from a body or a query string, strictly enough that no two parsers disagree on them."""

from collections.abc import Mapping
from typing import TypeVar

from starlette.requests import Request

from amarevents import errors
from amarevents.schema.transport.operations import GraphQLRequest
from amarevents.schema.transport.persisted import persisted_query_hash
from amarevents.security.auth.csrf import is_foreign, is_json
from amarevents.security.context import Context
from amarevents.security.json_text import parse_json, reject_duplicates
from amarevents.security.middleware import context_of
from amarevents.security.request_body import read_body

T = TypeVar("T")

_PARAMETERS = ("query", "variables", "operationName", "extensions")
_OBJECTS = ("variables", "extensions")

MAX_BATCH = 10
"""The maximum number of operations in a batch."""


async def read_sent(http_request: Request) -> bytes:
    """Return the query string of a GET request, or the body of a POST request. Raises what ``read_body`` raises."""
    if http_request.method == "GET":
        return bytes(http_request.scope["query_string"])
    return await read_body(http_request, context_of(http_request.scope).services.settings.graphql_max_bytes)


def parse_sent(http_request: Request, sent: bytes) -> GraphQLRequest | list[GraphQLRequest]:
    """Return the parameters of a GET or POST request; a POST request may be a batch of them.

    Raises UnsupportedMediaType, MalformedJson, BadRequest for parameters of the wrong type, and CrossSiteRequest for a
    GET request that another site may have made the browser send.
    """
    if http_request.method == "GET":
        return _parse_query_string(http_request, context_of(http_request.scope))
    if not is_json(http_request.headers.get("content-type")):
        raise errors.UnsupportedMediaType
    parameters = parse_json(sent)
    return _parse_batch(parameters) if isinstance(parameters, list) else parse_request(parameters)


def _parse_batch(batch: list[object]) -> list[GraphQLRequest]:
    """Return the requests of a batch. Raises BadRequest, also for an empty batch and one that is too long."""
    if not 1 <= len(batch) <= MAX_BATCH:
        raise errors.BadRequest(f"A batch must have 1 to {MAX_BATCH} operations, not {len(batch)}")
    return [parse_request(parameters) for parameters in batch]


def parse_request(parameters: object) -> GraphQLRequest:
    """Return the request in a JSON value. Null parameters count as missing, unknown ones are ignored.

    Raises BadRequest if the value is not an object or a parameter has the wrong type.
    """
    if not isinstance(parameters, dict):
        raise errors.BadRequest("Each operation must be a JSON object with 'query', 'variables' and 'operationName'")
    return GraphQLRequest(
        query=_parameter(parameters, "query", str),
        variables=_parameter(parameters, "variables", dict),
        operation_name=_parameter(parameters, "operationName", str) or None,
        persisted_hash=persisted_query_hash(_parameter(parameters, "extensions", dict) or {}),
    )


def _parameter(parameters: Mapping[str, object], name: str, kind: type[T]) -> T | None:
    value = parameters.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise errors.BadRequest(f"'{name}' must be {'an object' if kind is dict else 'a string'}")


def _parse_query_string(http_request: Request, context: Context) -> GraphQLRequest:
    allowed = context.services.settings.allowed_origins
    if context.is_signed_in_by_cookie and is_foreign(http_request.headers, allowed):
        raise errors.CrossSiteRequest
    pairs = [pair for pair in http_request.query_params.multi_items() if pair[0] in _PARAMETERS]
    texts = reject_duplicates(pairs)
    objects = {name: parse_json(texts.get(name) or "null") for name in _OBJECTS}
    return parse_request({**texts, **objects})
