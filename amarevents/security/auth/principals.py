"""The principal that a credential identifies at this moment (decisions 2.1, 2.4)."""

from amarevents import errors
from amarevents.models import ApiKey, User
from amarevents.models.columns import utc_now
from amarevents.security.auth import api_keys, sessions
from amarevents.security.policy import ANONYMOUS, Account, Principal, key_principal, session_principal

Credential = api_keys.ParsedKey | sessions.SessionId | None
"""The credential of a request; ``None`` for an anonymous request."""


async def identify(credential: Credential) -> Principal:
    """Return the principal of a credential. The cookie of an unknown or expired session is anonymous.

    Raises InvalidApiKey, ApiKeyRevoked, ApiKeySuspended, ApiKeyExpired or InvalidSession (401) and RoleLost (403).
    """
    if credential is None:
        return ANONYMOUS
    if isinstance(credential, api_keys.ParsedKey):
        return await _identify_key(credential)
    session = await sessions.find_session(credential)
    if session is not None:
        return session_principal(account_of(session.user), session.id)
    if credential.in_cookie:
        return ANONYMOUS
    raise errors.InvalidSession


async def _identify_key(parsed: api_keys.ParsedKey) -> Principal:
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


def account_of(user: User) -> Account:
    """Return the part of a user that policies need."""
    return Account(
        id=user.id,
        username=user.username,
        email=user.email,
        number=user.number,
        type=user.type,
        admin=user.admin,
        email_confirmed=user.email_confirmed_at is not None,
    )
