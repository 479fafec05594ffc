"""How many objects an answer holds is known only once it is made: what is too much is left out, and told once."""

from typing import Any

import pytest

from amarevents.models import CustomField
from amarevents.schema.execution import cost, executor
from tests.support.world import World

ROUND = "{ event(id: %d) { name customFields { event { customFields { event { customFields { id } } } } } } }"

# Any: JSON.


async def _asked(world: World, monkeypatch: pytest.MonkeyPatch, *, fields: int) -> dict[str, Any]:
    monkeypatch.setattr(executor, "MAX_OBJECTS", 600)
    event = await world.event(await world.organizer())
    await CustomField.bulk_create([CustomField(event=event, name=f"Question {number}") for number in range(fields)])
    return await world.anonymous.graphql(ROUND % event.id)


async def test_what_is_too_much_is_left_out_and_told_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await _asked(world, monkeypatch, fields=20)
    [failure] = answer["errors"]
    assert (failure["extensions"]["code"], failure["extensions"]["status"]) == ("ANSWER_TOO_LARGE", 400)


async def test_what_fits_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await _asked(world, monkeypatch, fields=5)
    assert "errors" not in answer
    assert len(answer["data"]["event"]["customFields"]) == 5


async def test_each_answer_is_counted_for_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        assert "errors" not in await _asked(world, monkeypatch, fields=5)


async def test_going_round_through_keys_is_refused_before(world: World) -> None:
    answer = await world.anonymous.graphql("{ me { apiKeys { owner { apiKeys { owner { apiKeys { id } } } } } } }")
    assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
    assert str(cost.MAX_COST) in answer["errors"][0]["message"]
