"""Error responses of the document: the statuses and error codes of each route, and the schema of each status."""

from collections.abc import Iterable
from http import HTTPStatus
from itertools import groupby

import orjson

from amarevents import errors
from amarevents.rest.envelopes import failure
from amarevents.rest.openapi.headers import COMMON_HEADERS, RATE_LIMIT_HEADERS, headers
from amarevents.rest.openapi.schemas import Json, object_schema
from amarevents.rest.routing import Route

Kind = type[errors.AmarEventsError]

_WITH_STATUS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}
# Public routes too check and rate limit a credential that is sent.
_ON_EVERY_ROUTE = frozenset({401, 403, 405, 429, 500})
_EXAMPLES = {
    400: errors.ValidationFailed({"email": "must be an email address"}),
    401: errors.Unauthenticated(),
    403: errors.MissingScope("events:write"),
    404: errors.NotFound("Event"),
    405: errors.MethodNotAllowed(["GET", "POST"]),
    429: errors.RateLimited(7),
    500: errors.InternalError(),
    503: errors.Overloaded(1),
}


def error_statuses(route: Route) -> list[int]:
    """Return the error statuses of a route.

    400 is one if it takes input, 404 if the path or the operation can name a row, and 503 if its requests may wait.
    """
    found = set(_ON_EVERY_ROUTE)
    if route.method != "GET" or route.operation.input_type is not None:
        found.add(errors.BadRequest.status)
    if "{" in route.path or errors.NotFound in route.operation.raises:
        found.add(errors.NotFound.status)
    if errors.Overloaded in route.operation.raises:
        found.add(errors.Overloaded.status)
    return sorted(found)


def error_responses(route: Route) -> Json:
    """Return references to the shared responses of a route, by status."""
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in error_statuses(route)}


def shared_error_responses(routes: Iterable[Route]) -> Json:
    """Return one response per status (decisions 1.4) with the codes that ``routes`` can answer."""
    by_status = groupby(sorted(documented_errors(routes), key=_status), _status)
    return {_name(status): _shared(status, list(kinds)) for status, kinds in by_status}


def documented_errors(routes: Iterable[Route]) -> list[Kind]:
    """Return the errors of any request and of the operations of ``routes``, in the order of ``errors``."""
    of_operations = {kind for route in routes for kind in route.operation.raises}
    return [kind for kind in _error_classes() if kind in of_operations or kind in errors.COMMON_ERRORS]


def _status(kind: Kind) -> int:
    return kind.status


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _shared(status: int, kinds: list[Kind]) -> Json:
    codes = [kind.code for kind in kinds]
    return {
        "description": f"{HTTPStatus(status).phrase}. Error codes: {', '.join(f'`{code}`' for code in codes)}.",
        "headers": headers(*COMMON_HEADERS, *RATE_LIMIT_HEADERS, *_WITH_STATUS.get(status, ())),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": orjson.loads(failure(_EXAMPLES[status]).body),
            }
        },
        "x-error-codes": codes,
    }


def error_schema() -> Json:
    """Return the schema of every error response (decisions 1.3). Later versions may add codes."""
    properties: Json = {
        "success": {"type": "boolean", "const": False, "description": "Always false: the request failed."},
        "error": {"type": "string", "description": "A message for people that says what is wrong."},
        "code": {"type": "string", "description": "A stable code that identifies the error for programs."},
        "fields": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "minProperties": 1,
            "description": "What is wrong with each field, by its path, such as `ticket_types.0.price`.",
        },
    }
    return {**object_schema(properties, optional=["fields"]), "description": "An error response."}


def _error_classes() -> list[Kind]:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return [kind for kind in classes if issubclass(kind, errors.AmarEventsError)]
