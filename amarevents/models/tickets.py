"""Models of ticket types, tickets and the answers to custom fields."""

import datetime
from decimal import Decimal

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User
from amarevents.models.enums import PaymentMethod, TicketStatus
from amarevents.models.events import CustomField, Event
from amarevents.text import email_key

CODE_LENGTH = 32
"""The maximum length of the codes of tickets, in characters."""
EXPIRED = "expired"
"""The reason for the decision on a ticket that was not paid in time (decisions 6.2a)."""


class TicketType(Model):
    """A ticket type. ``sold`` is the number of places held, and capacity 0 means unlimited (decisions 6.2, 6.3)."""

    id = fields.IntField(primary_key=True)
    event: fields.ForeignKeyRelation[Event] = columns.belongs_to("Event", "ticket_types")
    event_id: int
    name: str = columns.name()
    price: Decimal = columns.money(default=Decimal(0))
    capacity = fields.IntField(default=0)
    description: str | None = columns.long_text(null=True)
    sold = fields.IntField(default=0)
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "ticket_types"
        indexes = [("event_id", "id")]


class Ticket(Model):
    """A registration. ``code`` is an unguessable value, which its QR code contains (decisions 6.8).

    ``due`` is the price at registration, ``amount`` what was paid or is said to have been paid (decisions 6.1).
    ``decided_at`` and ``decision_reason`` describe the last change of the status, and are null until it changes.
    ``hold_expires_at`` is when an unpaid ticket loses its place, and null if it does not; the sixth migration has its
    partial indexes (decisions 6.2a).
    """

    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=CODE_LENGTH, unique=True)
    event: fields.ForeignKeyRelation[Event] = columns.belongs_to("Event", "tickets")
    event_id: int
    user: fields.ForeignKeyRelation[User] = columns.belongs_to("User", "tickets")
    user_id: int
    ticket_type: fields.ForeignKeyNullableRelation[TicketType] = columns.belongs_to(
        "TicketType", "tickets", null=True, on_delete=fields.SET_NULL
    )
    ticket_type_id: int | None
    name: str = columns.name()
    email: str = columns.short_text()
    email_key: str = columns.key("email", email_key, length=columns.SHORT_LENGTH)
    number: str | None = columns.short_text(null=True)
    amount: Decimal = columns.money(default=Decimal(0))
    due: Decimal = columns.money(default=Decimal(0), db_default=Decimal(0))  # for rows older than the column
    status: TicketStatus = columns.choice(TicketStatus, default=TicketStatus.PENDING)
    transaction_id: str | None = columns.short_text(null=True)
    payment_method: PaymentMethod | None = columns.choice(PaymentMethod, null=True)
    note: str | None = columns.long_text(null=True)
    decision_reason: str | None = columns.short_text(null=True)
    decided_at: datetime.datetime | None = columns.instant(null=True)
    hold_expires_at: datetime.datetime | None = columns.instant(null=True)
    created_at: datetime.datetime = columns.created_at()
    updated_at: datetime.datetime = columns.updated_at()

    class Meta:
        table = "tickets"
        indexes = [
            ("event_id", "id"),
            ("event_id", "status", "id"),
            ("event_id", "ticket_type_id", "status", "amount"),  # statistics read nothing else
            ("user_id", "id"),
            ("user_id", "event_id"),
            ("email_key", "id"),
            ("ticket_type_id", "status"),
            ("status", "amount"),
            ("created_at",),
        ]


class CustomValue(Model):
    """The answer of a ticket to a custom field.

    ``value`` is the answer as text; ``choices`` are the options chosen in a checkbox field, null for other answers.
    """

    id = fields.IntField(primary_key=True)
    ticket: fields.ForeignKeyRelation[Ticket] = columns.belongs_to("Ticket", "custom_values")
    ticket_id: int
    field: fields.ForeignKeyRelation[CustomField] = columns.belongs_to("CustomField", "values")
    field_id: int
    value: str = columns.long_text()
    choices: list[str] | None = columns.json(null=True)

    class Meta:
        table = "custom_values"
        unique_together = [("ticket", "field")]
        indexes = [("field_id",)]
