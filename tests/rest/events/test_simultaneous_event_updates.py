"""Changes of one event at the same time: none is lost, and together they keep the rules that each one keeps."""

import asyncio
from typing import Any

import pytest
from tortoise.queryset import QuerySet

from amarevents.models import Event
from amarevents.resolvers.events import mutations
from tests.rest.conftest import Stage
from tests.rest.tickets.test_capacity import Outcomes, outcomes
from tests.support.rest_answers import data_of

PARTS = {
    "name": "Boishakh", "location": "Ramna", "description": "Songs", "notice": "Early", "wallets": {"bkash": "017"},
}  # fmt: skip


@pytest.fixture
def slow_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough between reading an event and writing it for all the others to come."""
    change = mutations._change

    async def change_late(event: Event, changes: dict[str, Any]) -> None:  # Any: each column's own type
        await asyncio.sleep(0.3)
        await change(event, changes)

    monkeypatch.setattr(mutations, "_change", change_late)


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)


async def update_at_once(stage: Stage, *bodies: dict[str, Any]) -> Outcomes:
    path = f"/events/{stage.event.id}"
    return outcomes(await asyncio.gather(*(stage.organizer.put(path, body) for body in bodies)))


async def found_by(stage: Stage) -> list[str]:
    """The words of PARTS by which search finds the event."""
    words = [str(PARTS[field]) for field in ("name", "location", "description")]
    return [word for word in words if data_of(await stage.buyer.get("/events", search=word))]


@pytest.mark.usefixtures("slow_changes")
async def test_changes_of_different_fields_all_survive(stage: Stage) -> None:
    assert await update_at_once(stage, *({field: value} for field, value in PARTS.items())) == {(200, None): 5}
    shown = data_of(await stage.organizer.get(f"/events/{stage.event.id}"))
    assert {field: shown[field] for field in PARTS} == PARTS
    assert await found_by(stage) == ["Boishakh", "Ramna", "Songs"]


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_changes", "without_locks")
async def test_without_the_lock_search_would_lose_some(stage: Stage) -> None:
    await update_at_once(stage, *({field: value} for field, value in PARTS.items()))
    assert len(await found_by(stage)) < 3


async def move_apart(stage: Stage) -> tuple[Outcomes, Event]:
    """The date comes forward while the deadline goes back: each fits the event, both together do not."""
    happened = await update_at_once(stage, {"date": "2030-05-01"}, {"deadline": "2030-05-02"})
    return happened, await Event.get(id=stage.event.id)


@pytest.mark.usefixtures("slow_changes")
async def test_date_and_deadline_do_not_pass_each_other(stage: Stage) -> None:
    happened, event = await move_apart(stage)
    assert happened == {(200, None): 1, (400, "VALIDATION_ERROR"): 1}
    assert (event.date is None) != (event.deadline is None)
    assert str(event.sort_date) == str(event.date or "9999-12-31")


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_changes", "without_locks")
async def test_without_the_lock_they_would_pass_each_other(stage: Stage) -> None:
    happened, event = await move_apart(stage)
    assert happened == {(200, None): 2}
    assert event.date is not None
    assert event.deadline is not None
    assert event.deadline > event.date
