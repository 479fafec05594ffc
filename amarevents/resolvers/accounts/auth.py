"""Logging in and out, and the identity of the caller (decisions 2.3, 8.1)."""

import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import User
from amarevents.models.enums import AccountType, KeyType
from amarevents.resolvers.accounts.email_confirmation import renew_confirmation_email
from amarevents.resolvers.accounts.signup import AccountView
from amarevents.resolvers.core.inputs import Input, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.text_types import ShortText
from amarevents.security.auth import sessions
from amarevents.security.context import Context
from amarevents.security.policy import ANONYMOUS, PUBLIC, USERS, Principal, Scope, allow
from amarevents.security.rate_limit.quotas import AddressLimit, failed_login_quota, key_limit
from amarevents.settings import Settings


class AuthMethod(StrEnum):
    """How a request was authenticated."""

    SESSION = "session"
    """By the session cookie that logging in sets."""
    API_KEY = "api_key"
    """By an API key."""


@dataclass(slots=True, kw_only=True)
class AuthView:
    """The authentication of the current request."""

    method: AuthMethod
    """Whether the request was authenticated by a session or by an API key."""
    key_id: RecordId | None
    """The ID of the API key; null for a session."""
    key_type: KeyType
    """The type of the API key; for a session, the strongest type that the account may use."""
    permissions: list[Scope]
    """The permissions of the API key or session."""
    rate_limit: int | None
    """The number of requests per minute that are allowed; null if it is unlimited."""

    @classmethod
    def from_principal(cls, principal: Principal, settings: Settings) -> Self:
        """Return the view of how a principal was authenticated."""
        return cls(
            method=AuthMethod.API_KEY if principal.is_key else AuthMethod.SESSION,
            key_id=None if principal.key_id is None else RecordId(principal.key_id),
            key_type=principal.highest_key_type,
            permissions=list(principal.permissions),
            rate_limit=key_limit(principal.highest_key_type, settings) or None,
        )


@dataclass(slots=True, kw_only=True)
class IdentityView:
    """The account that the current session or API key belongs to."""

    id: RecordId
    """The ID of the account."""
    username: str
    """The username, 3 to 50 characters long."""
    email: str
    """The email address, in lower case."""
    type: AccountType
    """Whether the account can only register for events or also publish them."""
    admin: bool
    """Whether the account is an admin."""
    auth: AuthView
    """How the request was authenticated."""


@dataclass(slots=True, kw_only=True)
class LogoutView:
    """The result of logging out."""

    logged_out: bool
    """Always true, even if there was no session."""


class Login(Input):
    """The credentials of an account."""

    email: ShortText
    """The email address of the account, regardless of case."""
    password: ShortText
    """The password of the account."""


@operation(PUBLIC, address_limit=AddressLimit.CREDENTIALS, raises=(errors.InvalidCredentials, errors.BadRequest))
async def login(ctx: Context, data: Login) -> AccountView:
    """Log in with an email address and a password. The response sets a session cookie."""
    ctx.require_cookies()
    user = await _verify(ctx, data)
    await renew_confirmation_email(ctx, user)
    while not await _start_session(ctx, user, data.password):
        user = await _verify(ctx, data)
    return AccountView.from_model(user)


async def _start_session(ctx: Context, user: User, password: str) -> bool:
    """Start a session, unless the password hash has changed since it was verified; return whether it was started.

    A concurrent change of the password therefore either prevents the session or ends it (decisions 2.3).
    """
    hasher = ctx.services.hasher
    renewed = await hasher.hash(password) if hasher.is_outdated(user.password_hash) else user.password_hash
    async with in_transaction():
        verified = User.filter(id=user.id, password_hash=user.password_hash)
        if not await verified.update(password_hash=renewed):
            return False
        await _end_sessions(ctx)
        ctx.started_session = await sessions.start_session(user.id, days=ctx.services.settings.session_days)
    return True


async def _verify(ctx: Context, data: Login) -> User:
    email = unicodedata.normalize("NFKC", data.email).lower()
    async with password_attempt(ctx, email):
        user = await User.get_or_none(email=email)
        if not await ctx.services.hasher.verify(data.password, user.password_hash if user else None) or user is None:
            raise errors.InvalidCredentials
    return user


@asynccontextmanager
async def password_attempt(ctx: Context, email: str) -> AsyncIterator[None]:
    """Count an attempt to enter an account's password as a failed login, unless the block succeeds (decisions 3.4).

    It is counted before the block and refunded afterwards, so that concurrent attempts cannot exceed the limit. Raises
    RateLimited.
    """
    quota = failed_login_quota(email, ctx.services.settings)
    attempt = await ctx.services.limiter.charge(quota)
    if not attempt.allowed:
        raise errors.RateLimited(attempt.retry_after)
    yield
    await ctx.services.limiter.release(quota, attempt)


@operation(PUBLIC)
async def logout(ctx: Context) -> LogoutView:
    """Log out: end the current session, if there is one."""
    await _end_sessions(ctx)
    if not ctx.principal.is_key:
        ctx.session_ended = True
        ctx.principal = ANONYMOUS  # for further operations of the same request
    return LogoutView(logged_out=True)


async def _end_sessions(ctx: Context) -> None:
    """End the session of the request, and one that an earlier mutation of the same request has started."""
    if ctx.principal.session_id is not None:
        await sessions.end_session(ctx.principal.session_id)
    if ctx.started_session is not None:
        await sessions.end_started_session(ctx.started_session)
        ctx.started_session = None


@operation(allow(*USERS, scope=None))
async def me(ctx: Context) -> IdentityView:
    """Get the account of the current session or API key, and its permissions."""
    account = ctx.principal.require_account()
    return IdentityView(
        id=RecordId(account.id),
        username=account.username,
        email=account.email,
        type=account.type,
        admin=account.admin,
        auth=AuthView.from_principal(ctx.principal, ctx.services.settings),
    )
