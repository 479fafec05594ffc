"""Model of idempotency records, which let a retried request return the first response (decisions 6.11)."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User


class IdempotencyRecord(Model):
    """An Idempotency-Key of a principal.

    ``digest`` is the SHA-256 of principal and key, and ``fingerprint`` an HMAC of operation and body under the key, so
    that neither reveals what the caller sent. ``answer`` is the view as JSON, null until the operation is done.
    ``user`` is the account of the principal, null for anonymous ones; the record is deleted with it.
    """

    id = fields.IntField(primary_key=True)
    user: fields.ForeignKeyNullableRelation[User] = columns.belongs_to("User", "idempotency_records", null=True)
    user_id: int | None
    digest = fields.CharField(max_length=64, unique=True)
    fingerprint = fields.CharField(max_length=64)
    answer: str | None = columns.long_text(null=True)
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "idempotency_records"
        indexes = [("created_at",), ("user_id",)]
