"""Enqueueing of emails to attendees about their tickets; ``mail.templates`` has the texts."""

from collections.abc import Mapping

from amarevents.mail import outbox, templates
from amarevents.models import CustomField, CustomValue, Event, Ticket
from amarevents.models.enums import MailKind, TicketStatus
from amarevents.models.tickets import EXPIRED
from amarevents.security.context import Context
from amarevents.security.rate_limit.quotas import mail_quota
from amarevents.text import email_key


async def enqueue_ticket_email(
    ctx: Context, ticket: Ticket, event: Event, answers: Mapping[str, str], *, held_because: str | None = None
) -> None:
    """Enqueue an email to the attendee of a ticket that is approved or rejected; for other statuses, do nothing.

    Call it in the transaction that changes the status. ``answers`` are those to the custom fields, by field name;
    ``held_because`` is the reason for which the email is held in the outbox instead of being sent.
    """
    if ticket.status is TicketStatus.SUCCESS:
        kind, content = MailKind.TICKET_CONFIRMED, templates.ticket_confirmed(ticket, event, answers)
    elif ticket.status is TicketStatus.FAILED and ticket.decision_reason == EXPIRED:
        kind, content = MailKind.HOLD_EXPIRED, templates.hold_expired(ticket, event)
    elif ticket.status is TicketStatus.FAILED:
        kind, content = MailKind.PAYMENT_REJECTED, templates.payment_rejected(ticket, event)
    else:
        return
    await outbox.enqueue(
        content,
        kind,
        ticket.email,
        settings=ctx.services.settings,
        now=ctx.now,
        ticket_id=ticket.id,
        held_because=held_because,
    )


async def reason_to_hold_email(ctx: Context, recipient: str, *, registered_by: str) -> str | None:
    """Return why an email about a registration by an account, with its address, must be held, or None.

    Any account can register other people and choose the text, so the number of emails that an address receives because
    of registrations by others is limited.
    """
    if email_key(recipient) == email_key(registered_by):
        return None
    charged = await ctx.services.limiter.charge(mail_quota(recipient, ctx.services.settings))
    return None if charged.allowed else "Too many registrations of this address by others within an hour"


async def requeue_ticket_email(ctx: Context, ticket: Ticket, event: Event) -> None:
    """Replace unsent emails about a ticket whose status or email address has changed."""
    await outbox.unsent(ticket_id=ticket.id).delete()
    answers = await _answers_by_name(ticket) if ticket.status is TicketStatus.SUCCESS else {}
    await enqueue_ticket_email(ctx, ticket, event, answers)


async def _answers_by_name(ticket: Ticket) -> dict[str, str]:
    """Return the ticket's answers, an empty string for each field without one."""
    names = dict(await CustomField.filter(event_id=ticket.event_id).values_list("id", "name"))
    given = dict(await CustomValue.filter(ticket_id=ticket.id).values_list("field_id", "value"))
    return {name: given.get(field, "") for field, name in names.items()}
