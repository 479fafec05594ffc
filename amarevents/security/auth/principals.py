"""The principal that a credential identifies at this moment (decisions 2.1, 2.4)."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from amarevents import errors
from amarevents.models import ApiKey, User
from amarevents.models.columns import utc_now
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.auth.sessions import SessionId, find_session
from amarevents.security.policy import ANONYMOUS, Account, Principal, key_principal, session_principal

KnownCredential = ParsedKey | SessionId

Credential = KnownCredential | None
"""The credential of a request; ``None`` for an anonymous request."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The account that a credential belongs to, and when the credential expires."""

    account: Account
    expires_at: datetime.datetime | None
    principal: Callable[[], Principal]
    """Return the principal. Raises what ``identify`` raises for a key that exists."""


async def identify(credential: Credential) -> Principal:
    """Return the principal of a credential. The cookie of an unknown or expired session is anonymous.

    Raises InvalidApiKey, ApiKeyRevoked, ApiKeySuspended, ApiKeyExpired or InvalidSession (401) and RoleLost (403).
    """
    identity = None if credential is None else await find_identity(credential)
    return ANONYMOUS if identity is None else identity.principal()


async def find_identity(credential: KnownCredential) -> Identity | None:
    """Return the identity of a credential, None for the cookie of an unknown or expired session.

    Raises InvalidApiKey and InvalidSession.
    """
    if isinstance(credential, ParsedKey):
        return await _identity_of_key(credential)
    session = await find_session(credential)
    if session is not None:
        account = account_of(session.user)
        return Identity(account, session.expires_at, partial(session_principal, account, session.id))
    if credential.in_cookie:
        return None
    raise errors.InvalidSession


async def _identity_of_key(parsed: ParsedKey) -> Identity:
    key = await ApiKey.get_or_none(digest=parsed.digest).select_related("user")
    if key is None:
        raise errors.InvalidApiKey
    return Identity(account_of(key.user), key.expires_at, partial(_principal_of_key, key))


def _principal_of_key(key: ApiKey) -> Principal:
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
