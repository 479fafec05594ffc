"""Plans of organizations (decisions 5.2)."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

import orjson
from pydantic import AfterValidator, Field
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import Plan
from amarevents.models.columns import encode_json
from amarevents.models.db.sql import is_in
from amarevents.models.organizations import DEFAULT_PLAN
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.resolvers.core.ids import PlanId
from amarevents.resolvers.core.inputs import Count, DeletedView, Input, Money, NotNull, RecordId, deleted
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, WholeListPaging, paginate
from amarevents.resolvers.core.select import Select, by_id
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.core.text_types import Name, require_printable
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow
from amarevents.text import nfc

_MAX_DEPTH = 5
_MAX_FEATURES = 10_000  # characters of JSON
_MAX_INTEGER = 2**53 - 1  # the largest that every JSON parser represents exactly


@dataclass(slots=True, kw_only=True)
class PlanView:
    """A plan that organizations can be on."""

    id: RecordId
    """The ID of the plan."""
    name: str
    """The name of the plan, unique; neither case nor invisible characters make a difference."""
    price: Decimal
    """The price of the plan, in its currency."""
    currency: str
    """The currency of the price, a three-letter code such as `BDT`."""
    event_limit: int | None
    """The maximum number of events of an organization; null means unlimited."""
    features: dict[str, object]
    """The features of the plan, any JSON object."""

    @classmethod
    def from_model(cls, plan: Plan) -> "PlanView":
        return cls(
            id=RecordId(plan.id),
            name=plan.name,
            price=plan.price,
            currency=plan.currency,
            event_limit=plan.event_limit,
            features=dict(plan.features),
        )


_PLANS = Select(Source(PlanView, "plans"))


async def load_plans(ctx: Context, names: Sequence[str]) -> dict[str, PlanView]:
    """Return the plans by name, in one statement."""
    return {plan.name: plan for plan in await _PLANS.where(is_in("plans.name", names)).fetch()}


async def load_plans_by_id(ctx: Context, ids: Sequence[int]) -> dict[int, PlanView]:
    """Return the plans by ID, in one statement."""
    return by_id(await _PLANS.where(is_in("plans.id", ids)).fetch())


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_plans(ctx: Context, data: WholeListPaging) -> Page[PlanView]:
    """List all plans, newest first."""
    return paginate(await _PLANS.order_by("plans.id", descending=True).fetch(), data)


def _parse_currency(text: str) -> str:
    if len(text) != 3 or not (text.isascii() and text.isalpha()):
        raise ValueError("must be a three-letter currency code, such as BDT")
    return text.upper()


def _check_features(features: dict[str, object]) -> dict[str, object]:
    _check_json(features, _MAX_DEPTH)
    if len(encode_json(features)) > _MAX_FEATURES:
        raise ValueError(f"must have at most {_MAX_FEATURES} characters as JSON")
    normalized: dict[str, object] = orjson.loads(nfc(encode_json(features)))
    return normalized


def _check_json(value: object, levels: int) -> None:
    """Raise ValueError for JSON that the databases cannot store, or that JSON parsers read in different ways."""
    if isinstance(value, dict | list):
        if levels == 0:
            raise ValueError(f"must be nested at most {_MAX_DEPTH} levels deep")
        for part in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_json(part, levels - 1)
    elif isinstance(value, str):
        require_printable(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("must contain only finite numbers")
    elif isinstance(value, int) and abs(value) > _MAX_INTEGER:
        raise ValueError(f"must not contain integers greater than {_MAX_INTEGER} or less than -{_MAX_INTEGER}")


Currency = Annotated[str, AfterValidator(_parse_currency)]
Features = Annotated[dict[str, object], AfterValidator(_check_features)]


class CreatePlan(Input):
    """Fields of the plan to create."""

    name: Name
    """The name of the plan, unique; neither case nor invisible characters make a difference."""
    price: Money = Decimal(0)
    """The price of the plan, in its currency, with at most two decimal places."""
    currency: Currency = "BDT"
    """The currency of the price, a three-letter code such as `BDT`."""
    event_limit: Count | None = None
    """The maximum number of events of an organization; null means unlimited."""
    features: Annotated[Features, Field(default_factory=dict)]
    """The features of the plan, any JSON object of at most 10,000 characters."""


@operation(allow(*ADMINS, scope=Scope.ADMIN), creates=True, changes=(Plan,), raises=(errors.NameTaken,))
async def create_plan(ctx: Context, data: CreatePlan) -> PlanView:
    """Create a plan."""
    return await new_plan(data)


async def new_plan(data: CreatePlan) -> PlanView:
    """Create a plan. Raises NameTaken."""
    with _name_taken():
        return PlanView.from_model(await Plan.create(**data.model_dump()))


def _name_taken() -> AbstractContextManager[None]:
    """Raise NameTaken for a statement in the block that makes the folded names of two plans equal."""
    return integrity_errors({"name_key": errors.NameTaken("plan")})


class UpdatePlan(Input):
    """Fields of the plan to update; omitted fields stay unchanged."""

    name: NotNull[Name] = None
    """The name of the plan, unique; neither case nor invisible characters make a difference."""
    price: NotNull[Money] = None
    """The price of the plan, in its currency, with at most two decimal places."""
    currency: NotNull[Currency] = None
    """The currency of the price, a three-letter code such as `BDT`."""
    event_limit: Count | None = None
    """The maximum number of events of an organization; null means unlimited."""
    features: NotNull[Features] = None
    """The features of the plan, any JSON object of at most 10,000 characters."""


@operation(
    allow(*ADMINS, scope=Scope.ADMIN),
    changes=(Plan,),
    raises=(errors.NotFound, errors.NameTaken, errors.DefaultPlan),
)
async def update_plan(ctx: Context, id: PlanId, data: UpdatePlan) -> PlanView:
    """Update a plan, for all organizations that are on it."""
    return await change_plan(id, data)


async def change_plan(plan_id: int, data: UpdatePlan) -> PlanView:
    """Update a plan. Raises NotFound, NameTaken or DefaultPlan."""
    async with in_transaction():
        plan = await Plan.filter(id=plan_id).select_for_update().get_or_none()
        if plan is None:
            raise errors.NotFound("Plan")
        if data.name is not None:
            _require_renamable(plan, data.name)
        if changes := data.changed_fields():
            plan.update_from_dict(changes)
            with _name_taken():
                await plan.save(update_fields=[*changes, "name_key"])
    return PlanView.from_model(plan)


def _require_renamable(plan: Plan, name: str) -> None:
    if plan.name == DEFAULT_PLAN and name != DEFAULT_PLAN:
        raise errors.DefaultPlan


@operation(
    allow(*ADMINS, scope=Scope.ADMIN),
    changes=(Plan,),
    raises=(errors.NotFound, errors.PlanInUse, errors.DefaultPlan),
)
async def delete_plan(ctx: Context, id: PlanId) -> DeletedView:
    """Delete a plan that no organization is on."""
    return await remove_plan(id)


async def remove_plan(plan_id: int) -> DeletedView:
    """Delete a plan. Raises NotFound, PlanInUse or DefaultPlan.

    It locks no other plan: it could deadlock with an organization that moves from this plan to another.
    """
    plan = await Plan.get_or_none(id=plan_id)
    if plan is None:
        raise errors.NotFound("Plan")
    if plan.name == DEFAULT_PLAN:
        raise errors.DefaultPlan
    with integrity_errors({}, otherwise=errors.PlanInUse()):
        async with in_transaction():
            if not await Plan.filter(id=plan_id).delete():
                raise errors.NotFound("Plan")
    return deleted(plan_id)
