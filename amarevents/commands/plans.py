"""Plans on the command line: ``amarevents plans | create-plan | update-plan | delete-plan`` (decisions 5.2).

What may be said of a plan, and what is refused, is what the API has.
"""

import argparse
import json
from decimal import Decimal, InvalidOperation

from amarevents.commands import AddCommand
from amarevents.models import Plan
from amarevents.models.db.connection import open_database
from amarevents.resolvers.core.operation import validate
from amarevents.resolvers.events.plans import (
    CreatePlan,
    PlanView,
    UpdatePlan,
    change_plan,
    new_plan,
    plan_view,
    remove_plan,
)
from amarevents.settings import Settings

_UNLIMITED = "unlimited"


def add_plan_commands(add: AddCommand) -> None:
    add("plans", run_plans, "list the plans that organizations can be on")
    _add_fields(add("create-plan", run_create_plan, "create a plan"), name_is_required=True)
    updating = add("update-plan", run_update_plan, "change what is given of a plan")
    deleting = add("delete-plan", run_delete_plan, "delete a plan that no organization is on")
    for parser in (updating, deleting):
        parser.add_argument("--id", type=int, required=True, help="of the plan, as 'amarevents plans' lists it")
    _add_fields(updating, name_is_required=False)


def _add_fields(parser: argparse.ArgumentParser, *, name_is_required: bool) -> None:
    parser.argument_default = argparse.SUPPRESS  # what is left out is not sent: an update stays partial
    parser.add_argument("--name", required=name_is_required, help="by which organizations are put on it")
    parser.add_argument("--price", type=_price, help="such as 499.50 (a new plan: 0)")
    parser.add_argument("--currency", help="its three letters (a new plan: BDT)")
    parser.add_argument("--event-limit", type=_limit, help=f"events at once, or '{_UNLIMITED}' (a new plan: so)")
    parser.add_argument("--features", type=_json, help="what it offers, a JSON object (a new plan: {})")


def _price(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _limit(text: str) -> int | None:
    if text == _UNLIMITED:
        return None
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor '{_UNLIMITED}'")
    return int(text)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON") from None


def _given(options: argparse.Namespace) -> dict[str, object]:
    return {name: value for name, value in vars(options).items() if name in CreatePlan.model_fields}


async def run_plans(_options: argparse.Namespace, settings: Settings) -> None:
    async with open_database(settings):
        for plan in await Plan.all().order_by("id"):
            print(_line_of(plan_view(plan)))


async def run_create_plan(options: argparse.Namespace, settings: Settings) -> None:
    data = validate(CreatePlan, _given(options))
    assert isinstance(data, CreatePlan)  # noqa: S101 - for the type checker
    async with open_database(settings):
        print(_line_of(await new_plan(data)))


async def run_update_plan(options: argparse.Namespace, settings: Settings) -> None:
    data = validate(UpdatePlan, _given(options))
    assert isinstance(data, UpdatePlan)  # noqa: S101 - for the type checker
    async with open_database(settings):
        print(_line_of(await change_plan(options.id, data)))


async def run_delete_plan(options: argparse.Namespace, settings: Settings) -> None:
    async with open_database(settings):
        print(f"Deleted plan {(await remove_plan(options.id)).id}")


def _line_of(plan: PlanView) -> str:
    limit = _UNLIMITED if plan.event_limit is None else f"{plan.event_limit} at once"
    features = json.dumps(plan.features, ensure_ascii=False)
    return f"{plan.id:>6}  {plan.name}  {plan.price:.2f} {plan.currency}  events: {limit}  {features}"
