"""Registering, logging in and out, and who one is."""

import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import User
from amarevents.models.columns import NAME_LENGTH
from amarevents.models.db.connection import violates
from amarevents.models.enums import AccountType, KeyType
from amarevents.resolvers.accounts.email_confirmation import enqueue_confirmation_email, renew_confirmation_email
from amarevents.resolvers.core.inputs import (
    DateTime,
    Email,
    Input,
    Password,
    Phone,
    RecordId,
    ShortText,
    Username,
    email_for_lookup,
)
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.search import search_text
from amarevents.security.auth import sessions
from amarevents.security.context import Context
from amarevents.security.policy import ANONYMOUS, PUBLIC, USERS, Principal, Scope, allow
from amarevents.security.rate_limit.quotas import AddressLimit, failed_login_quota, key_limit
from amarevents.settings import Settings


@dataclass(slots=True, kw_only=True)
class AccountView:
    """An account, as its owner sees it (decisions 8.1)."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    username: str
    """The account's name, of 3 to 50 characters; no two differ in case alone."""
    email: str
    """An email address; upper and lower case mean the same."""
    number: str
    """A phone number, with or without the country code."""
    type: AccountType
    """Whether the account is a user's or an organizer's."""
    admin: bool
    """Whether the account is an admin."""
    pfp: str | None
    """The http or https address of the account's picture."""
    country: str | None
    """The country that the account names as its own."""
    created_at: DateTime
    """When it was created, in UTC."""


class AuthMethod(StrEnum):
    SESSION = "session"
    """A login, by its cookie."""
    API_KEY = "api_key"
    """An API key."""


@dataclass(slots=True, kw_only=True)
class AuthView:
    """How the caller has authenticated; ``rate_limit`` is in requests a minute, null = unlimited."""

    method: AuthMethod
    """Whether a session or an API key was sent."""
    key_id: RecordId | None
    """The id of the API key; null for a session."""
    key_type: KeyType
    """What the key may be used for at most."""
    permissions: list[Scope]
    """What the key may do."""
    rate_limit: int | None
    """How many requests a minute it may send; null is unlimited."""


@dataclass(slots=True, kw_only=True)
class IdentityView:
    """The account behind the current key or session (decisions 8.1)."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    username: str
    """The account's name, of 3 to 50 characters; no two differ in case alone."""
    email: str
    """An email address; upper and lower case mean the same."""
    type: AccountType
    """Whether the account is a user's or an organizer's."""
    admin: bool
    """Whether the account is an admin."""
    auth: AuthView
    """How the request has authenticated."""


@dataclass(slots=True, kw_only=True)
class LogoutView:
    """The result of logging out."""

    logged_out: bool
    """Always true, even if there was no session."""


def account_view(user: User) -> AccountView:
    return AccountView(**account_fields(user))


def account_fields(user: User) -> dict[str, Any]:  # Any: each field's own type
    """The fields of AccountView."""
    return {
        "id": RecordId(user.id),
        "username": user.username,
        "email": user.email,
        "number": user.number,
        "type": user.type,
        "admin": user.admin,
        "pfp": user.pfp,
        "country": user.country,
        "created_at": user.created_at,
    }


# What is drawn as nothing; all of it may be typed, joiners are part of Bangla spelling.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def username_key(username: str) -> str:
    """What makes usernames unique: neither case nor another way of writing the same letters (decisions 8.2)."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", username)).casefold()
    return unicodedata.normalize("NFKC", plain)


def _require_bounded_key(username: str) -> str:
    """Some characters become many when they are spelled out."""
    if not 0 < len(username_key(username)) <= NAME_LENGTH:
        raise ValueError("must be spelled with ordinary letters")
    return username


AccountName = Annotated[Username, AfterValidator(_require_bounded_key)]


class Register(Input):
    """A new account."""

    username: AccountName
    """The account's name, of 3 to 50 characters; no two differ in case alone."""
    email: Email
    """An email address; upper and lower case mean the same."""
    password: Password
    """A password of 6 to 128 characters."""
    number: Phone
    """A phone number, with or without the country code."""


@operation(
    PUBLIC,
    creates=True,
    changes=(User,),
    address_limit=AddressLimit.CREDENTIALS,
    raises=(errors.UsernameTaken, errors.EmailTaken),
)
async def register(ctx: Context, data: Register) -> AccountView:
    """Create a user account, and mail it a link that confirms its email where emails are confirmed."""
    await _require_free(data)
    password_hash = await ctx.services.hasher.hash(data.password)
    async with in_transaction():
        user = await create_account(data, password_hash=password_hash)
        await enqueue_confirmation_email(ctx, user)
    ctx.created_account_id = user.id
    return account_view(user)


