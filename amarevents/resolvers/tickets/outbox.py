"""The outbox of emails, as admins see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from amarevents.models import OutgoingMail
from amarevents.models.enums import MailKind, MailStatus
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, page_of
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow


@dataclass(slots=True, kw_only=True)
class OutgoingMailView:
    """An email in the outbox, without its text, which may contain links that only the recipient may use."""

    id: RecordId
    """The ID of the email."""
    kind: MailKind
    """The kind of email."""
    status: MailStatus
    """Whether the email has been sent, and if not, whether it will be."""
    recipient: str
    """The email address of the recipient."""
    subject: str
    """The subject line of the email."""
    user_id: RecordId | None
    """The ID of the account whose address the email confirms; null for other emails."""
    ticket_id: RecordId | None
    """The ID of the ticket that the email is about; null for other emails."""
    attempts: int
    """The number of attempts to send the email."""
    next_attempt_at: DateTime
    """When the next attempt is due, in UTC. It has no meaning unless the email is pending."""
    sent_at: DateTime | None
    """When the email was sent, in UTC; null if it has not been sent."""
    last_error: str | None
    """The reason why the email has not been sent; null if there is none."""
    created_at: DateTime
    """When the email was written, in UTC."""

    @classmethod
    def from_model(cls, mail: OutgoingMail) -> Self:
        """Return the view of an email."""
        return cls(
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


async def load_outgoing_mails(ctx: Context, ids: Sequence[int]) -> dict[int, OutgoingMailView]:
    """Return the emails by ID, in one statement."""
    return {mail.id: OutgoingMailView.from_model(mail) for mail in await OutgoingMail.filter(id__in=list(ids))}


class ListOutgoingMails(Paging):
    """A page of the outbox, filtered by status."""

    status: MailStatus | None = None
    """Return only emails with this status."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_outgoing_mails(ctx: Context, data: ListOutgoingMails) -> Page[OutgoingMailView]:
    """List the emails in the outbox, newest first."""
    found = OutgoingMail.all() if data.status is None else OutgoingMail.filter(status=data.status)
    mails = await found.order_by("-id").offset(data.offset).limit(data.limit)
    return page_of([OutgoingMailView.from_model(mail) for mail in mails], await found.count(), data)
