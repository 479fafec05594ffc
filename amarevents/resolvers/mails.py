"""Mails: what is written into the outbox when something happens, and what admins see of it."""

import datetime
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from tortoise.transactions import in_transaction

from amarevents.mail import letters, outbox
from amarevents.models import CustomField, CustomValue, EmailConfirmation, Event, OutgoingMail, Ticket, User
from amarevents.models.enums import MailKind, MailStatus, TicketStatus
from amarevents.resolvers.base import Context, DateTime, Page, Paging, RecordId, page_of
from amarevents.resolvers.operation import operation
from amarevents.security.keys import digest_of
from amarevents.security.policy import ADMINS, Scope, allow
from amarevents.security.quotas import mail_quota

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
        kind, letter = MailKind.TICKET_CONFIRMED, letters.ticket_confirmed(ticket, event, answers)
    elif ticket.status is TicketStatus.FAILED:
        kind, letter = MailKind.PAYMENT_REJECTED, letters.payment_rejected(ticket, event)
    else:
        return
    settings = ctx.services.settings
    await outbox.put_in(
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
    letter = letters.confirm_email(user.username, link, days=LINK_DAYS)
    async with in_transaction():
        await EmailConfirmation.filter(user_id=user.id).delete()
        await outbox.unsent(user_id=user.id).delete()
        await EmailConfirmation.create(
            user_id=user.id, digest=digest_of(token), email=user.email, expires_at=expires_at, created_at=ctx.now
        )
        await outbox.put_in(letter, MailKind.CONFIRM_EMAIL, user.email, settings=settings, now=ctx.now, user_id=user.id)


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


@dataclass(slots=True, kw_only=True)
class OutgoingMailView:
    """A mail of the outbox, without its text: that is the recipient's, and links in it open things.

    The last error is why it has not been sent; the next attempt counts while it is pending.
    """

    id: RecordId
    kind: MailKind
    status: MailStatus
    recipient: str
    subject: str
    user_id: RecordId | None
    ticket_id: RecordId | None
    attempts: int
    next_attempt_at: DateTime
    sent_at: DateTime | None
    last_error: str | None
    created_at: DateTime


def outgoing_mail_view(mail: OutgoingMail) -> OutgoingMailView:
    return OutgoingMailView(
        id=RecordId(mail.id),
        kind=mail.kind,
        status=mail.status,
        recipient=mail.recipient,
        subject=mail.subject,
        user_id=None if mail.user_id is None else RecordId(mail.user_id),
        ticket_id=None if mail.ticket_id is None else RecordId(mail.ticket_id),
        attempts=mail.attempts,
        next_attempt_at=mail.next_attempt_at,
        sent_at=mail.sent_at,
        last_error=mail.last_error,
        created_at=mail.created_at,
    )


class ListOutgoingMails(Paging):
    """Which mails of the outbox; without ``status`` all."""

    status: MailStatus | None = None


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_outgoing_mails(ctx: Context, data: ListOutgoingMails) -> Page[OutgoingMailView]:
    """The outbox, newest first."""
    found = OutgoingMail.all() if data.status is None else OutgoingMail.filter(status=data.status)
    mails = await found.order_by("-id").offset(data.offset).limit(data.limit)
    return page_of([outgoing_mail_view(mail) for mail in mails], await found.count(), data)
