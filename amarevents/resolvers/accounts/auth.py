"""Logging in and out, and the identity of the caller (decisions 2.3, 8.1)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Self

from pydantic import StrictBool
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import User
from amarevents.models.enums import AccountType, KeyType
from amarevents.resolvers.accounts.email_confirmation import renew_confirmation_email
from amarevents.resolvers.accounts.signup import AccountView
from amarevents.resolvers.core.inputs import Input, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.text_types import EnteredPassword, ShortText
from amarevents.resolvers.core.views import extend
from amarevents.security.auth import sessions
from amarevents.security.context import Context
from amarevents.security.policy import ANONYMOUS, PUBLIC, USERS, Principal, Scope, allow
from amarevents.security.rate_limit import Quota, RateLimiter, Verdict
from amarevents.security.rate_limit.quotas import failed_login_quota, failed_password_quota, key_limit
from amarevents.settings import Settings
from amarevents.text import email_key


class AuthMethod(StrEnum):
    """How a request was authenticated."""

    SESSION = "session"
    """By the cookie that logging in sets, or by the token of a session."""
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
        limit = key_limit(principal.highest_key_type, settings) if principal.is_key else settings.rate_limit_session
        return cls(
            method=AuthMethod.API_KEY if principal.is_key else AuthMethod.SESSION,
            key_id=None if principal.key_id is None else RecordId(principal.key_id),
            key_type=principal.highest_key_type,
            permissions=list(principal.permissions),
            rate_limit=limit or None,
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


@dataclass(slots=True, kw_only=True)
class LoggedInAccountView(AccountView):
    """The account that has logged in."""

    token: str | None = None
    """The token of the new session, `ae_s_…`, if `token` was true; it is used like an API key and is shown only once.
    Null otherwise: the session is then in a cookie."""


class Login(Input):
    """The credentials of an account."""

    email: ShortText
    """The email address of the account, regardless of case."""
    password: EnteredPassword
    """The password of the account."""
    token: StrictBool | None = None
    """Whether to return the token of the session instead of setting a cookie, for programs that keep no cookies."""


@operation(PUBLIC, raises=(errors.InvalidCredentials, errors.BadRequest))
async def login(ctx: Context, data: Login) -> LoggedInAccountView:
    """Log in with an email address and a password. The response sets a session cookie, unless `token` is true."""
    if not data.token:
        ctx.require_cookies()
    user = await _verify(ctx, data)
    await renew_confirmation_email(ctx, user)
    while (started := await _start_session(ctx, user, data)) is None:
        user = await _verify(ctx, data)
    ctx.started_session = started
    token = started.token if data.token else None
    ctx.reveals_secret = ctx.reveals_secret or token is not None
    return extend(AccountView.from_model(user), to=partial(LoggedInAccountView, token=token))


async def _start_session(ctx: Context, user: User, data: Login) -> sessions.StartedSession | None:
    """Start a session and end the one that it replaces. Return None if the password has changed since it was verified.

    A concurrent change of the password therefore either prevents the session or ends it (decisions 2.3).
    """
    hasher = ctx.services.hasher
    renewed = await hasher.renew(data.password, user.password_hash)
    async with _ending_sessions(ctx), in_transaction():
        verified = User.filter(id=user.id, password_hash=user.password_hash)
        if not await verified.update(password_hash=renewed):
            return None
        # A token does not replace the cookie of a request, nor a cookie its token.
        if ctx.started_session is not None or bool(data.token) != ctx.has_session_cookie:
            await _end_sessions(ctx)
        days = ctx.services.settings.session_days
        return await sessions.start_session(user.id, days=days, in_cookie=not data.token)


async def _verify(ctx: Context, data: Login) -> User:
    settings = ctx.services.settings
    quotas = [failed_login_quota(ctx.address, settings), failed_password_quota(data.email, settings)]
    async with password_attempt(ctx, quotas):
        user = await User.get_or_none(email_key=email_key(data.email))
        if not await ctx.services.hasher.verify(data.password, user.password_hash if user else None) or user is None:
            raise errors.InvalidCredentials
    return user


@asynccontextmanager
async def password_attempt(ctx: Context, quotas: Sequence[Quota]) -> AsyncIterator[None]:
    """Count an attempt to enter an account's password as a failed one, unless the block succeeds (decisions 3.4).

    It is counted before the block and refunded afterwards, so that concurrent attempts cannot exceed the limits. Raises
    RateLimited.
    """
    limiter = ctx.services.limiter
    async with ctx.services.hasher.turn():
        charged: list[tuple[Quota, Verdict]] = []
        for quota in quotas:
            charged.append((quota, await limiter.charge(quota)))
            if not charged[-1][1].allowed:
                await _release(limiter, charged)
                raise errors.RateLimited(max([(await limiter.usage(quota)).retry_after for quota in quotas]))
        yield
        await _release(limiter, charged)


async def _release(limiter: RateLimiter, charged: Sequence[tuple[Quota, Verdict]]) -> None:
    for quota, verdict in charged:
        await limiter.release(quota, verdict)


@operation(PUBLIC)
async def logout(ctx: Context) -> LogoutView:
    """Log out: end the current session, if there is one."""
    async with _ending_sessions(ctx):
        await _end_sessions(ctx)
    if not ctx.principal.is_key:
        ctx.session_ended = ctx.credential is None or ctx.has_session_cookie
        ctx.credential, ctx.principal = None, ANONYMOUS  # for further operations of the same request
    return LogoutView(logged_out=True)


def _ending_sessions(ctx: Context) -> AbstractAsyncContextManager[None]:
    """Announce that the session of the request ends. No other request can know one that this request has started."""
    account = ctx.principal.account
    if account is None or ctx.principal.session_id is None:
        return nullcontext()
    return ctx.services.principals.changing(account.id)


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
