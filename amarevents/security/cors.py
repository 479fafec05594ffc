"""Cross-origin resource sharing: which pages of other origins may read the answers of the API (decisions 2.3b).

Any origin may read answers to anonymous requests and to those with an API key or a token: browsers do not show a page
the answer to a request with a cookie unless it allows credentials, and only the answers to allowed origins do.
"""

from collections.abc import Set

from starlette.responses import Response
from starlette.types import Scope

from amarevents.security.headers import RawHeader, add_vary, find_header
from amarevents.settings.types import normalize_origin

_METHOD = b"access-control-request-method"
_HEADERS = b"access-control-request-headers"
# PATCH is not supported, but a page must be able to read the error that says so.
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_PREFLIGHT_SECONDS = b"7200"  # the most that browsers accept
_EXPOSED = b", ".join(
    (
        *(b"X-RateLimit-Limit", b"X-RateLimit-Remaining", b"X-RateLimit-Reset", b"X-RateLimit-Type", b"Retry-After"),
        *(b"X-Request-ID", b"ETag", b"Idempotency-Replayed", b"Allow", b"WWW-Authenticate"),
    )
)
_EXPOSE_HEADERS = (b"access-control-expose-headers", _EXPOSED)
_ALLOW_ANY = (b"access-control-allow-origin", b"*")
_ALLOW_CREDENTIALS = (b"access-control-allow-credentials", b"true")


def is_preflight(scope: Scope) -> bool:
    """Return whether a browser asks whether it may send a request."""
    return scope["method"] == "OPTIONS" and bool(find_header(scope["headers"], _METHOD))


def preflight_response(scope: Scope, allowed: Set[str]) -> Response:
    """Return the answer to a preflight request, which allows all headers that it asks for."""
    response = Response(status_code=204)
    headers = response.raw_headers
    _allow_origin(headers, scope, allowed)
    headers += [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _PREFLIGHT_SECONDS)]
    add_vary(headers, b"Access-Control-Request-Headers")
    if requested := find_header(scope["headers"], _HEADERS):
        headers.append((b"access-control-allow-headers", requested))
    return response


def add_cors_headers(headers: list[RawHeader], scope: Scope, allowed: Set[str]) -> None:
    """Add the CORS headers to those of an answer."""
    _allow_origin(headers, scope, allowed)
    headers.append(_EXPOSE_HEADERS)


def _allow_origin(headers: list[RawHeader], scope: Scope, allowed: Set[str]) -> None:
    """Allow every origin to read the answer, and those of the settings to send their cookies as well."""
    if not allowed:
        headers.append(_ALLOW_ANY)
        return
    origin = find_header(scope["headers"], b"origin")
    if normalize_origin(origin.decode("latin-1")) in allowed:
        headers += [(b"access-control-allow-origin", origin), _ALLOW_CREDENTIALS]
    else:
        headers.append(_ALLOW_ANY)
    add_vary(headers, b"Origin")
