"""Plans: what organizations subscribe to (decisions 5.2)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import Plan
from amarevents.models.columns import encode_json
from amarevents.models.organizations import DEFAULT_PLAN
from amarevents.resolvers.core.ids import PlanId
from amarevents.resolvers.core.inputs import (
    Count,
    DeletedView,
    Input,
    Money,
    Name,
    NotNull,
    RecordId,
    deleted,
    require_printable,
)
from amarevents.resolvers.core.locking import lock_in_order
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.search import fold
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow

_MAX_DEPTH = 5
_MAX_FEATURES = 10_000  # characters of JSON
_LARGEST_WHOLE = 2**53 - 1  # that every reader of JSON has exactly


@dataclass(slots=True, kw_only=True)
class PlanView:
    """A plan; ``event_limit`` is in events at once, null = unlimited, ``features`` an object of the admins' making."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    name: str
    """The name that people read."""
    price: Decimal
    """What the plan costs, in its currency with at most two decimals."""
    currency: str
    """The currency of the price, such as `BDT`."""
    event_limit: int | None
    """How many events at once the plan allows; null is unlimited."""
    features: dict[str, Any]  # Any: shown as it is
    """What the plan offers, as the admins have written it."""


def plan_view(row: Plan) -> PlanView:
    return PlanView(
        id=RecordId(row.id),
        name=row.name,
        price=row.price,
        currency=row.currency,
        event_limit=row.event_limit,
        features=dict(row.features),
    )


async def load_plans(ctx: Context, names: Sequence[str]) -> dict[str, PlanView]:
    """The plans by name, in one statement."""
    return {row.name: plan_view(row) for row in await Plan.filter(name__in=list(names))}


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_plans(ctx: Context) -> list[PlanView]:
    """All plans, newest first."""
    return [plan_view(row) for row in await Plan.all().order_by("-id")]


def _currency(text: str) -> str:
    if len(text) != 3 or not (text.isascii() and text.isalpha()):
        raise ValueError("must be the three letters of a currency, such as BDT")
    return text.upper()


def _features(features: dict[str, Any]) -> dict[str, Any]:  # Any: of the admins' making
    _require_plain(features, _MAX_DEPTH)
    if len(encode_json(features)) > _MAX_FEATURES:
        raise ValueError(f"must have at most {_MAX_FEATURES} characters as JSON")
    return features


def _require_plain(value: object, levels: int) -> None:
    """What both databases store and every reader of JSON reads alike. Raises ValueError."""
    if isinstance(value, dict | list):
        if levels == 0:
            raise ValueError(f"must be nested at most {_MAX_DEPTH} levels deep")
        for part in [*value, *value.values()] if isinstance(value, dict) else value:
            _require_plain(part, levels - 1)
    elif isinstance(value, str):
        require_printable(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("must hold finite numbers")
    elif isinstance(value, int) and abs(value) > _LARGEST_WHOLE:
        raise ValueError(f"must hold no whole number beyond {_LARGEST_WHOLE}")


Currency = Annotated[str, AfterValidator(_currency)]
Features = Annotated[dict[str, Any], AfterValidator(_features)]


class CreatePlan(Input):
    """A further plan. ``event_limit`` is in events at once, null = unlimited; ``features`` is any JSON object."""

    name: Name
    """The name that people read."""
    price: Money = Decimal(0)
    """What the plan costs, in its currency with at most two decimals."""
    currency: Currency = "BDT"
    """The currency of the price, such as `BDT`."""
    event_limit: Count | None = None
    """How many events at once the plan allows; null is unlimited."""
    features: Annotated[Features, Field(default_factory=dict)]
    """What the plan offers, as the admins have written it."""


@operation(allow(*ADMINS, scope=Scope.ADMIN), creates=True, raises=(errors.NameTaken,))
async def create_plan(ctx: Context, data: CreatePlan) -> PlanView:
    """Make a plan that organizations can be put on."""
    return await new_plan(data)


async def new_plan(data: CreatePlan) -> PlanView:
    """Raises NameTaken."""
    async with in_transaction():
        _require_free(await _lock_plans(), data.name)
        return plan_view(await Plan.create(**data.model_dump()))


async def _lock_plans() -> list[Plan]:
    """All plans; nobody else makes or renames one until the transaction ends.

    What is locked is what there was before: somebody's new plan is seen by looking again.
    """
    await lock_in_order(Plan.all())
    return await Plan.all()


def _require_free(others: list[Plan], name: str) -> None:
    if fold(name) in {fold(other.name) for other in others}:
        raise errors.NameTaken("plan")


class UpdatePlan(Input):
    """What of a plan can change; null makes ``event_limit`` unlimited. ``features`` are replaced as a whole."""

    name: NotNull[Name] = None
    """The name that people read."""
    price: NotNull[Money] = None
    """What the plan costs, in its currency with at most two decimals."""
    currency: NotNull[Currency] = None
    """The currency of the price, such as `BDT`."""
    event_limit: Count | None = None
    """How many events at once the plan allows; null is unlimited."""
    features: NotNull[Features] = None
    """What the plan offers, as the admins have written it."""


@operation(allow(*ADMINS, scope=Scope.ADMIN), raises=(errors.NotFound, errors.NameTaken, errors.DefaultPlan))
async def update_plan(ctx: Context, id: PlanId, data: UpdatePlan) -> PlanView:
    """Change what is sent of a plan, for all organizations that are on it."""
    return await change_plan(id, data)


async def change_plan(plan_id: int, data: UpdatePlan) -> PlanView:
    """Raises NotFound, NameTaken, DefaultPlan."""
    async with in_transaction():
        plans = await _lock_plans()
        plan = next((one for one in plans if one.id == plan_id), None)
        if plan is None:
            raise errors.NotFound("Plan")
        if data.name is not None:
            _require_renamable(plan, data.name)
            _require_free([other for other in plans if other.id != plan_id], data.name)
        if changes := data.changed_fields():
            plan.update_from_dict(changes)
            await plan.save(update_fields=list(changes))
    return plan_view(plan)


def _require_renamable(plan: Plan, name: str) -> None:
    if plan.name == DEFAULT_PLAN and name != DEFAULT_PLAN:
        raise errors.DefaultPlan


@operation(allow(*ADMINS, scope=Scope.ADMIN), raises=(errors.NotFound, errors.PlanInUse, errors.DefaultPlan))
async def delete_plan(ctx: Context, id: PlanId) -> DeletedView:
    """Delete a plan that no organization is on."""
    return await remove_plan(id)


async def remove_plan(plan_id: int) -> DeletedView:
    """Raises NotFound, PlanInUse, DefaultPlan.

    Locks no other plan: an organization that moves from this one to another would wait for that, and this for it.
    """
    plan = await Plan.get_or_none(id=plan_id)
    if plan is None:
        raise errors.NotFound("Plan")
    if plan.name == DEFAULT_PLAN:
        raise errors.DefaultPlan
    try:
        async with in_transaction():
            if not await Plan.filter(id=plan_id).delete():
                raise errors.NotFound("Plan")
    except IntegrityError as error:
        raise errors.PlanInUse from error
    return deleted(plan_id)
