"""Compression of JSON responses with gzip, for clients that accept it.

The size of a compressed response can reveal a secret in it to an attacker who watches the encrypted connection and
makes a browser send requests with guesses (the BREACH attack). Therefore a response is not compressed if

- it has ``no-transform``, as responses that reveal an API key or a session token have, and event streams;
- the request has a session cookie, and no header says that a page of this origin or of an allowed one has sent it.
"""

import re
import zlib
from collections.abc import Iterable, Set
from functools import lru_cache

from starlette.requests import cookie_parser

from amarevents.security.auth.sessions import COOKIE_NAME
from amarevents.security.headers import RawHeader, find_header
from amarevents.settings.types import normalize_origin

MIN_BYTES = 1_024
"""Smaller responses are sent as they are."""

_LEVEL = 6
_GZIP_FORMAT = 16 + zlib.MAX_WBITS
# Matches gzip unless its weight is 0, which refuses it.
_GZIP = re.compile(r"\bgzip\b(?!;q=0(\.0*)?(,|$))")
_JSON = frozenset({b"application/json", b"application/graphql-response+json"})
_CREDENTIALS = frozenset({b"authorization", b"x-api-key"})  # no other site can make a browser send them
_OWN_SITE = frozenset({b"same-origin", b"none"})  # "none": the user has typed the address, for example


def accepts_gzip(request_headers: Iterable[RawHeader]) -> bool:
    """Return whether the Accept-Encoding header of a request allows gzip."""
    return _allows_gzip(find_header(request_headers, b"accept-encoding"))


@lru_cache(maxsize=256)
def _allows_gzip(accept_encoding: bytes) -> bool:
    return _GZIP.search(accept_encoding.decode("latin-1").replace(" ", "").lower()) is not None


def compress(body: bytes) -> bytes:
    """Return the body in the gzip format, the same each time."""
    compressor = zlib.compressobj(_LEVEL, wbits=_GZIP_FORMAT)
    return compressor.compress(body) + compressor.flush()


def is_compressible(headers: Iterable[RawHeader]) -> bool:
    """Return whether a response with these headers is JSON that may be compressed and is not yet."""
    media_type = find_header(headers, b"content-type").partition(b";")[0].strip()
    if media_type not in _JSON or find_header(headers, b"content-encoding"):
        return False
    return b"no-transform" not in find_header(headers, b"cache-control")


def is_safe(request_headers: list[RawHeader], allowed_origins: Set[str]) -> bool:
    """Return whether no other site can have made a browser send this request with a session cookie."""
    cookie = find_header(request_headers, b"cookie").decode("latin-1")
    if not cookie or not cookie_parser(cookie).get(COOKIE_NAME):
        return True
    if any(name in _CREDENTIALS for name, _ in request_headers):
        return True
    origin = find_header(request_headers, b"origin").decode("latin-1")
    is_own = find_header(request_headers, b"sec-fetch-site") in _OWN_SITE
    return is_own or normalize_origin(origin) in allowed_origins
