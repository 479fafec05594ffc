"""Walks through lists that change meanwhile: what was there throughout is shown once, and in order."""

import random
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from amarevents.models import Event, Organization, Ticket, User
from tests.support.walking import EVENTS, TICKETS, numbered_pages, pages_backward, pages_forward
from tests.support.world import World, in_days

SEEDS = range(4)
ROWS, SIZE = 40, 5


class Events:
    """Between two pages some events come and some go, anywhere in the list."""

    def __init__(self, world: World, organization: Organization, seed: int) -> None:
        self._world, self._organization = world, organization
        self._chance = random.Random(seed)
        self._living: list[Event] = []

    async def add(self, count: int) -> None:
        for _ in range(count):
            date = None if self._chance.random() < 0.3 else in_days(self._chance.randrange(6))
            self._living.append(await self._world.event(self._organization, date=date))

    async def change(self) -> None:
        for _ in range(self._chance.randrange(3)):
            await self._remove()
        await self.add(self._chance.randrange(3))

    async def _remove(self) -> None:
        event = self._living.pop(self._chance.randrange(len(self._living)))
        await Event.filter(id=event.id).delete()

    def in_order(self) -> list[int]:
        return [event.id for event in sorted(self._living, key=lambda event: (event.sort_date, event.id))]


async def _walked(pages: AsyncIterator[list[int]], events: Events, *, backward: bool = False) -> list[int]:
    """All that is shown while the events change after each page, in the order of the list."""
    seen: list[list[int]] = []
    async for page in pages:
        seen.append(page)
        await events.change()
    return [one for page in (reversed(seen) if backward else seen) for one in page]


def _is_exact(seen: list[int], before: list[int], after: list[int]) -> bool:
    """Whether what was there at the beginning and at the end has been shown once, in order, and nothing else twice."""
    stayed = [one for one in before if one in set(after)]
    return len(set(seen)) == len(seen) and [one for one in seen if one in set(stayed)] == stayed


async def _events(world: World, seed: int) -> Events:
    events = Events(world, await world.organization(await world.organizer()), seed)
    await events.add(ROWS)
    return events


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("backward", [False, True])
async def test_a_walk_by_cursors_neither_repeats_nor_skips(world: World, seed: int, backward: bool) -> None:
    events = await _events(world, seed)
    before = events.in_order()
    pages = (pages_backward if backward else pages_forward)(world.anonymous, EVENTS, SIZE)
    assert _is_exact(await _walked(pages, events, backward=backward), before, events.in_order())


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_same_walk_by_numbered_pages_does(world: World, seed: int) -> None:
    """The control: the list changes enough to be noticed."""
    events = await _events(world, seed)
    before = events.in_order()
    seen = await _walked(numbered_pages(world.anonymous, SIZE), events)
    assert not _is_exact(seen, before, events.in_order())


async def test_the_loop_of_the_documentation_walks_the_list(world: World) -> None:
    text = (Path(__file__).parents[3] / "docs/graphql.md").read_text().partition("## Cursor pagination")[2]
    [loop] = re.findall(r"```python\n(.*?)```", text.partition("\n## ")[0], re.DOTALL)
    shown: dict[str, Any] = {}  # Any: what the text defines
    exec(loop.replace("first: 100", "first: 7"), shown)
    events = await _events(world, 6)
    assert [int(event["id"]) async for event in shown["every_event"](world.http)] == events.in_order()


async def test_a_walk_that_loses_the_row_of_every_cursor_is_exact(world: World) -> None:
    events = await _events(world, 5)
    seen, before = [], events.in_order()
    async for page in pages_forward(world.anonymous, EVENTS, SIZE):
        seen += page
        await Event.filter(id=page[-1]).delete()
    assert seen == before


async def test_tickets_that_come_while_the_older_ones_are_walked_move_nothing(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    tickets = [await world.ticket(event, owner.user) for _ in range(12)]
    seen: list[int] = []
    async for page in pages_forward(owner, TICKETS, 3, of=event.id):
        seen += page
        await _come_and_go(world, event, owner.user, page)
    assert seen == [ticket.id for ticket in reversed(tickets)]


async def _come_and_go(world: World, event: Event, buyer: User, page: list[int]) -> None:
    for _ in range(2):
        await world.ticket(event, buyer)
    await Ticket.filter(id__in=[page[0], page[-1]]).delete()


async def test_an_event_whose_date_changes_is_met_where_it_stands(world: World) -> None:
    """Moved behind the walk it is not met again or not at all, moved before it again: as the documentation says."""
    organization = await world.organization(await world.organizer())
    events = [await world.event(organization, date=in_days(day)) for day in range(6)]
    pages = pages_forward(world.anonymous, EVENTS, 2)
    seen = await anext(pages)
    await _move(events[0], 10)
    await _move(events[5], -10)
    async for page in pages:
        seen += page
    assert seen == [events[day].id for day in (0, 1, 2, 3, 4, 0)]


async def _move(event: Event, day: int) -> None:
    await Event.filter(id=event.id).update(date=in_days(day), sort_date=in_days(day))
