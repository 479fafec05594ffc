"""The principal that a credential identifies at this moment (decisions 2.1, 2.4)."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import orjson

from amarevents import errors
from amarevents.models import User
from amarevents.models.columns import utc_now
from amarevents.models.db.sql import Row, fetch, sql
from amarevents.models.enums import AccountType, KeyType
from amarevents.security.auth.api_keys import ParsedKey
from amarevents.security.auth.sessions import SessionId
from amarevents.security.policy import ANONYMOUS, Account, Principal, key_principal, session_principal

_ACCOUNT = """users.id, users.username, users.email, users.number, users.type, users.admin,
    users.email_confirmed_at IS NOT NULL"""

_KEY = f"""
    SELECT {_ACCOUNT}, api_keys.id, api_keys.key_type, api_keys.permissions, api_keys.expires_at, api_keys.is_active,
        api_keys.revoked_at IS NOT NULL
    FROM api_keys JOIN users ON users.id = api_keys.user_id WHERE api_keys.digest = ?
"""  # noqa: S608 - only names of columns

_SESSION = f"""
    SELECT {_ACCOUNT}, sessions.id, sessions.expires_at
    FROM sessions JOIN users ON users.id = sessions.user_id WHERE sessions.digest = ? AND sessions.expires_at > ?
"""  # noqa: S608 - as above

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
        rows = await fetch(sql(_KEY, credential.digest))
        if not rows:
            raise errors.InvalidApiKey
        return _identity_of_key(_account(rows[0]), rows[0][7:])
    rows = await fetch(sql(_SESSION, credential.digest, utc_now()))
    if rows:
        account, (session_id, expires_at) = _account(rows[0]), rows[0][7:]
        return Identity(account, _instant(expires_at), partial(session_principal, account, session_id))
    if credential.in_cookie:
        return None
    raise errors.InvalidSession


def _account(row: Row) -> Account:
    account_id, username, email, number, account_type, admin, email_confirmed, *_ = row
    return Account(
        id=account_id,
        username=username,
        email=email,
        number=number,
        type=AccountType(account_type),
        admin=bool(admin),
        email_confirmed=bool(email_confirmed),
    )


def _identity_of_key(account: Account, key: Row) -> Identity:
    key_id, key_type, permissions, expiry, is_active, is_revoked = key
    expires_at = _instant(expiry)

    def principal() -> Principal:
        if is_revoked:
            raise errors.ApiKeyRevoked
        if not is_active:
            raise errors.ApiKeySuspended
        if expires_at is not None and expires_at <= utc_now():
            raise errors.ApiKeyExpired
        return key_principal(account, key_id, KeyType(key_type), orjson.loads(permissions), expires_at)

    return Identity(account, expires_at, principal)


def _instant(value: datetime.datetime | str | None) -> datetime.datetime | None:
    """Return an instant as the driver returns it; SQLite stores it as text."""
    return datetime.datetime.fromisoformat(value) if isinstance(value, str) else value


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
