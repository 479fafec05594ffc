"""Results with too many objects: the rest of the objects is omitted, with a single error."""

from typing import Any

import pytest

from amarevents.models import CustomField
from amarevents.schema.execution import cost, executor
from tests.support.world import World

ROUND = "{ event(id: %d) { name customFields { event { customFields { event { customFields { id } } } } } } }"

# Any: JSON.


async def _query_round_trip(world: World, monkeypatch: pytest.MonkeyPatch, *, fields: int) -> dict[str, Any]:
    monkeypatch.setattr(executor, "MAX_OBJECTS", 600)
    event = await world.event(await world.organizer())
    await CustomField.bulk_create([CustomField(event=event, name=f"Question {number}") for number in range(fields)])
    return await world.anonymous.graphql(ROUND % event.id)


async def test_result_with_too_many_objects_has_one_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await _query_round_trip(world, monkeypatch, fields=20)
    [failure] = answer["errors"]
    assert (failure["extensions"]["code"], failure["extensions"]["status"]) == ("ANSWER_TOO_LARGE", 400)


async def test_result_within_the_limit_is_complete(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await _query_round_trip(world, monkeypatch, fields=5)
    assert "errors" not in answer
    assert len(answer["data"]["event"]["customFields"]) == 5


async def test_objects_are_counted_for_each_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        assert "errors" not in await _query_round_trip(world, monkeypatch, fields=5)


async def test_cycle_through_api_keys_is_rejected_by_its_cost(world: World) -> None:
    answer = await world.anonymous.graphql("{ me { apiKeys { owner { apiKeys { owner { apiKeys { id } } } } } } }")
    assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
    assert str(cost.MAX_COST) in answer["errors"][0]["message"]
