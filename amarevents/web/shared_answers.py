"""Responses whose content is the same for all anonymous callers: kept in memory, and revalidated by caches.

``answer_for`` is the one place where such an answer is made. Callers with a credential never get a kept answer, and
theirs are never kept.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from amarevents.infra.answer_cache import Answer, NotReusable
from amarevents.security import compression
from amarevents.security.context import Context
from amarevents.security.headers import RawHeader, find_header

READ_METHODS = frozenset({"GET", "HEAD"})

_CACHE_CONTROL = (b"cache-control", b"public, max-age=1")
_ACCEPT_ENCODING = (b"vary", b"Accept-Encoding")
_GZIP = (b"content-encoding", b"gzip")
_VARY = b"Accept-Encoding, Authorization, Cookie, X-API-Key"


class NotKept(NotReusable):
    """The response to a request whose answer must not be kept."""

    def __init__(self, response: Response) -> None:
        self.response = response


class FinishedResponse(Response):
    """A response whose body and headers are finished."""

    def __init__(self, status: int, headers: list[RawHeader], body: bytes = b"") -> None:
        self.status_code = status
        self.raw_headers = headers
        self.body = body
        self.background = None


def find_answer(context: Context, key: bytes) -> Answer | None:
    """Return the current answer to a request, if it is kept and the caller may get it."""
    return None if context.credential is not None else context.services.answers.find(key)


async def answer_for(context: Context, key: bytes, compute: Callable[[], Awaitable[Answer]]) -> Answer:
    """Return the answer to an anonymous request, which is computed if it is not kept."""
    answers, replica = context.services.answers, context.services.replica
    read = compute if replica is None else partial(replica.read, compute)
    return await answers.make(key, read) if answers.seconds else await read()


def render(answer: Answer, request: Request, *, vary: bytes = b"") -> Response:
    """Return the response with an answer, or 304 if the client has it already; ``vary`` names further headers.

    Only GET and HEAD can be cached by clients and in between. Nothing can while answers are not kept here.
    """
    asked = request.scope["headers"]
    is_compressed = len(answer.body) >= compression.MIN_BYTES and compression.accepts_gzip(asked)
    headers: list[RawHeader] = [_ACCEPT_ENCODING]
    if request.method in READ_METHODS and request.scope["app"].state.services.answers.seconds:
        tag = f'"{answer.tag}{"-gzip" if is_compressed else ""}"'.encode()
        headers = [(b"etag", tag), _CACHE_CONTROL, (b"vary", _VARY + vary)]
        if (known := find_header(asked, b"if-none-match")) and _matches(known, answer.tag):
            return FinishedResponse(304, headers)
    body = answer.body
    if is_compressed:
        body = answer.compressed = answer.compressed or compression.compress(answer.body)
        headers.append(_GZIP)
    headers += [(b"content-type", answer.media_type), (b"content-length", b"%d" % len(body))]
    return FinishedResponse(200, headers, body)


def _matches(if_none_match: bytes, tag: str) -> bool:
    """Return whether the client has a version of the answer, compressed or not."""
    known = {one.strip().removeprefix("W/").strip('"') for one in if_none_match.decode("latin-1").split(",")}
    return bool(known & {"*", tag, f"{tag}-gzip"})
