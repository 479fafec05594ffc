"""The commands ``plans``, ``create-plan``, ``update-plan`` and ``delete-plan``."""

import re

import pytest

from tests.support.programs import Program


def test_plans_are_created_updated_and_deleted(program: Program) -> None:
    program.printed("migrate")
    [free] = program.printed("plans").splitlines()
    assert re.fullmatch(r" +\d+  Free  0\.00 BDT  events: unlimited  \{\}", free)
    options = ["--price", "1999.9", "--currency", "usd", "--event-limit", "25", "--features", '{"support": "প্রতিদিন"}']
    created = program.printed("create-plan", "--name", "Gold", *options)
    plan_id, _, rest = created.strip().partition("  ")
    assert rest == 'Gold  1999.90 USD  events: 25 at once  {"support": "প্রতিদিন"}'
    changed = program.printed("update-plan", "--id", plan_id, "--event-limit", "unlimited", "--name", "Silver")
    assert changed == created.replace("Gold", "Silver").replace("25 at once", "unlimited")
    assert program.printed("plans") == f"{free}\n{changed}"
    assert program.printed("delete-plan", "--id", plan_id) == f"Deleted plan {plan_id}\n"
    assert program.printed("plans") == f"{free}\n"


REFUSALS = {
    ("create-plan", "--name", "FREE"): "A plan with this name already exists",
    ("create-plan", "--name", "Gold", "--price", "-1"): "Invalid input: price: ",
    ("create-plan", "--name", "Gold", "--features", "[]"): "Invalid input: features: must be an object",
    ("update-plan", "--id", "1", "--name", "Basic"): "The default plan of new organizations",
    ("delete-plan", "--id", "99"): "Plan not found",
}


@pytest.mark.backend("sqlite")
def test_commands_refuse_the_plans_that_the_api_refuses(ready: Program) -> None:
    before = ready.printed("plans")
    refusals = {arguments: ready.refusal(*arguments) for arguments in REFUSALS}
    assert [one for one in refusals if not refusals[one].startswith(f"amarevents: {REFUSALS[one]}")] == []
    assert ready.printed("plans") == before
