"""Plans: what organizations subscribe to (decisions 5.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amarevents.models import Plan
from amarevents.resolvers.base import Context, RecordId
from amarevents.resolvers.operation import operation
from amarevents.security.policy import ADMINS, Scope, allow


@dataclass(slots=True, kw_only=True)
class PlanView:
    """A plan; ``event_limit`` is in events at once, null = unlimited, ``features`` an object of the admins' making."""

    id: RecordId
    name: str
    price: Decimal
    currency: str
    event_limit: int | None
    features: dict[str, Any]  # Any: shown as it is


def plan_view(row: Plan) -> PlanView:
    return PlanView(
        id=RecordId(row.id),
        name=row.name,
        price=row.price,
        currency=row.currency,
        event_limit=row.event_limit,
        features=dict(row.features),
    )


async def load_plans(names: Sequence[str]) -> dict[str, PlanView]:
    """The plans by name, in one statement."""
    return {row.name: plan_view(row) for row in await Plan.filter(name__in=list(names))}


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_plans(ctx: Context) -> list[PlanView]:
    """All plans, newest first."""
    return [plan_view(row) for row in await Plan.all().order_by("-id")]
