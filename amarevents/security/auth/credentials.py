"""What a request shows of who it comes from (decisions 2.1)."""

from collections.abc import Sequence

from starlette.requests import cookie_parser

from amarevents import errors
from amarevents.security.auth import api_keys, sessions
from amarevents.security.auth.principals import Credential, SessionToken


def read_credential(authorization: Sequence[str], cookie: str | None) -> Credential:
    """What the request shows: with an Authorization header (there may be one) it is judged by that alone.

    Raises InvalidApiKey where the header holds no well-formed key.
    """
    if authorization:
        scheme, _, token = authorization[0].strip().partition(" ")
        if scheme.lower() != "bearer" or len(authorization) > 1:
            raise errors.InvalidApiKey("Send the API key as 'Authorization: Bearer <API key>'")
        return api_keys.parse_key(token.strip())
    # As browsers write it: http.cookies.SimpleCookie drops all of the header where another cookie in it is odd.
    value = cookie_parser(cookie or "").get(sessions.COOKIE_NAME)
    return SessionToken(value) if value else None
