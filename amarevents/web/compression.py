"""Compression of JSON responses with gzip, for clients that accept it.

The size of a compressed response can reveal a secret in it to an attacker who watches the encrypted connection and
makes a browser send requests with guesses (the BREACH attack). Therefore a response is not compressed if

- it has ``no-transform``, as responses that reveal an API key or a session token have, and event streams;
- the request has a session cookie, and no header says that a page of this origin or of an allowed one has sent it.
"""

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amarevents.security.auth.sessions import COOKIE_NAME
from amarevents.security.middleware import services_of
from amarevents.settings.types import normalize_origin
from amarevents.web.static_files import accepts_gzip

MIN_BYTES = 1_024
"""Smaller responses are sent as they are."""

_LEVEL = 6
_JSON = frozenset({"application/json", "application/graphql-response+json"})
_CREDENTIALS = frozenset({"authorization", "x-api-key"})  # no other site can make a browser send them
_OWN_SITE = frozenset({"same-origin", "none"})  # "none": the user has typed the address, for example


class CompressionMiddleware:
    """ASGI middleware that compresses JSON responses of at least ``MIN_BYTES``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_safe(scope):
            await self._app(scope, receive, send)
        elif accepts_gzip(Headers(scope=scope)):
            await _JsonCompressor(self._app, MIN_BYTES, _LEVEL)(scope, receive, send)
        else:
            await _JsonIdentity(self._app, MIN_BYTES)(scope, receive, send)


def _is_safe(scope: Scope) -> bool:
    """Return whether no other site can have made a browser send this request with a session cookie."""
    headers = Headers(scope=scope)
    if _CREDENTIALS & set(headers.keys()) or not cookie_parser(headers.get("cookie", "")).get(COOKIE_NAME):
        return True
    allowed = services_of(scope).settings.allowed_origins
    return headers.get("sec-fetch-site") in _OWN_SITE or normalize_origin(headers.get("origin", "")) in allowed


class _JsonOnly(IdentityResponder):
    """Leaves all responses except JSON untouched, and JSON that must not be transformed."""

    _is_untouched = False

    async def send_with_compression(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_untouched = not _is_compressible(Headers(raw=message["headers"]))
        if self._is_untouched:
            await self.send(message)
        else:
            await super().send_with_compression(message)


class _JsonIdentity(_JsonOnly):
    """Only adds ``Vary`` to responses that would be compressed for other clients."""


class _JsonCompressor(_JsonOnly, GZipResponder):
    pass


def _is_compressible(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip()
    return media_type in _JSON and "no-transform" not in headers.get("cache-control", "")
