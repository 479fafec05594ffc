"""Routing from requests to operations: decodes path, query and body, and answers with an envelope."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import get_args, get_type_hints
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from amarevents import errors
from amarevents.infra.answer_cache import Answer
from amarevents.resolvers.core.operation import Operation, Values
from amarevents.rest.decoding import decode_fields, read_query
from amarevents.rest.envelopes import JSON, envelope, success
from amarevents.security.auth.csrf import is_json
from amarevents.security.json_text import parse_json, without_byte_order_mark
from amarevents.security.middleware import context_of
from amarevents.security.request_body import read_body
from amarevents.web.shared_answers import READ_METHODS, answer_for, find_answer, render

_ID = re.compile("[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the contract. ``status`` is that of a successful response (decisions 1.4)."""

    method: str
    path: str
    operation: Operation[object]
    status: int = 200


class Router:
    """The surface of all paths below ``/api``."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._plain: dict[tuple[str, ...], dict[str, Route]] = {}
        self._with_parameters: dict[tuple[str, ...], dict[str, Route]] = {}
        for route in routes:
            paths = self._with_parameters if "{" in route.path else self._plain
            methods = paths.setdefault(tuple(route.path.split("/")[1:]), {})
            methods[route.method] = route
            if route.method == "GET":
                methods["HEAD"] = route

    async def respond(self, request: Request) -> Response:
        """Return the response to a request. Raises UnknownRoute, MethodNotAllowed, and the errors of operations."""
        context = context_of(request.scope)
        if request.method in READ_METHODS and (kept := find_answer(context, _key(request))) is not None:
            return render(kept, request)
        methods, parameters = self._find(_segments(request.scope))
        route = methods.get(request.method)
        if route is None:
            raise errors.MethodNotAllowed(list(methods))
        if route.operation.shared is not None and route.method == "GET" and context.credential is None:
            answer = await answer_for(context, _key(request), lambda: _shared_answer(route, request, parameters))
            return render(answer, request)
        return success(await _call(route, request, parameters), route.status)

    def _find(self, segments: tuple[str, ...]) -> tuple[Mapping[str, Route], dict[str, str]]:
        """Return the routes at a path, by method, and the values of its parameters."""
        if segments in self._plain:
            return self._plain[segments], {}
        for path, methods in self._with_parameters.items():
            if (parameters := _match(path, segments)) is not None:
                return methods, parameters
        raise errors.UnknownRoute


def _segments(scope: Scope) -> tuple[str, ...]:
    """Return the segments of the path below ``/api``, without a trailing slash (decisions 1.6).

    They are separated before they are decoded, so that a code may contain slashes, and trimmed, because scanners append
    line ends to what they read.
    """
    path = _raw_path(scope).decode("ascii", "replace")
    _, _, *segments = path.removesuffix("/").split("/")
    if "%" not in path:
        return tuple(segments)
    return tuple(unquote(segment).strip() or segment for segment in segments)


def _raw_path(scope: Scope) -> bytes:
    return scope.get("raw_path") or quote(scope["path"]).encode()


def _match(path: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    """Return the values of the parameters of a path, or None if the segments are those of another path."""
    if len(path) != len(segments):
        return None
    parameters: dict[str, str] = {}
    for expected, segment in zip(path, segments, strict=True):
        if segment and expected.startswith("{"):
            parameters[expected.strip("{}")] = segment
        elif segment != expected:
            return None
    return parameters


def _key(request: Request) -> bytes:
    """Return what identifies a request whose answer is the same for all anonymous callers."""
    return _raw_path(request.scope) + b"?" + bytes(request.scope["query_string"])


async def _shared_answer(route: Route, request: Request, parameters: dict[str, str]) -> Answer:
    shared = route.operation.shared
    assert shared is not None  # noqa: S101 - for the type checker
    data = read_query(route.operation.input_type, request.scope["query_string"])
    scopes = shared.scopes(_id(parameters.get("id", "")), data)
    return Answer(envelope(await _call(route, request, parameters)), JSON, scopes)


async def _call(route: Route, request: Request, parameters: dict[str, str]) -> object:
    return await route.operation(
        context_of(request.scope),
        id=_id(parameters.get("id", "")),
        data=lambda: _input(route, request, {name: text for name, text in parameters.items() if name != "id"}),
        idempotency_key=request.headers.get("idempotency-key"),
    )


def _id(text: str) -> int | None:
    """Return the ID in a path, or None if the text is not one as answers write it."""
    return int(text) if _ID.fullmatch(text) else None


async def _input(route: Route, request: Request, parameters: Mapping[str, str]) -> Values:
    """Return the input: the query of a read, otherwise the body with any path parameter other than ``id``."""
    input_type = route.operation.input_type
    if request.method in READ_METHODS:
        return read_query(input_type, request.scope["query_string"])
    body = await _json_body(request)
    if twice := parameters.keys() & body.keys():
        raise errors.ValidationFailed(dict.fromkeys(twice, "is already given by the path"))
    if route.method == "PUT":
        body = _without_read_only(route.operation, body)
    return {**(decode_fields(input_type, body) if input_type else body), **parameters}


def _without_read_only(operation: Operation[object], body: Mapping[str, object]) -> dict[str, object]:
    """Return the body of an update without read-only fields, so that answers can be sent back (decisions 1.6)."""
    writable = operation.input_type.fields_by_name() if operation.input_type else {}
    read_only = _shown_fields(operation.view) - writable.keys()
    return {name: value for name, value in body.items() if name not in read_only}


@cache
def _shown_fields(view: type) -> frozenset[str]:
    """Return the names of the fields of a view, or of all views in a union."""
    views: tuple[type, ...] = get_args(view) or (view,)
    return frozenset(name for one in views for name in get_type_hints(one))


async def _json_body(request: Request) -> dict[str, object]:
    """Return the JSON object in the body, empty if there is no body.

    Raises BodyTooLarge, UnsupportedMediaType, MalformedJson, or ValidationFailed if the JSON is not an object.
    """
    body = await read_body(request, context_of(request.scope).services.settings.max_body_bytes)
    if not without_byte_order_mark(body):
        return {}
    if not is_json(request.headers.get("content-type")):
        raise errors.UnsupportedMediaType
    parsed = parse_json(body)
    if not isinstance(parsed, dict):
        raise errors.ValidationFailed({"body": "must be a JSON object"})
    return parsed
