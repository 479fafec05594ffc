"""Confirming an account's email by the link that was mailed to it (decisions 6.7)."""

import datetime
from dataclasses import dataclass

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import EmailConfirmation, User
from amarevents.security.auth.api_keys import digest_of

_DELETED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Which account a link is for, and the address that it confirms."""

    username: str
    email: str


async def find_confirmation(token: str, now: datetime.datetime) -> Confirmation:
    """What the link would confirm. Raises NotFound for one that is unknown, used, replaced or expired alike."""
    return _shown(await _get_link(token, now))


async def confirm_email(token: str, now: datetime.datetime) -> Confirmation:
    """Confirm the email, once. Raises NotFound as above."""
    async with in_transaction():
        link = await _get_link(token, now)
        # The account first, as where its email changes: two that want both rows never wait for each other.
        confirmed = await User.filter(id=link.user_id, email=link.email).update(email_confirmed_at=now)
        if not confirmed or not await EmailConfirmation.filter(id=link.id).delete():
            raise errors.NotFound("Link")
    return _shown(link)


async def _get_link(token: str, now: datetime.datetime) -> EmailConfirmation:
    links = EmailConfirmation.filter(digest=digest_of(token), expires_at__gt=now)
    link = await links.select_related("user").get_or_none()
    if link is None or link.user.email != link.email:
        raise errors.NotFound("Link")
    return link


def _shown(link: EmailConfirmation) -> Confirmation:
    return Confirmation(link.user.username, link.email)


async def forget_expired_links(now: datetime.datetime) -> None:
    """Delete expired links, a part at a time; run now and then by the process."""
    expired = EmailConfirmation.filter(expires_at__lte=now).order_by("expires_at").limit(_DELETED_AT_ONCE)
    if ids := await expired.values_list("id", flat=True):
        await EmailConfirmation.filter(id__in=ids).delete()
