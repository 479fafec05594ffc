"""The outbox of emails, as admins see it."""

from collections.abc import Sequence
from dataclasses import dataclass

from amarevents.models.db.sql import is_in, sql
from amarevents.models.enums import MailKind, MailStatus
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, page_of
from amarevents.resolvers.core.select import Select, by_id
from amarevents.resolvers.core.sources import Source
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


_MAILS = Select(Source(OutgoingMailView, "outgoing_mails"))


async def load_outgoing_mails(ctx: Context, ids: Sequence[int]) -> dict[int, OutgoingMailView]:
    """Return the emails by ID, in one statement."""
    return by_id(await _MAILS.where(is_in("outgoing_mails.id", ids)).fetch(ctx.fields))


class ListOutgoingMails(Paging):
    """A page of the outbox, filtered by status."""

    status: MailStatus | None = None
    """Return only emails with this status."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_outgoing_mails(ctx: Context, data: ListOutgoingMails) -> Page[OutgoingMailView]:
    """List the emails in the outbox, newest first."""
    rows = _MAILS if data.status is None else _MAILS.where(sql("outgoing_mails.status = ?", data.status))
    mails = await rows.order_by("outgoing_mails.id", descending=True).page(data.limit, data.offset).fetch()
    return page_of(mails, await rows.count(), data)
