"""Model that marks a database as filled with the demo data."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns


class Seeding(Model):
    """The demo data has been written to this database. Demo credentials are issued only if such a row exists."""

    id = fields.IntField(primary_key=True)
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "seedings"
