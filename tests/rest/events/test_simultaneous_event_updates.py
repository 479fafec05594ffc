"""Simultaneous updates of one event, which lose no change and break no rule together."""

import asyncio
from typing import Any

import pytest
from tortoise.queryset import QuerySet

from amarevents.models import Event
from amarevents.resolvers.events import mutations
from tests.rest.conftest import Stage
from tests.support.rest_answers import Outcomes, data_of, outcomes

CHANGES = {
    "name": "Boishakh", "location": "Ramna", "description": "Songs", "notice": "Early", "wallets": {"bkash": "017"},
}  # fmt: skip


@pytest.fixture
def slow_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delay each write until all requests have read the event."""
    change = mutations._change

    async def change_late(event: Event, changes: dict[str, Any]) -> None:  # Any: each column's own type
        await asyncio.sleep(0.3)
        await change(event, changes)

    monkeypatch.setattr(mutations, "_change", change_late)


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)


async def update_simultaneously(stage: Stage, *bodies: dict[str, Any]) -> Outcomes:
    path = f"/events/{stage.event.id}"
    return outcomes(await asyncio.gather(*(stage.organizer.put(path, body) for body in bodies)))


async def searchable_words(stage: Stage) -> list[str]:
    """Return the words of CHANGES by which search finds the event."""
    words = [str(CHANGES[field]) for field in ("name", "location", "description")]
    return [word for word in words if data_of(await stage.buyer.get("/events", search=word))]


@pytest.mark.usefixtures("slow_changes")
async def test_simultaneous_changes_of_different_fields_are_all_kept(stage: Stage) -> None:
    assert await update_simultaneously(stage, *({field: value} for field, value in CHANGES.items())) == {(200, None): 5}
    shown = data_of(await stage.organizer.get(f"/events/{stage.event.id}"))
    assert {field: shown[field] for field in CHANGES} == CHANGES
    assert await searchable_words(stage) == ["Boishakh", "Ramna", "Songs"]


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_changes", "without_locks")
async def test_without_the_lock_search_would_lose_changes(stage: Stage) -> None:
    await update_simultaneously(stage, *({field: value} for field, value in CHANGES.items()))
    assert len(await searchable_words(stage)) < 3


async def set_date_and_deadline(stage: Stage) -> tuple[Outcomes, Event]:
    """Set the date and a later deadline in two requests: each is valid alone, both together are not."""
    counts = await update_simultaneously(stage, {"date": "2030-05-01"}, {"deadline": "2030-05-02"})
    return counts, await Event.get(id=stage.event.id)


@pytest.mark.usefixtures("slow_changes")
async def test_simultaneous_changes_cannot_put_the_deadline_after_the_date(stage: Stage) -> None:
    counts, event = await set_date_and_deadline(stage)
    assert counts == {(200, None): 1, (400, "VALIDATION_ERROR"): 1}
    assert (event.date is None) != (event.deadline is None)
    assert str(event.sort_date) == str(event.date or "9999-12-31")


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_changes", "without_locks")
async def test_without_the_lock_the_deadline_would_be_after_the_date(stage: Stage) -> None:
    counts, event = await set_date_and_deadline(stage)
    assert counts == {(200, None): 2}
    assert event.date is not None
    assert event.deadline is not None
    assert event.deadline > event.date
