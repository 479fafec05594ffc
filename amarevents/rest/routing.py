"""Routing from requests to operations: decodes path, query and body, and answers with an envelope."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from amarevents import errors
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.operation import Operation
from amarevents.rest.envelopes import success
from amarevents.security.auth.csrf import is_json
from amarevents.security.middleware import context_of
from amarevents.security.request_body import read_body

_QUERY_METHODS = frozenset({"GET", "HEAD"})
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the contract. ``status`` is that of a successful response (decisions 1.4)."""

    method: str
    path: str
    operation: Operation[object]
    status: int = 200


def router(routes: Iterable[Route]) -> Router:
    """Return an ASGI application for ``routes``, which raises UnknownRoute or MethodNotAllowed for anything else."""
    by_path: dict[str, dict[str, Route]] = {}
    for route in routes:
        by_path.setdefault(route.path, {})[route.method] = route
    paths: list[BaseRoute] = [StarletteRoute(path, _PathEndpoint(methods)) for path, methods in by_path.items()]
    return Router(paths, redirect_slashes=False, default=_unknown_route)


async def _unknown_route(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise errors.UnknownRoute


class _PathEndpoint:
    """An ASGI application for all methods of one path. Starlette leaves the choice of the method to it."""

    def __init__(self, methods: Mapping[str, Route]) -> None:
        self._methods = {**methods, "HEAD": methods["GET"]} if "GET" in methods else dict(methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._methods.get(scope["method"])
        if route is None:
            raise errors.MethodNotAllowed(list(self._methods))
        response = await _answer(route, Request(scope, receive))
        await response(scope, receive, send)


async def _answer(route: Route, request: Request) -> Response:
    view = await route.operation(
        context_of(request.scope),
        id=_id(request.path_params.get("id", "")),
        data=lambda: _input(route, request),
        idempotency_key=request.headers.get("idempotency-key"),
    )
    return success(view, route.status)


def _id(text: str) -> int | None:
    """Return the ID in a path, or None if the text cannot be one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


async def _input(route: Route, request: Request) -> dict[str, object]:
    """Return the input: the query of a read, otherwise the body with any path parameter other than ``id``."""
    if request.method in _QUERY_METHODS:
        return decode_query(route.operation.input_type, request.query_params)
    body = await _json_body(request)
    path = {name: value for name, value in request.path_params.items() if name != "id"}
    if twice := path.keys() & body.keys():
        raise errors.ValidationFailed(dict.fromkeys(twice, "is already given by the path"))
    return {**body, **path}


def decode_query(input_type: type[Input] | None, query: Mapping[str, str]) -> dict[str, object]:
    """Return query parameters as the types that the input expects; unknown ones are ignored (decisions 1.6)."""
    fields = input_type.model_fields if input_type else {}
    return {
        name: _number_or_text(text) if _expects_number(fields[name].annotation) else text
        for name, text in query.items()
        if name in fields
    }


def _expects_number(annotation: object) -> bool:
    """Return whether an annotation is an integer type or a union with one."""
    base = getattr(annotation, "__supertype__", annotation)
    return base is int or any(_expects_number(part) for part in get_args(annotation))


def _number_or_text(text: str) -> int | str:
    digits = text.strip().removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS
    return int(text) if is_number else text


async def _json_body(request: Request) -> dict[str, object]:
    """Return the JSON object in the body, empty if there is no body.

    Raises BodyTooLarge, UnsupportedMediaType, MalformedJson, or ValidationFailed if the JSON is not an object.
    """
    body = await read_body(request, context_of(request.scope).services.settings.max_body_bytes)
    if not body:
        return {}
    if not is_json(request.headers.get("content-type")):
        raise errors.UnsupportedMediaType
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise errors.MalformedJson from error
    if not isinstance(parsed, dict):
        raise errors.ValidationFailed({"body": "must be a JSON object"})
    return parsed
