"""What the answers of the API have in common on their way out: CORS headers, and compression."""

from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from amarevents.security import compression, cors
from amarevents.security.headers import RawHeader, add_vary, set_header

_METHODS = ("GET", "HEAD")


def complete(response: Response, scope: Scope, allowed_origins: Set[str]) -> None:
    """Add the CORS headers to a response, and compress it if the client accepts that and no secret can leak."""
    cors.add_cors_headers(response.raw_headers, scope, allowed_origins)
    if len(response.body) >= compression.MIN_BYTES and compression.is_compressible(response.raw_headers):
        _compress(response, scope["headers"], allowed_origins)


def _compress(response: Response, request_headers: list[RawHeader], allowed_origins: Set[str]) -> None:
    """Compress a response if the client accepts that; otherwise only say that others may get it compressed."""
    if not compression.is_safe(request_headers, allowed_origins):
        return
    add_vary(response.raw_headers, b"Accept-Encoding")
    if compression.accepts_gzip(request_headers):
        response.body = compression.compress(bytes(response.body))
        set_header(response.raw_headers, b"content-length", b"%d" % len(response.body))
        response.raw_headers.append((b"content-encoding", b"gzip"))


def _not_allowed() -> Response:
    return Response("Method Not Allowed", 405, {"Allow": ", ".join(_METHODS)}, "text/plain")


@dataclass(frozen=True, slots=True)
class OpenEndpoint:
    """The ASGI application of an endpoint without authentication, whose answers pages of any origin may read."""

    endpoint: Callable[[Request], Awaitable[Response]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = scope["app"].state.services.settings.allowed_origins
        if cors.is_preflight(scope):
            response = cors.preflight_response(scope, allowed)
        else:
            request = Request(scope, receive)
            response = await self.endpoint(request) if request.method in _METHODS else _not_allowed()
            complete(response, scope, allowed)
        await response(scope, receive, send)
