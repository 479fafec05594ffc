"""What can go wrong, from the classes of ``errors``: which statuses a route has, and how each looks."""

from http import HTTPStatus
from itertools import groupby

import orjson

from amarevents import errors
from amarevents.rest.envelopes import failure
from amarevents.rest.openapi.headers import FOR_CREDENTIALS, ON_EVERY_ANSWER, headers
from amarevents.rest.openapi.schemas import Json, closed_object
from amarevents.rest.routing import Route

Kind = type[errors.AmarEventsError]

_WITH_STATUS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",)}
# Of what has no route: the transports of GraphQL, and what it alone writes.
_GRAPHQL_ALONE = frozenset(
    {
        *(errors.NotAcceptable, errors.OperationTimedOut, errors.UpdatesMissed),
        *(errors.TooManyOperations, errors.TooManyConnections),
        *(errors.NameTaken, errors.TooManyCustomFields, errors.TooManyGalleryImages, errors.PlanInUse),
        *(errors.DefaultPlan, errors.NotPending, errors.TicketNotValid, errors.NotCheckedIn),
        *(errors.ScanMismatch, errors.ScanUndone),
    }
)
# Credentials are read, counted and may be refused on public routes too; anything may crash.
_EVERYWHERE = frozenset({401, 403, 405, 429, 500})
_EXAMPLES = {
    400: errors.ValidationFailed({"email": "must be an email address"}),
    401: errors.Unauthenticated(),
    403: errors.MissingScope("events:write"),
    404: errors.NotFound("Event"),
    405: errors.MethodNotAllowed(["GET", "POST"]),
    429: errors.RateLimited(7),
    500: errors.InternalError(),
}


def statuses(route: Route) -> list[int]:
    """The statuses of its failures: 400 where it reads something, 404 where what it names may not exist."""
    found = set(_EVERYWHERE)
    if route.method != "GET" or route.operation.input_type is not None:
        found.add(errors.BadRequest.status)
    if "{" in route.path or errors.NotFound in route.operation.raises:
        found.add(errors.NotFound.status)
    return sorted(found)


def references(route: Route) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in statuses(route)}


def shared_failures() -> Json:
    """One response for each status (decisions 1.4), with all codes that go with it."""
    return {_name(status): _shared(status, list(kinds)) for status, kinds in groupby(kinds_of_errors(), _status)}


def kinds_of_errors() -> list[Kind]:
    """Every kind of failure of REST that has a code of its own, by status."""
    own = (kind for kind in _BY_NAME.values() if "code" in vars(kind) and kind not in _GRAPHQL_ALONE)
    return sorted(own, key=_status)


def _status(kind: Kind) -> int:
    return kind.status


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _shared(status: int, kinds: list[Kind]) -> Json:
    return {
        "description": HTTPStatus(status).phrase,
        "headers": headers(*ON_EVERY_ANSWER, *FOR_CREDENTIALS, *_WITH_STATUS.get(status, ())),
        "content": {
            "application/json": {
                "schema": _envelope([kind.code for kind in kinds]),
                "example": orjson.loads(failure(_EXAMPLES[status]).body),
            }
        },
    }


def _envelope(codes: list[str]) -> Json:
    """Decisions 1.3."""
    return closed_object(
        {
            "success": {"type": "boolean", "const": False, "description": "False, for the request has failed."},
            "error": {"type": "string", "description": "What went wrong, for people."},
            "code": {"type": "string", "enum": codes, "description": "What went wrong, for programs."},
            "fields": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "minProperties": 1,
                "description": "What is wrong with which field, by its path, such as `ticket_types.0.price`.",
            },
        },
        optional=["fields"],
    )


def _error_classes() -> dict[str, Kind]:
    found = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    return {name: kind for name, kind in found.items() if issubclass(kind, errors.AmarEventsError)}


_BY_NAME = _error_classes()
