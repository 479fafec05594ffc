"""Models of organizations and their plans."""

import datetime
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.accounts import User
from amarevents.text import fold

DEFAULT_PLAN = "Free"
"""The name of the plan of new organizations."""


class Plan(Model):
    """A plan that organizations use. The first migration creates ``Free`` (decisions 5.2).

    ``name_key`` is what makes its name unique (decisions 1.11).
    """

    id = fields.IntField(primary_key=True)
    name: str = columns.name()
    name_key: str = columns.key("name", fold, length=columns.NAME_LENGTH, unique=True)
    price: Decimal = columns.money(default=Decimal(0))
    currency = fields.CharField(max_length=3, default="BDT")
    event_limit: int | None = fields.IntField(null=True)
    features: dict[str, Any] = columns.json(default=dict)  # Any: a JSON object, passed through unchanged

    class Meta:
        table = "plans"


class Organization(Model):
    """An organization that publishes events.

    ``eventcount`` is the maximum number of events, null for no limit. ``events_used`` is the current number, stored so
    that a conditional update can claim one (decisions 4.4). ``search_text`` is the case-folded text for searches.
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
