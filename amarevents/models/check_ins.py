"""Check-ins at the door: who has been let in by which ticket, when and at which gate."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User
from amarevents.models.tickets import Ticket


class CheckIn(Model):
    """One admission; an undone one stays, so that a late retry of its scan is known for what it is.

    A partial unique index, made by the third migration, keeps each ticket to one check-in that has not been undone.
    A scan's id is the scanning device's own, unique within the event. ``event_id`` is the ticket's, which never
    changes, and no foreign key: to write one would lock the event after the ticket, against the order of locks.
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