async def _require_free(data: Register) -> None:
    """Spares the hash where the answer is known; the unique indexes decide between two at once."""
    if await User.exists(username_key=username_key(data.username)):
        raise errors.UsernameTaken
    if await User.exists(email=data.email):
        raise errors.EmailTaken


async def create_account(data: Register, *, password_hash: str, admin: bool = False) -> User:
    """Raises UsernameTaken or EmailTaken."""
    with unique_account():
        return await User.create(
            username=data.username,
            username_key=username_key(data.username),
            email=data.email,
            number=data.number,
            password_hash=password_hash,
            admin=admin,
            search_text=search_text(data.username, data.email, data.number),
        )


@contextmanager
def unique_account() -> Iterator[None]:
    """Around a write of an account. Raises UsernameTaken or EmailTaken."""
    try:
        yield
    except IntegrityError as error:
        if violates(error, "username_key"):
            raise errors.UsernameTaken from error
        if violates(error, "email"):
            raise errors.EmailTaken from error
        raise


class Login(Input):
    """The credentials of an account."""

    email: ShortText
    """An email address; upper and lower case mean the same."""
    password: ShortText
    """A password of 6 to 128 characters."""


@operation(PUBLIC, address_limit=AddressLimit.CREDENTIALS, raises=(errors.InvalidCredentials, errors.BadRequest))
async def login(ctx: Context, data: Login) -> AccountView:
    """Start a session: the answer sets its cookie, under a new id."""
    ctx.require_cookies()
    user = await _verify(ctx, data)
    await renew_confirmation_email(ctx, user)
    while not await _start_session(ctx, user, data.password):
        user = await _verify(ctx, data)
    return account_view(user)


async def _start_session(ctx: Context, user: User, password: str) -> bool:
    """False where the password's hash is no longer the one that has been verified: changed, renewed or deleted.

    Whoever changes the password comes before this or ends the session after it (decisions 2.3).
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
    email = email_for_lookup(data.email)
    async with counted_attempt(ctx, email):
        user = await User.get_or_none(email=email)
        if not await ctx.services.hasher.verify(data.password, user.password_hash if user else None) or user is None:
            raise errors.InvalidCredentials
    return user


@asynccontextmanager
async def counted_attempt(ctx: Context, email: str) -> AsyncIterator[None]:
    """Around a check of an account's password: what fails counts as a failed login (decisions 3.4).

    Counted first, so that a hundred at once are no more than the limit; a good one gives it back. Raises RateLimited.
    """
    quota = failed_login_quota(email, ctx.services.settings)
    attempt = await ctx.services.limiter.charge(quota)
    if not attempt.allowed:
        raise errors.RateLimited(attempt.retry_after)
    yield
    await ctx.services.limiter.release(quota, attempt)


@operation(PUBLIC)
async def logout(ctx: Context) -> LogoutView:
    """End the session, if there is one."""
    await _end_sessions(ctx)
    if not ctx.principal.is_key:
        ctx.session_ended = True
        ctx.principal = ANONYMOUS  # whatever else this request asks for
    return LogoutView(logged_out=True)


async def _end_sessions(ctx: Context) -> None:
    """The session of this request, and one that an earlier mutation of it has started."""
    if ctx.principal.session_id is not None:
        await sessions.end_session(ctx.principal.session_id)
    if ctx.started_session is not None:
        await sessions.end_started_session(ctx.started_session)
        ctx.started_session = None


@operation(allow(*USERS, scope=None))
async def me(ctx: Context) -> IdentityView:
    """The account behind this key or session, and what it may do."""
    account = ctx.principal.require_account()
    return IdentityView(
        id=RecordId(account.id),
        username=account.username,
        email=account.email,
        type=account.type,
        admin=account.admin,
        auth=_auth_view(ctx.principal, ctx.services.settings),
    )


def _auth_view(principal: Principal, settings: Settings) -> AuthView:
    return AuthView(
        method=AuthMethod.API_KEY if principal.is_key else AuthMethod.SESSION,
        key_id=None if principal.key_id is None else RecordId(principal.key_id),
        key_type=principal.highest_key_type,
        permissions=list(principal.permissions),
        rate_limit=key_limit(principal.highest_key_type, settings) or None,
    )
