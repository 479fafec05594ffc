"""Reading the credential of a request from its headers, or from the first message of a WebSocket (decisions 2.1)."""

import re
from collections.abc import Iterable, Mapping, Sequence

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from amarevents import errors
from amarevents.security.auth import api_keys, sessions
from amarevents.security.auth.principals import Credential

_EXAMPLE = "'Authorization: Bearer <API key>'"
_KNOWN_NAMES = frozenset({"authorization", "authtoken", "xapikey"})
_HEADERS = frozenset({b"authorization", b"x-api-key", b"cookie"})
_BEARER = re.compile(r"^\s*bearer(?:\s+|\s*$)", re.IGNORECASE)
# Names and values in the first message of a WebSocket that are not ignored, because a credential seems to be in them.
_SECRET_NAME = re.compile(r"auth|token|credential|password|secret|session|bearer|cookie|jwt|key$")
_HARMLESS_NAME = re.compile(r"csrf|xsrf")
_SECRET_VALUE = re.compile(r"\s*(?:bearer\s|basic\s|ae_[a-z]_)", re.IGNORECASE)


def read_credential(headers: Headers) -> Credential:
    """Return the API key or session of the Authorization or X-API-Key header, else the session of the cookie.

    A request with one of these headers never falls back to its cookie. Raises InvalidApiKey or InvalidSession if a
    header is repeated, contains nothing well-formed, or if the two differ.
    """
    given = [(name, value.decode("latin-1")) for name, value in headers.raw if name in _HEADERS]
    if not given:
        return None
    authorization = [value for name, value in given if name == b"authorization"]
    api_key = [value for name, value in given if name == b"x-api-key"]
    if len(authorization) > 1 or len(api_key) > 1:
        raise errors.InvalidApiKey(f"Send the API key once, as {_EXAMPLE}")
    if any(value.strip().partition(" ")[0].lower() != "bearer" for value in authorization):
        raise errors.InvalidApiKey(f"Send the API key as {_EXAMPLE}")
    if authorization or api_key:
        return _parse([*authorization, *api_key])
    # Starlette's parser reads cookies as browsers write them. http.cookies.SimpleCookie discards the whole header if
    # one cookie is malformed.
    value = cookie_parser(given[0][1]).get(sessions.COOKIE_NAME)
    return sessions.SessionId(value, in_cookie=True) if value else None


def read_connection_params(payload: Mapping[str, object]) -> Credential:
    """Return the API key or session in the first message of a WebSocket, None if it contains no credential.

    Clients send it as ``Authorization``, ``authToken`` or ``X-API-Key``, in any case, with or without ``Bearer``, and
    possibly inside ``headers``. Raises InvalidApiKey or InvalidSession if it is not valid, and if the payload seems to
    contain a credential in another form: a caller must not be anonymous without knowing it.
    """
    given: list[str] = []
    for name, value in _fields(payload):
        if _plain(name) not in _KNOWN_NAMES:
            _require_harmless(name, value)
        elif isinstance(value, str):
            given.append(value)
        else:
            raise errors.InvalidApiKey(f"{name} must be a string; leave it out to connect without a credential")
    return _parse(given) if given else None


def _fields(payload: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    """Yield the fields of the payload and those of its object ``headers``."""
    for name, value in payload.items():
        if name.lower() == "headers" and isinstance(value, dict):
            yield from value.items()
        elif name.lower() == "headers" and value is not None:
            raise errors.InvalidApiKey("headers must be an object")
        else:
            yield name, value


def _require_harmless(name: str, value: object) -> None:
    """Raise InvalidApiKey if a name or a text in the value seems to be that of a credential."""
    pending = [(name, value)]
    while pending:
        key, found = pending.pop()
        is_secret_name = _SECRET_NAME.search(_plain(key)) and not _HARMLESS_NAME.search(_plain(key))
        if is_secret_name or (isinstance(found, str) and _SECRET_VALUE.match(found)):
            raise errors.InvalidApiKey(f"Send the API key as {_EXAMPLE}; {name[:40]} is not understood")
        if isinstance(found, dict):
            pending.extend(found.items())
        elif isinstance(found, list):
            pending.extend(("", item) for item in found)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _parse(values: Sequence[str]) -> Credential:
    """Return what values with or without ``Bearer`` contain. Raises InvalidApiKey if they differ."""
    texts = {_BEARER.sub("", value, count=1).strip() for value in values}
    if len(texts) > 1:
        raise errors.InvalidApiKey("Send only one API key; the request has several that differ")
    text = texts.pop()
    return sessions.parse_token(text) if text.startswith(sessions.TOKEN_PREFIX) else api_keys.parse_key(text)
