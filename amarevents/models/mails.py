"""The outbox: mails written in the transaction of what they tell, sent afterwards by any one of the processes."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User
from amarevents.models.enums import MailKind, MailStatus
from amarevents.models.tickets import Ticket


class OutgoingMail(Model):
    """A mail to one recipient; it goes with the ticket or the account that it is about.

    ``next_attempt_at``: not to be sent before; a process that sends it moves this on first, so that no other one does
    at the same time, and one that dies meanwhile loses nothing. ``last_error`` is why it has not been sent.
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
