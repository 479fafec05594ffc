"""What a creating request answered, so that its repetition answers the same (decisions 6.11)."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User


class IdempotencyRecord(Model):
    """One Idempotency-Key of one principal.

    ``digest`` is the SHA-256 of principal and key, ``fingerprint`` an HMAC of operation and body under the key: neither
    can be turned back into what the caller sent. ``answer`` is the view as JSON, null until the work is done. ``user``
    is the principal's account, with which the record goes; null for anonymous principals.
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
