"""Confirmation of an account's email address by a link sent to it (decisions 6.7)."""

import datetime
import secrets
from dataclasses import dataclass

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.mail import outbox, templates
from amarevents.models import EmailConfirmation, User
from amarevents.models.enums import MailKind
from amarevents.security.auth.api_keys import digest_of
from amarevents.security.context import Context

LINK_DAYS = 7
"""The number of days for which a link is valid."""
_TOKEN_BYTES = 32
_MAX_PURGED = 1_000


async def enqueue_confirmation_email(ctx: Context, user: User) -> None:
    """Enqueue an email with a link that confirms the account's address, unless confirmation is disabled.

    Earlier links become invalid. The caller must hold a lock on the account's row or have just created it, so that
    concurrent calls cannot leave two valid links.
    """
    settings = ctx.services.settings
    if not settings.confirm_email:
        return
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    link = f"{settings.public_url}/confirm-email?token={token}"
    expires_at = ctx.now + datetime.timedelta(days=LINK_DAYS)
    content = templates.confirm_email(user.username, link, days=LINK_DAYS)
    async with in_transaction():
        await EmailConfirmation.filter(user_id=user.id).delete()
        await outbox.unsent(user_id=user.id).filter(kind=MailKind.CONFIRM_EMAIL).delete()
        await EmailConfirmation.create(
            user_id=user.id, digest=digest_of(token), email=user.email, expires_at=expires_at, created_at=ctx.now
        )
        await outbox.enqueue(
            content, MailKind.CONFIRM_EMAIL, user.email, settings=settings, now=ctx.now, user_id=user.id
        )


async def renew_confirmation_email(ctx: Context, user: User) -> None:
    """Enqueue a new link for an account that has not confirmed its address and has no valid link left."""
    if not ctx.services.settings.confirm_email or user.email_confirmed_at is not None or await _has_link(ctx, user):
        return
    async with in_transaction():
        locked = await User.filter(id=user.id).select_for_update().get_or_none()
        if locked is not None and locked.email_confirmed_at is None and not await _has_link(ctx, locked):
            await enqueue_confirmation_email(ctx, locked)


async def _has_link(ctx: Context, user: User) -> bool:
    return await EmailConfirmation.exists(user_id=user.id, email=user.email, expires_at__gt=ctx.now)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The account that a link belongs to, and the address that it confirms."""

    username: str
    email: str


async def find_confirmation(token: str, now: datetime.datetime) -> Confirmation:
    """Return what a link would confirm. Raises NotFound for an unknown, used, replaced or expired link alike."""
    return _confirmation_by(await _get_link(token, now))


async def confirm_email(ctx: Context, token: str) -> Confirmation:
    """Confirm the address that a link belongs to. Raises NotFound for any link that is not valid."""
    account_id = (await _get_link(token, ctx.now)).user_id
    async with ctx.services.principals.changing(account_id), in_transaction():
        link = await _get_link(token, ctx.now)
        # The account's row first, as where its address is changed, so that the two cannot deadlock.
        confirmed = await User.filter(id=link.user_id, email=link.email).update(email_confirmed_at=ctx.now)
        if not confirmed or not await EmailConfirmation.filter(id=link.id).delete():
            raise errors.NotFound("Link")
    return _confirmation_by(link)


async def _get_link(token: str, now: datetime.datetime) -> EmailConfirmation:
    links = EmailConfirmation.filter(digest=digest_of(token), expires_at__gt=now)
    link = await links.select_related("user").get_or_none()
    if link is None or link.user.email != link.email:
        raise errors.NotFound("Link")
    return link


def _confirmation_by(link: EmailConfirmation) -> Confirmation:
    return Confirmation(link.user.username, link.email)


async def purge_expired_links(now: datetime.datetime) -> None:
    """Delete a batch of expired links; maintenance calls it periodically."""
    expired = EmailConfirmation.filter(expires_at__lte=now).order_by("expires_at").limit(_MAX_PURGED)
    if ids := await expired.values_list("id", flat=True):
        await EmailConfirmation.filter(id__in=ids).delete()
