"""The mark that says: this database holds the demo data and was empty before."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns


class Seeding(Model):
    """Written together with the demo data. Demo credentials are issued only where such a row exists."""

    id = fields.IntField(primary_key=True)
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "seedings"
