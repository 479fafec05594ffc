"""GraphQL responses over HTTP: media type, status (decisions 9.5) and body (decisions 9.4)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope
from strawberry.types import ExecutionResult

from amarevents import errors
from amarevents.schema.core.errors import cause_of, format_error, format_request_error
from amarevents.schema.core.json import encode_json
from amarevents.schema.execution.documents import MAX_ERRORS
from amarevents.schema.transport.operations import serialize_result
from amarevents.schema.transport.persisted import PersistedQueryNotFound
from amarevents.security.error_reporting import public_error

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"

_CHARSET = "utf-8"
_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
# How specific a media range is; the most specific one that matches a type decides.
_ANY_TYPE, _ANY_SUBTYPE, _EXACT = range(3)


@dataclass(frozen=True, slots=True)
class AcceptedType:
    """The media type of the response, and whether the Accept header names it exactly."""

    media_type: str
    is_exact: bool = False

    @property
    def expects_success(self) -> bool:
        """Whether the client expects status 200 for errors in a document.

        The GraphQL over HTTP specification says so for clients that request ``application/json``: they cannot
        distinguish a GraphQL error of status 400 from an error of a proxy. All other clients get status 400.
        """
        return self.media_type == JSON and self.is_exact


DEFAULT = AcceptedType(JSON)
"""The media type for clients that send no Accept header."""


def negotiate_media_type(accept: Iterable[str]) -> AcceptedType:
    """Return the media type of the response, given the lines of the Accept header. Raises NotAcceptable."""
    header = ",".join(accept)
    if not header.strip():
        return DEFAULT
    ranges = list(_parse_ranges(header))
    offers = [(*_quality(offer, ranges), offer) for offer in (JSON, GRAPHQL_JSON)]
    quality, specificity, chosen = max(offers, key=_preference)
    if not quality:
        raise errors.NotAcceptable
    return AcceptedType(chosen, is_exact=specificity == _EXACT)


def prefers_event_stream(accept: Iterable[str]) -> bool:
    """Return whether the lines of the Accept header prefer an event stream to a JSON response."""
    ranges = list(_parse_ranges(",".join(accept)))
    event_stream, *others = (_quality(media_type, ranges) for media_type in (EVENT_STREAM, JSON, GRAPHQL_JSON))
    return event_stream[0] > 0 and event_stream > max(others)


def _preference(offer: tuple[float, int, str]) -> tuple[float, int, bool]:
    """Return a sort key. Between equal offers, GraphQL's own type wins if it is named exactly, JSON otherwise."""
    quality, specificity, media_type = offer
    return quality, specificity, (media_type == GRAPHQL_JSON) == (specificity == _EXACT)


def _parse_ranges(header: str) -> Iterator[tuple[str, float]]:
    """Yield each media range with its quality, except for those with a charset other than UTF-8."""
    for part in header.split(","):
        media_range, *parameters = (item.strip().lower() for item in part.split(";"))
        values = dict(item.partition("=")[::2] for item in parameters)
        quality = values.get("q", "1")
        if values.get("charset", _CHARSET).strip('"') == _CHARSET and _QUALITY.fullmatch(quality):
            yield media_range, float(quality)


def _quality(media_type: str, ranges: Iterable[tuple[str, float]]) -> tuple[float, int]:
    """Return the quality of a media type, from 0 to 1, and the specificity of the range that it comes from."""
    matching = {"*/*": _ANY_TYPE, f"{media_type.partition('/')[0]}/*": _ANY_SUBTYPE, media_type: _EXACT}
    found = [(matching[media_range], quality) for media_range, quality in ranges if media_range in matching]
    specificity, quality = max(found, default=(_ANY_TYPE, 0.0))
    return quality, specificity


def build_response(result: ExecutionResult, accepted: AcceptedType) -> Response:
    """Return the response for a result. Raises RateLimited if a rate limit has refused all root fields."""
    failures = result.errors or []
    if result.data is None and failures:
        formatted = [format_error(error) for error in failures[:MAX_ERRORS]]
        return _error_response(formatted, _status(result, accepted), accepted)
    _raise_if_all_limited(result)
    return _json_response(serialize_result(result), 200, accepted)


def build_batch_response(answers: Sequence[Mapping[str, object]], accepted: AcceptedType) -> Response:
    """Return the response for a batch that was executed: an array with the answer to each operation, in order."""
    return _json_response(answers, 200, accepted)


def _raise_if_all_limited(result: ExecutionResult) -> None:
    """Raise RateLimited (429) if the limits of operations refused every root field (decisions 9.5)."""
    causes = [cause_of(error) for error in result.errors or []]
    limited = [cause for cause in causes if isinstance(cause, errors.RateLimited)]
    if result.data and len(limited) == len(causes) == len(result.data):
        raise max(limited, key=lambda cause: cause.retry_after)


def _status(result: ExecutionResult, accepted: AcceptedType) -> int:
    """Return the status of the first error that was raised by an operation, or else of an invalid document."""
    causes = [cause for error in result.errors or [] if (cause := cause_of(error)) is not None]
    if not causes:
        return _document_error_status(accepted)
    error = public_error(causes[0])
    if isinstance(error, errors.RateLimited):
        # The middleware renders it, because it adds Retry-After.
        raise error
    return error.status


def _document_error_status(accepted: AcceptedType) -> int:
    return 200 if accepted.expects_success else errors.BadRequest.status


def render_error(error: errors.AmarEventsError, scope: Scope) -> Response:
    """Return the GraphQL response for a request that failed before execution."""
    try:
        accepted = negotiate_media_type(Headers(scope=scope).getlist("accept"))
    except errors.NotAcceptable:
        accepted = DEFAULT
    status = _document_error_status(accepted) if isinstance(error, PersistedQueryNotFound) else error.status
    return _error_response([format_request_error(error)], status, accepted)


def _error_response(formatted_errors: Sequence[Mapping[str, object]], status: int, accepted: AcceptedType) -> Response:
    return _json_response({"errors": formatted_errors}, status, accepted)


def _json_response(body: object, status: int, accepted: AcceptedType) -> Response:
    return Response(encode_json(body), status, media_type=f"{accepted.media_type}; charset={_CHARSET}")
