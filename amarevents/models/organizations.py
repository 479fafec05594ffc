"""Organizations and the plans that they are on."""

import datetime
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User

DEFAULT_PLAN = "Free"
"""The name of the plan that new organizations are on."""


class Plan(Model):
    """What an organization subscribes to; ``Free`` exists from the first migration on (decisions 5.2)."""

    id = fields.IntField(primary_key=True)
    name: str = columns.name(unique=True)
    price: Decimal = columns.money(default=Decimal(0))
    currency = fields.CharField(max_length=3, default="BDT")
    event_limit: int | None = fields.IntField(null=True)
    features: dict[str, Any] = columns.json(default=dict)  # Any: an organizer-facing JSON object, shown as it is

    class Meta:
        table = "plans"


class Organization(Model):
    """Who publishes events.

    ``eventcount`` is the number of events it may have at once, null = unlimited; ``events_used`` is how many it has,
    kept by the writes that change it so that the allowance can be claimed in one conditional update (decisions 4.4).
    ``search_text`` is what search looks at, folded.
    """

    id = fields.IntField(primary_key=True)
    user: fields.ForeignKeyRelation[User] = columns.belongs_to("User", "organizations")
    user_id: int
    plan: fields.ForeignKeyRelation[Plan] = columns.belongs_to("Plan", "organizations", on_delete=fields.RESTRICT)
    plan_id: int
    name: str = columns.name()
    description: str | None = columns.long_text(null=True)
    logo: str | None = columns.short_text(null=True)
    notice: str | None = columns.long_text(null=True)
    eventcount: int | None = fields.IntField(null=True)
    events_used = fields.IntField(default=0)
    search_text: str = columns.long_text(default="")
    created_at: datetime.datetime = columns.created_at()
    updated_at: datetime.datetime = columns.updated_at()

    class Meta:
        table = "organizations"
        indexes = [("user_id", "id"), ("plan_id",)]
