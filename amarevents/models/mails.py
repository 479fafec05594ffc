"""Model of the outbox: emails enqueued in the transaction of a change, and sent later by any process."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User
from amarevents.models.enums import MailKind, MailStatus
from amarevents.models.tickets import Ticket

# In characters: the text of an organizer can repeat a long answer many times.
MAX_SUBJECT = 250
MAX_BODY = 50_000


class OutgoingMail(Model):
    """An email to one recipient, deleted together with the ticket or account that it is about.

    It is not sent before ``next_attempt_at``. A process that sends it first moves this time forward, which keeps others
    from sending it, and makes it due again if the process dies. ``last_error`` says why it has not been sent.
    """

    id = fields.IntField(primary_key=True)
    kind: MailKind = columns.choice(MailKind)
    status: MailStatus = columns.choice(MailStatus, default=MailStatus.PENDING)
    user: fields.ForeignKeyNullableRelation[User] = columns.belongs_to("User", "mails", null=True)
    user_id: int | None
    ticket: fields.ForeignKeyNullableRelation[Ticket] = columns.belongs_to("Ticket", "mails", null=True)
    ticket_id: int | None
    recipient: str = columns.short_text()
    subject: str = columns.long_text()
    body: str = columns.long_text()
    attempts = fields.IntField(default=0)
    next_attempt_at: datetime.datetime = columns.instant()
    sent_at: datetime.datetime | None = columns.instant(null=True)
    last_error: str | None = columns.long_text(null=True)
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "outgoing_mails"
        indexes = [("status", "next_attempt_at", "id"), ("status", "id"), ("user_id",), ("ticket_id",)]
