"""Model of donations to an organization or to the platform."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.enums import DonationStatus, PaymentMethod
from amarevents.models.organizations import Organization


class Donation(Model):
    """A donation, in whole taka (decisions 7.2)."""

    id = fields.IntField(primary_key=True)
    organization: fields.ForeignKeyNullableRelation[Organization] = columns.belongs_to(
        "Organization", "donations", null=True
    )
    organization_id: int | None
    email: str = columns.short_text()
    number: str = columns.short_text()
    amount = fields.IntField()
    transaction_id: str = columns.short_text()
    type: PaymentMethod = columns.choice(PaymentMethod)
    note: str | None = columns.long_text(null=True)
    status: DonationStatus = columns.choice(DonationStatus, default=DonationStatus.PENDING)
    created_at: datetime.datetime = columns.created_at()
    updated_at: datetime.datetime = columns.updated_at()

    class Meta:
        table = "donations"
        indexes = [("organization_id", "id"), ("organization_id", "status", "id"), ("status", "id")]
