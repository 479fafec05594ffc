"""Mails: what is written into the outbox when something happens, and what admins see of it."""

import datetime
import secrets
from collections.abc import Mapping

from tortoise.transactions import in_transaction

from amarevents.mail import outbox, templates
from amarevents.models import CustomField, CustomValue, EmailConfirmation, Event, Ticket, User
from amarevents.models.enums import MailKind, TicketStatus
from amarevents.security.auth.api_keys import digest_of
from amarevents.security.context import Context
from amarevents.security.rate_limit.quotas import mail_quota

LINK_DAYS = 7
_TOKEN_BYTES = 32


async def tell_attendee(
    ctx: Context, ticket: Ticket, event: Event, answers: Mapping[str, str], *, held_because: str | None = None
) -> None:
    """Mail that the place is good, or that the payment has been rejected; of the other statuses nothing is told.

    To be called in the transaction that gives the ticket its status. ``answers``: by the names of the custom fields;
    ``held_because``: why the mail is to stay in the outbox.
    """
    if ticket.status is TicketStatus.SUCCESS:
        kind, letter = MailKind.TICKET_CONFIRMED, templates.ticket_confirmed(ticket, event, answers)
    elif ticket.status is TicketStatus.FAILED:
        kind, letter = MailKind.PAYMENT_REJECTED, templates.payment_rejected(ticket, event)
    else:
        return
    settings = ctx.services.settings
    await outbox.enqueue(
        letter,
        kind,
        ticket.email,
        settings=settings,
        now=ctx.now,
        ticket_id=ticket.id,
        held_because=held_because,
    )


async def reason_to_hold(ctx: Context, recipient: str) -> str | None:
    """Why the mail about a registration is not to be sent: the address is somebody else's and has had enough of them.

    Anybody may register others, in words of their own: without a bound the platform would mail them to anybody.
    """
    if recipient == ctx.principal.require_account().email:
        return None
    charged = await ctx.services.limiter.charge(mail_quota(recipient, ctx.services.settings))
    return None if charged.allowed else "The address has been registered by others too often within an hour"


async def tell_attendee_anew(ctx: Context, ticket: Ticket, event: Event) -> None:
    """The same after a change: what has not been sent yet is no longer true, or goes to the wrong address."""
    await outbox.unsent(ticket_id=ticket.id).delete()
    if ticket.status is TicketStatus.SUCCESS:
        await tell_attendee(ctx, ticket, event, await _answers_by_name(ticket))
    else:
        await tell_attendee(ctx, ticket, event, {})


async def _answers_by_name(ticket: Ticket) -> dict[str, str]:
    """The ticket's answers, empty where there is none."""
    names = dict(await CustomField.filter(event_id=ticket.event_id).values_list("id", "name"))
    given = dict(await CustomValue.filter(ticket_id=ticket.id).values_list("field_id", "value"))
    return {name: given.get(field, "") for field, name in names.items()}


async def ask_to_confirm_email(ctx: Context, user: User) -> None:
    """Mail the account a link that confirms its email, unless this deployment confirms none (decisions 6.7).

    Links that it was mailed before are worth nothing from now on. Whoever calls this keeps others from doing so at the
    same time, by a lock on the account's row or because nobody else knows of it yet.
    """
    settings = ctx.services.settings
    if not settings.confirm_email:
        return
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    link = f"{settings.public_url}/confirm-email?token={token}"
    expires_at = ctx.now + datetime.timedelta(days=LINK_DAYS)
    letter = templates.confirm_email(user.username, link, days=LINK_DAYS)
    async with in_transaction():
        await EmailConfirmation.filter(user_id=user.id).delete()
        await outbox.unsent(user_id=user.id).delete()
        await EmailConfirmation.create(
            user_id=user.id, digest=digest_of(token), email=user.email, expires_at=expires_at, created_at=ctx.now
        )
        await outbox.enqueue(
            letter, MailKind.CONFIRM_EMAIL, user.email, settings=settings, now=ctx.now, user_id=user.id
        )


async def renew_confirmation(ctx: Context, user: User) -> None:
    """Mail a new link to an account that has not confirmed its email and whose last link has expired."""
    if not ctx.services.settings.confirm_email or user.email_confirmed_at is not None or await _has_link(ctx, user):
        return
    async with in_transaction():
        locked = await User.filter(id=user.id).select_for_update().get_or_none()
        if locked is not None and locked.email_confirmed_at is None and not await _has_link(ctx, locked):
            await ask_to_confirm_email(ctx, locked)


async def _has_link(ctx: Context, user: User) -> bool:
    return await EmailConfirmation.exists(user_id=user.id, email=user.email, expires_at__gt=ctx.now)
