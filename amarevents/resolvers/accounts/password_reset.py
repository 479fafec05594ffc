"""Forgotten passwords: a link sent to the account's email address sets a new one (decisions 2.3c)."""

import datetime
import secrets
from dataclasses import dataclass

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.mail import outbox, templates
from amarevents.models import ApiKey, EmailConfirmation, PasswordReset, Session, User
from amarevents.models.enums import MailKind
from amarevents.resolvers.accounts.updates import delete_reset_links
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.text_types import Email, Password, ShortText
from amarevents.security.auth.api_keys import digest_of
from amarevents.security.context import Context
from amarevents.security.policy import PUBLIC
from amarevents.security.rate_limit.quotas import AddressLimit, failed_password_quota, password_reset_quota
from amarevents.text import email_key

LINK_LIFETIME = datetime.timedelta(hours=1)
_TOKEN_BYTES = 32
_MAX_PURGED = 1_000


@dataclass(slots=True, kw_only=True)
class PasswordResetRequestView:
    """The result of requesting a link."""

    requested: bool
    """Always true, even if no account has the email address."""


class RequestPasswordReset(Input):
    """The account whose password has been forgotten."""

    email: Email
    """The email address of the account, regardless of case."""


@operation(PUBLIC, address_limit=AddressLimit.PASSWORD_RESETS)
async def request_password_reset(ctx: Context, data: RequestPasswordReset) -> PasswordResetRequestView:
    """Email a link that sets a new password, if an account has this email address.

    The link works once and for one hour, and replaces earlier ones. The response does not reveal whether there is such
    an account.
    """
    # In the background, so that the time of the response does not reveal it either.
    ctx.services.background.start(_send_link(ctx, email_key(data.email)))
    return PasswordResetRequestView(requested=True)


async def _send_link(ctx: Context, key: str) -> None:
    user = await User.get_or_none(email_key=key)
    if user is None:
        return
    charge = await ctx.services.limiter.charge(password_reset_quota(key, ctx.services.settings))
    if not charge.allowed:
        return  # the links sent before still work
    async with in_transaction():
        locked = await User.filter(id=user.id, email_key=key).select_for_update().get_or_none()
        if locked is not None:
            await _enqueue_link(ctx, locked)


async def _enqueue_link(ctx: Context, user: User) -> None:
    """Enqueue an email with a new link, and make earlier links invalid."""
    settings = ctx.services.settings
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    content = templates.reset_password(user.username, f"{settings.public_url}/reset-password?token={token}")
    await delete_reset_links(user.id)
    await PasswordReset.create(
        user_id=user.id,
        digest=digest_of(token),
        email=user.email,
        expires_at=ctx.now + LINK_LIFETIME,
        created_at=ctx.now,
    )
    await outbox.enqueue(content, MailKind.RESET_PASSWORD, user.email, settings=settings, now=ctx.now, user_id=user.id)


@dataclass(frozen=True, slots=True)
class LinkOwner:
    """The account that a link belongs to."""

    username: str
    email: str


async def find_link_owner(token: str, now: datetime.datetime) -> LinkOwner:
    """Return the account of a link. Raises NotFound for an unknown, used, replaced or expired link alike."""
    link = await _find_link(token, now)
    if link is None:
        raise errors.NotFound("Link")
    return LinkOwner(link.user.username, link.user.email)


async def _find_link(token: str, now: datetime.datetime) -> PasswordReset | None:
    links = PasswordReset.filter(digest=digest_of(token), expires_at__gt=now)
    link = await links.select_related("user").get_or_none()
    # A link has no effect once the account has another address.
    return link if link is not None and link.user.email == link.email else None


@dataclass(slots=True, kw_only=True)
class PasswordResetView:
    """The result of setting a new password."""

    reset: bool
    """Always true."""


class ResetPassword(Input):
    """The new password, and the token of the link."""

    token: ShortText
    """The token in the emailed link."""
    password: Password
    """The new password, 6 to 128 characters long."""


@operation(PUBLIC, changes=(User, ApiKey), raises=(errors.ValidationFailed,))
async def reset_password(ctx: Context, data: ResetPassword) -> PasswordResetView:
    """Set a new password with the token of an emailed link.

    It ends all sessions of the account, and confirms its email address. API keys stay valid, except those from before
    the address was first confirmed, because another person may have registered it.
    """
    link = await _find_link(data.token, ctx.now)
    if link is None:
        raise _link_not_valid()
    password_hash = await ctx.services.hasher.hash(data.password)
    async with ctx.services.principals.changing(link.user_id), in_transaction():
        user = await User.filter(id=link.user_id, email=link.email).select_for_update().get_or_none()
        if user is None or not await PasswordReset.filter(id=link.id).delete():
            raise _link_not_valid()
        await _set_password(ctx, user, password_hash)
    await ctx.services.limiter.clear(failed_password_quota(user.email_key, ctx.services.settings))
    return PasswordResetView(reset=True)


async def _set_password(ctx: Context, user: User, password_hash: str) -> None:
    """Change the locked account, end its sessions, and confirm its address, because the link was sent to it.

    Until then anybody could have registered the address, so keys from that time are revoked.
    """
    if user.email_confirmed_at is None:
        await ApiKey.filter(user_id=user.id, revoked_at__isnull=True).update(revoked_at=ctx.now, is_active=False)
    confirmed_at = user.email_confirmed_at or ctx.now
    await User.filter(id=user.id).update(
        password_hash=password_hash, email_confirmed_at=confirmed_at, updated_at=ctx.now
    )
    await delete_reset_links(user.id)
    await Session.filter(user_id=user.id).delete()
    await EmailConfirmation.filter(user_id=user.id).delete()
    await outbox.unsent(user_id=user.id).filter(kind=MailKind.CONFIRM_EMAIL).delete()


def _link_not_valid() -> errors.ValidationFailed:
    return errors.ValidationFailed({"token": "is no longer valid: a link works once, for one hour"})


async def purge_expired_resets(now: datetime.datetime) -> None:
    """Delete a batch of expired links; maintenance calls it periodically."""
    expired = PasswordReset.filter(expires_at__lte=now).order_by("expires_at").limit(_MAX_PURGED)
    if ids := await expired.values_list("id", flat=True):
        await PasswordReset.filter(id__in=ids).delete()
