"""Model that marks a database as filled with the demo data, and the setting that depends on it."""

import datetime

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.settings import Settings


class Seeding(Model):
    """The demo data has been written to this database. Demo credentials are issued only if such a row exists."""

    id = fields.IntField(primary_key=True)
    created_at: datetime.datetime = columns.created_at()

    class Meta:
        table = "seedings"


async def with_confirm_email(settings: Settings) -> Settings:
    """Return the settings with the default of ``confirm_email`` for the open database (decisions 6.7).

    The accounts in the demo data have no mailboxes.
    """
    if settings.confirm_email is not None:
        return settings
    return settings.model_copy(update={"confirm_email": not await Seeding.exists()})
