"""Models of events, their custom registration fields and their gallery images."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.enums import Category, FieldType, Privacy
from amarevents.models.organizations import Organization

UNDATED = datetime.date.max


class Event(Model):
    """An event.

    ``sort_date`` is the date, or ``UNDATED`` if there is none, so that both databases can sort undated events last with
    an index (decisions 1.7). ``search_text`` is the folded text that searches look at (decisions 4.9).
    ``hold_minutes`` and ``places_per_account`` are null if the settings of the platform apply (decisions 6.2a).
    """

    id = fields.IntField(primary_key=True)
    organization: fields.ForeignKeyRelation[Organization] = columns.belongs_to("Organization", "events")
    organization_id: int
    name: str = columns.name()
    category: Category | None = columns.choice(Category, null=True)
    date: datetime.date | None = fields.DateField(null=True)
    sort_date: datetime.date = fields.DateField(default=UNDATED)
    deadline: datetime.date | None = fields.DateField(null=True)
    location: str | None = columns.short_text(null=True)
    description: str | None = columns.long_text(null=True)
    banner: str | None = columns.short_text(null=True)
    logo: str | None = columns.short_text(null=True)
    privacy: Privacy = columns.choice(Privacy, default=Privacy.PUBLIC)
    notice: str | None = columns.long_text(null=True)
    emailtitle: str | None = columns.short_text(null=True)
    emailmessage: str | None = columns.long_text(null=True)
    template: str | None = columns.long_text(null=True)
    socials: list[dict[str, str]] = columns.json(default=list)
    wallets: dict[str, str] = columns.json(default=dict)
    hold_minutes: int | None = fields.IntField(null=True)
    places_per_account: int | None = fields.IntField(null=True)
    search_text: str = columns.long_text(default="")
    created_at: datetime.datetime = columns.created_at()
    updated_at: datetime.datetime = columns.updated_at()

    class Meta:
        table = "events"
        indexes = [
            ("sort_date", "id"),
            ("privacy", "sort_date", "id"),
            ("privacy", "category", "sort_date", "id"),
            ("organization_id", "privacy", "sort_date", "id"),
            ("privacy", "id"),
            ("privacy", "category", "id"),
            ("organization_id", "privacy", "id"),
        ]


class CustomField(Model):
    """A question asked at registration. Answers refer to it by name or ID (decisions 4.7, 6.5).

    Names are compared folded under the lock of the event (decisions 1.11).
    """

    id = fields.IntField(primary_key=True)
    event: fields.ForeignKeyRelation[Event] = columns.belongs_to("Event", "custom_fields")
    event_id: int
    name: str = columns.name()
    type: FieldType = columns.choice(FieldType, default=FieldType.TEXT)
    options: list[str] = columns.json(default=list)
    required = fields.BooleanField(default=False)
    position = fields.IntField(default=0)

    class Meta:
        table = "custom_fields"
        unique_together = [("event", "name")]
        indexes = [("event_id", "position", "id")]


class GalleryImage(Model):
    """An image in the gallery of an event."""

    id = fields.IntField(primary_key=True)
    event: fields.ForeignKeyRelation[Event] = columns.belongs_to("Event", "gallery")
    event_id: int
    url: str = columns.short_text()
    caption: str | None = columns.short_text(null=True)
    position = fields.IntField(default=0)

    class Meta:
        table = "gallery_images"
        indexes = [("event_id", "position", "id")]
