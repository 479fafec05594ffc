"""Reading the credential of a request from its headers (decisions 2.1)."""

from collections.abc import Sequence

from starlette.requests import cookie_parser

from amarevents import errors
from amarevents.security.auth import api_keys, sessions
from amarevents.security.auth.principals import Credential, SessionToken


def read_credential(authorization: Sequence[str], cookie: str | None) -> Credential:
    """Return the API key of the Authorization header or, if there is no such header, the session of the cookie.

    A request with an Authorization header never falls back to its cookie. Raises InvalidApiKey if the header is
    repeated or contains no well-formed key.
    """
    if authorization:
        scheme, _, token = authorization[0].strip().partition(" ")
        if scheme.lower() != "bearer" or len(authorization) > 1:
            raise errors.InvalidApiKey("Send the API key as 'Authorization: Bearer <API key>'")
        return api_keys.parse_key(token.strip())
    # Starlette's parser reads cookies as browsers write them. http.cookies.SimpleCookie discards the whole header if
    # one cookie is malformed.
    value = cookie_parser(cookie or "").get(sessions.COOKIE_NAME)
    return SessionToken(value) if value else None
