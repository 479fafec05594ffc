"""Answers as HTTP has them: which media type, which status (decisions 9.5), which body (decisions 9.4)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope
from strawberry.types import ExecutionResult

from amarevents import errors
from amarevents.schema.core.errors import cause_of, presented, refusal
from amarevents.schema.execution.documents import MAX_ERRORS
from amarevents.schema.transport.operations import serialize_result
from amarevents.schema.transport.persisted import PersistedQueryNotFound
from amarevents.security.error_reporting import public_error

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENTS = "text/event-stream"

_CHARSET = "utf-8"
_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
# How exactly a range names a type; the more exact one decides.
_ANYTHING, _ANY_OF_A_KIND, _BY_NAME = range(3)

# Any below: JSON values.


@dataclass(frozen=True, slots=True)
class Accepted:
    """The media type of the answer, and whether the client has asked for it by name."""

    media_type: str
    by_name: bool = False

    @property
    def expects_success(self) -> bool:
        """Clients that ask for plain JSON by name read the errors of a document in an answer of status 200.

        For them the protocol says so: they cannot tell our answer of 400 from a proxy's. All others get 400.
        """
        return self.media_type == JSON and self.by_name


DEFAULT = Accepted(JSON)
"""For clients that do not say."""


def accepted(ranges: Iterable[str]) -> Accepted:
    """The answer's media type, by the lines of the Accept header. Raises NotAcceptable where neither will do."""
    header = ",".join(ranges)
    if not header.strip():
        return DEFAULT
    wanted = list(_ranges(header))
    offers = [(*_quality(offer, wanted), offer) for offer in (JSON, GRAPHQL_JSON)]
    quality, exactness, chosen = max(offers, key=_preference)
    if not quality:
        raise errors.NotAcceptable
    return Accepted(chosen, by_name=exactness == _BY_NAME)


def prefers_event_stream(ranges: Iterable[str]) -> bool:
    """Whether a stream of events is more welcome than an answer as JSON, by the lines of the Accept header."""
    wanted = list(_ranges(",".join(ranges)))
    events, *answers = (_quality(media_type, wanted) for media_type in (EVENTS, JSON, GRAPHQL_JSON))
    return events[0] > 0 and events > max(answers)


def _preference(offer: tuple[float, int, str]) -> tuple[float, int, bool]:
    """Of two that are as welcome as each other: GraphQL's own type where it is named, JSON where anything will do."""
    quality, exactness, media_type = offer
    return quality, exactness, (media_type == GRAPHQL_JSON) == (exactness == _BY_NAME)


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """Each range of the header with its quality; those that ask for another charset than ours are left out."""
    for part in header.split(","):
        media_range, *parameters = (one.strip().lower() for one in part.split(";"))
        given = dict(one.partition("=")[::2] for one in parameters)
        quality = given.get("q", "1")
        if given.get("charset", _CHARSET).strip('"') == _CHARSET and _QUALITY.fullmatch(quality):
            yield media_range, float(quality)


def _quality(media_type: str, wanted: Iterable[tuple[str, float]]) -> tuple[float, int]:
    """How welcome the type is, 0 to 1, and how exactly it has been named."""
    kinds = {"*/*": _ANYTHING, f"{media_type.partition('/')[0]}/*": _ANY_OF_A_KIND, media_type: _BY_NAME}
    found = [(kinds[media_range], quality) for media_range, quality in wanted if media_range in kinds]
    exactness, quality = max(found, default=(_ANYTHING, 0.0))
    return quality, exactness


def respond(result: ExecutionResult, to: Accepted) -> Response:
    """Raises RateLimited where a limit has refused all that was asked."""
    failures = result.errors or []
    if result.data is None and failures:
        return _not_executed([presented(error) for error in failures[:MAX_ERRORS]], _status(result, to), to)
    _raise_if_all_limited(result)
    return _response(serialize_result(result), 200, to)


def _raise_if_all_limited(result: ExecutionResult) -> None:
    """Where a limit of its own has refused every root field, nothing was executed: 429 (decisions 9.5)."""
    causes = [cause_of(error) for error in result.errors or []]
    limited = [cause for cause in causes if isinstance(cause, errors.RateLimited)]
    if result.data and len(limited) == len(causes) == len(result.data):
        raise max(limited, key=lambda cause: cause.retry_after)


def _status(result: ExecutionResult, to: Accepted) -> int:
    """The failure's own status where the platform refused it; else something is wrong with the document."""
    known = [cause for error in result.errors or [] if (cause := cause_of(error)) is not None]
    if not known:
        return _status_of_a_document(to)
    refused = public_error(known[0])
    if isinstance(refused, errors.RateLimited):
        # Left to the middleware, which adds Retry-After.
        raise refused
    return refused.status


def _status_of_a_document(to: Accepted) -> int:
    return 200 if to.expects_success else errors.BadRequest.status


def render_error(error: errors.AmarEventsError, scope: Scope) -> Response:
    """A request that failed before anything was executed, as GraphQL shows it."""
    try:
        to = accepted(Headers(scope=scope).getlist("accept"))
    except errors.NotAcceptable:
        to = DEFAULT
    status = _status_of_a_document(to) if isinstance(error, PersistedQueryNotFound) else error.status
    return _not_executed([refusal(error)], status, to)


def _not_executed(failures: list[dict[str, Any]], status: int, to: Accepted) -> Response:
    return _response({"errors": failures}, status, to)


def _response(body: dict[str, Any], status: int, to: Accepted) -> Response:
    return Response(orjson.dumps(body), status, media_type=f"{to.media_type}; charset={_CHARSET}")
