"""The commands for plans: ``plans``, ``create-plan``, ``update-plan`` and ``delete-plan`` (decisions 5.2).

They accept and refuse what the API does.
"""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from cyclopts import Parameter, Token

from amarevents.cli.settings import read_settings
from amarevents.models import Plan
from amarevents.models.db.connection import open_database
from amarevents.resolvers.core.operation import validate
from amarevents.resolvers.events.plans import (
    CreatePlan,
    PlanView,
    UpdatePlan,
    change_plan,
    new_plan,
    remove_plan,
)

Unlimited = Literal["unlimited"]

_UNLIMITED: Unlimited = "unlimited"


def _price(_type: object, tokens: Sequence[Token]) -> Decimal:
    try:
        return Decimal(tokens[0].value)
    except InvalidOperation:
        raise ValueError("Must be a number such as 499.50.") from None


def _event_limit(_type: object, tokens: Sequence[Token]) -> int | Unlimited:
    text = tokens[0].value
    if text == _UNLIMITED:
        return _UNLIMITED
    if not text.isdecimal():
        raise ValueError(f"Must be a whole number or '{_UNLIMITED}'.")
    return int(text)


def _require_json(_type: object, text: str | None) -> None:
    try:
        json.loads("null" if text is None else text)
    except ValueError:
        raise ValueError("Must be JSON.") from None


PlanId = Annotated[int, Parameter(name="--id", metavar="ID", help="ID of the plan, as 'amarevents plans' lists it.")]
Price = Annotated[
    Decimal | None,
    Parameter(metavar="AMOUNT", help="Price, such as 499.50. New plans default to 0.", converter=_price),
]
Currency = Annotated[
    str | None, Parameter(metavar="CODE", help="Three-letter currency code. New plans default to BDT.")
]
EventLimit = Annotated[
    int | Unlimited | None,
    Parameter(
        metavar="N",
        help="Maximum number of events at once, or 'unlimited'. New plans default to unlimited.",
        converter=_event_limit,
        show_choices=False,
    ),
]
Features = Annotated[
    str | None,
    Parameter(
        metavar="JSON",
        help="Features of the plan as a JSON object. New plans default to {}.",
        validator=_require_json,
    ),
]


async def list_plans() -> None:
    async with open_database(read_settings()):
        for plan in await Plan.all().order_by("id"):
            print(_line_of(PlanView.from_model(plan)))


async def create_plan(
    *,
    name: Annotated[str, Parameter(metavar="NAME", help="Name of the plan.")],
    price: Price = None,
    currency: Currency = None,
    event_limit: EventLimit = None,
    features: Features = None,
) -> None:
    fields = _fields(name=name, price=price, currency=currency, event_limit=event_limit, features=features)
    data = validate(CreatePlan, fields)
    assert isinstance(data, CreatePlan)  # noqa: S101 - for the type checker
    async with open_database(read_settings()):
        print(_line_of(await new_plan(data)))


async def update_plan(
    *,
    plan_id: PlanId,
    name: Annotated[str | None, Parameter(metavar="NAME", help="New name of the plan.")] = None,
    price: Price = None,
    currency: Currency = None,
    event_limit: EventLimit = None,
    features: Features = None,
) -> None:
    fields = _fields(name=name, price=price, currency=currency, event_limit=event_limit, features=features)
    data = validate(UpdatePlan, fields)
    assert isinstance(data, UpdatePlan)  # noqa: S101 - for the type checker
    async with open_database(read_settings()):
        print(_line_of(await change_plan(plan_id, data)))


async def delete_plan(*, plan_id: PlanId) -> None:
    async with open_database(read_settings()):
        print(f"Deleted plan {(await remove_plan(plan_id)).id}")


def _fields(
    *,
    name: str | None,
    price: Decimal | None,
    currency: str | None,
    event_limit: int | Unlimited | None,
    features: str | None,
) -> dict[str, object]:
    """Return the fields that were given, as the API takes them."""
    fields: dict[str, object] = {"name": name, "price": price, "currency": currency}
    fields = {field: value for field, value in fields.items() if value is not None}
    if event_limit is not None:
        fields["event_limit"] = None if event_limit == _UNLIMITED else event_limit
    if features is not None:
        fields["features"] = json.loads(features)
    return fields


def _line_of(plan: PlanView) -> str:
    limit = _UNLIMITED if plan.event_limit is None else f"{plan.event_limit} at once"
    features = json.dumps(plan.features, ensure_ascii=False)
    return f"{plan.id:>6}  {plan.name}  {plan.price:.2f} {plan.currency}  events: {limit}  {features}"
