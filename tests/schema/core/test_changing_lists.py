"""Pagination through lists that change between pages: rows that exist throughout appear once and in order."""

import random
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from amarevents.models import Event, Organization, Ticket, User
from tests.support.pagination import EVENTS, TICKETS, in_order, numbered_pages, pages_backward, pages_forward
from tests.support.world import World, in_days

SEEDS = range(4)
ROWS, SIZE = 40, 5


class Events:
    """A list of events in which some are added and some are deleted between two pages."""

    def __init__(self, world: World, organization: Organization, seed: int) -> None:
        self._world, self._organization = world, organization
        self._random = random.Random(seed)
        self._existing: list[Event] = []

    async def add(self, count: int) -> None:
        for _ in range(count):
            date = None if self._random.random() < 0.3 else in_days(self._random.randrange(-3, 4))
            self._existing.append(await self._world.event(self._organization, date=date))

    async def change(self) -> None:
        for _ in range(self._random.randrange(3)):
            await self._remove()
        await self.add(self._random.randrange(3))

    async def _remove(self) -> None:
        event = self._existing.pop(self._random.randrange(len(self._existing)))
        await Event.filter(id=event.id).delete()

    def in_order(self) -> list[int]:
        return [event.id for event in in_order(self._existing)]


async def _ids_seen(pages: AsyncIterator[list[int]], events: Events, *, backward: bool = False) -> list[int]:
    """Return all IDs that the pages contain, in the order of the list, while the events change after each page."""
    seen: list[list[int]] = []
    async for page in pages:
        seen.append(page)
        await events.change()
    return [row_id for page in (reversed(seen) if backward else seen) for row_id in page]


def _is_exact(seen: list[int], before: list[int], after: list[int]) -> bool:
    """Return whether rows that exist before and after were seen once and in order, and no other row twice."""
    stayed = [row_id for row_id in before if row_id in set(after)]
    return len(set(seen)) == len(seen) and [row_id for row_id in seen if row_id in set(stayed)] == stayed


async def _events(world: World, seed: int) -> Events:
    events = Events(world, await world.organization(await world.organizer()), seed)
    await events.add(ROWS)
    return events


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("backward", [False, True])
async def test_cursor_pagination_neither_repeats_nor_skips_rows(world: World, seed: int, backward: bool) -> None:
    events = await _events(world, seed)
    before = events.in_order()
    pages = (pages_backward if backward else pages_forward)(world.anonymous, EVENTS, SIZE)
    assert _is_exact(await _ids_seen(pages, events, backward=backward), before, events.in_order())


@pytest.mark.parametrize("seed", SEEDS)
async def test_numbered_pages_repeat_or_skip_rows(world: World, seed: int) -> None:
    """Negative control: the list changes enough for numbered pages to repeat or skip rows."""
    events = await _events(world, seed)
    before = events.in_order()
    seen = await _ids_seen(numbered_pages(world.anonymous, SIZE), events)
    assert not _is_exact(seen, before, events.in_order())


async def test_loop_in_the_guide_visits_every_event(world: World) -> None:
    text = (Path(__file__).parents[3] / "docs/graphql.md").read_text().partition("## Cursor pagination")[2]
    [loop] = re.findall(r"```python\n(.*?)```", text.partition("\n## ")[0], re.DOTALL)
    namespace: dict[str, Any] = {}  # Any: what the code defines
    exec(loop.replace("first: 100", "first: 7"), namespace)
    events = await _events(world, 6)
    assert [int(event["id"]) async for event in namespace["every_event"](world.http)] == events.in_order()


async def test_pagination_is_exact_when_the_row_of_every_cursor_is_deleted(world: World) -> None:
    events = await _events(world, 5)
    seen, before = [], events.in_order()
    async for page in pages_forward(world.anonymous, EVENTS, SIZE):
        seen += page
        await Event.filter(id=page[-1]).delete()
    assert seen == before


async def test_new_tickets_do_not_shift_the_pages_of_older_ones(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    tickets = [await world.ticket(event, owner.user) for _ in range(12)]
    seen: list[int] = []
    async for page in pages_forward(owner, TICKETS, 3, of=event.id):
        seen += page
        await _replace_tickets(world, event, owner.user, page)
    assert seen == [ticket.id for ticket in reversed(tickets)]


async def _replace_tickets(world: World, event: Event, buyer: User, page: list[int]) -> None:
    for _ in range(2):
        await world.ticket(event, buyer)
    await Ticket.filter(id__in=[page[0], page[-1]]).delete()


async def test_event_whose_date_changes_appears_at_its_current_position(world: World) -> None:
    """It appears again when it moves ahead of the cursor, and not at all when it moves behind it, as the guide says."""
    organization = await world.organization(await world.organizer())
    events = [await world.event(organization, date=in_days(day)) for day in range(6)]
    pages = pages_forward(world.anonymous, EVENTS, 2)
    seen = await anext(pages)
    await _move(events[0], 10)
    await _move(events[5], 0)
    async for page in pages:
        seen += page
    assert seen == [events[day].id for day in (0, 1, 2, 3, 4, 0)]


async def _move(event: Event, day: int) -> None:
    await Event.filter(id=event.id).update(date=in_days(day), sort_date=in_days(day))
