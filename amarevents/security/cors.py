"""Cross-origin resource sharing: which pages of other origins may read the answers of the API (decisions 2.3b)."""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amarevents.security.middleware import services_of
from amarevents.settings.types import normalize_origin

_API = frozenset({"api", "graphql", "openapi.json"})
# PATCH is not supported, but a page must be able to read the error that says so.
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_PREFLIGHT_SECONDS = "7200"  # the most that browsers accept
_EXPOSED = ", ".join(
    (
        *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Type", "Retry-After"),
        *("X-Request-ID", "ETag", "Idempotency-Replayed", "Allow", "WWW-Authenticate"),
    )
)


@dataclass(frozen=True, slots=True)
class CorsMiddleware:
    """ASGI middleware that answers preflight requests, free of charge, and adds the CORS headers to all other answers.

    Any origin may read answers to anonymous requests and to those with an API key or a token: browsers do not show a
    page the answer to a request with a cookie unless it allows credentials, and only the answers to allowed origins do.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].removeprefix("/").partition("/")[0] not in _API:
            await self.app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await _preflight_response(scope)(scope, receive, send)
        else:
            await self.app(scope, receive, _with_cors_headers(scope, send))


def _preflight_response(scope: Scope) -> Response:
    """Return the answer to a preflight request, which allows all headers that it asks for."""
    response = Response(status_code=204)
    _allow_origin(scope, response.headers)
    response.headers["Access-Control-Allow-Methods"] = _METHODS
    response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    response.headers.add_vary_header("Access-Control-Request-Headers")
    if requested := Headers(scope=scope).get("access-control-request-headers"):
        response.headers["Access-Control-Allow-Headers"] = requested
    return response


def _with_cors_headers(scope: Scope, send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            _allow_origin(scope, headers)
            headers["Access-Control-Expose-Headers"] = _EXPOSED
        await send(message)

    return send_with_headers


def _allow_origin(scope: Scope, headers: MutableHeaders) -> None:
    """Allow every origin to read the answer, and those of the settings to send their cookies as well."""
    allowed = services_of(scope).settings.allowed_origins
    origin = Headers(scope=scope).get("origin", "")
    if normalize_origin(origin) in allowed:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
    else:
        headers["Access-Control-Allow-Origin"] = "*"
    if allowed:
        headers.add_vary_header("Origin")
