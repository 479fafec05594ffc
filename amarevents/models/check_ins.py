"""Model of check-ins: the admissions of tickets at the gates of an event."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User
from amarevents.models.tickets import Ticket


class CheckIn(Model):
    """A check-in. It is kept when undone, so that a late retry of its scan can be recognized.

    A partial unique index (third migration) allows only one check-in per ticket that has not been undone. ``scan_id``
    is chosen by the scanning device and unique within the event. ``event_id`` is that of the ticket, which never
    changes. It is not a foreign key, because inserting one would lock the event after the ticket, in the wrong order.
    """

    id = fields.IntField(primary_key=True)
    ticket: fields.ForeignKeyRelation[Ticket] = columns.belongs_to("Ticket", "check_ins")
    ticket_id: int
    event_id = fields.IntField()
    gate: str | None = columns.short_text(null=True)
    scan_id: str | None = columns.short_text(null=True)
    checked_in_by: fields.ForeignKeyNullableRelation[User] = columns.belongs_to(
        "User", "check_ins", null=True, on_delete=fields.SET_NULL
    )
    checked_in_by_id: int | None
    checked_in_at: datetime.datetime = columns.instant()
    undone_at: datetime.datetime | None = columns.instant(null=True)

    class Meta:
        table = "check_ins"
        unique_together = [("event_id", "scan_id")]
        indexes = [("ticket_id",), ("checked_in_by_id",)]
