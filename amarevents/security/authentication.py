"""From a request's headers to a principal (decisions 2.1)."""

from collections.abc import Sequence

from starlette.requests import cookie_parser

from amarevents import errors
from amarevents.models import ApiKey
from amarevents.models.fields import utc_now
from amarevents.security import keys, sessions
from amarevents.security.accounts import account_of
from amarevents.security.credentials import Credential, SessionToken
from amarevents.security.policy import ANONYMOUS, Principal, key_principal, session_principal


def read_credential(authorization: Sequence[str], cookie: str | None) -> Credential:
    """What the request shows: with an Authorization header (there may be one) it is judged by that alone.

    Raises InvalidApiKey where the header holds no well-formed key.
    """
    if authorization:
        scheme, _, token = authorization[0].strip().partition(" ")
        if scheme.lower() != "bearer" or len(authorization) > 1:
            raise errors.InvalidApiKey("Send the API key as 'Authorization: Bearer <API key>'")
        return keys.parse(token.strip())
    # As browsers write it: http.cookies.SimpleCookie drops all of the header where another cookie in it is odd.
    value = cookie_parser(cookie or "").get(sessions.COOKIE_NAME)
    return SessionToken(value) if value else None


async def identify(credential: Credential) -> Principal:
    """The principal behind a credential. An unknown or expired session is nobody; a key that is not good is an error.

    Raises InvalidApiKey, ApiKeyRevoked, ApiKeySuspended or ApiKeyExpired (401) and RoleLost (403).
    """
    if credential is None:
        return ANONYMOUS
    if isinstance(credential, keys.ParsedKey):
        return await _identify_key(credential)
    session = await sessions.find_session(credential.value)
    return session_principal(account_of(session.user), session.id) if session else ANONYMOUS


async def _identify_key(parsed: keys.ParsedKey) -> Principal:
    key = await ApiKey.get_or_none(digest=parsed.digest).select_related("user")
    if key is None:
        raise errors.InvalidApiKey
    if key.revoked_at is not None:
        raise errors.ApiKeyRevoked
    if not key.is_active:
        raise errors.ApiKeySuspended
    if key.expires_at is not None and key.expires_at <= utc_now():
        raise errors.ApiKeyExpired
    return key_principal(account_of(key.user), key.id, key.key_type, key.permissions, key.expires_at)
