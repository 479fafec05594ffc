"""The outbox, as admins see it."""

from dataclasses import dataclass

from amarevents.models import OutgoingMail
from amarevents.models.enums import MailKind, MailStatus
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, page_of
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow


@dataclass(slots=True, kw_only=True)
class OutgoingMailView:
    """A mail of the outbox, without its text: that is the recipient's, and links in it open things.

    The last error is why it has not been sent; the next attempt counts while it is pending.
    """

    id: RecordId
    """The integer that names it in paths and in other fields."""
    kind: MailKind
    """What the mail is about."""
    status: MailStatus
    """Whether it has been sent."""
    recipient: str
    """The address that it goes to."""
    subject: str
    """The subject of the mail."""
    user_id: RecordId | None
    """The id of the account that it belongs to."""
    ticket_id: RecordId | None
    """The id of the ticket."""
    attempts: int
    """How often it has been tried to send it."""
    next_attempt_at: DateTime
    """When it is tried next, while it is pending."""
    sent_at: DateTime | None
    """When it was sent; null if it has not been."""
    last_error: str | None
    """Why it has not been sent."""
    created_at: DateTime
    """When it was created, in UTC."""


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
    """Mails of this status alone."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_outgoing_mails(ctx: Context, data: ListOutgoingMails) -> Page[OutgoingMailView]:
    """The outbox, newest first."""
    found = OutgoingMail.all() if data.status is None else OutgoingMail.filter(status=data.status)
    mails = await found.order_by("-id").offset(data.offset).limit(data.limit)
    return page_of([outgoing_mail_view(mail) for mail in mails], await found.count(), data)
