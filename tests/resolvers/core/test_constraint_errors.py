"""The translation of violated database constraints into errors of the API."""

import pytest
from tortoise.exceptions import IntegrityError

from amarevents import errors
from amarevents.models import Organization, Plan
from amarevents.resolvers.core.constraint_errors import integrity_errors
from tests.support.world import World

TAKEN = errors.ValidationFailed({"name": "is taken"})
NOT_FOUND = errors.NotFound("Plan")


async def test_violation_of_a_unique_column_raises_its_error(world: World) -> None:
    await Plan.create(name="gold")
    with pytest.raises(errors.ValidationFailed) as raised, integrity_errors({"name_key": TAKEN}, otherwise=NOT_FOUND):
        await Plan.create(name="gold")
    assert raised.value is TAKEN
    assert await Plan.filter(name="gold").count() == 1


async def test_other_violation_raises_the_default_error(world: World) -> None:
    owner = await world.user()
    with pytest.raises(errors.NotFound) as raised, integrity_errors({"name_key": TAKEN}, otherwise=NOT_FOUND):
        await Organization.create(name="x", user_id=owner.id, plan_id=999_999, search_text="")
    assert raised.value is NOT_FOUND
    assert not await Organization.exists()


async def test_violation_without_an_error_is_not_translated(world: World) -> None:
    await Plan.create(name="gold")
    with pytest.raises(IntegrityError), integrity_errors({"name_key": None}, otherwise=NOT_FOUND):
        await Plan.create(name="gold")


async def test_other_errors_are_not_translated(world: World) -> None:
    with pytest.raises(errors.SoldOut), integrity_errors({"name_key": TAKEN}, otherwise=NOT_FOUND):
        raise errors.SoldOut
