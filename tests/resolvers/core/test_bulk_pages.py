"""Pages of many lists loaded together, equal to the pages of each list alone."""

import pytest

from amarevents.models.db.sql import is_in, sql
from amarevents.models.enums import EventSort
from amarevents.resolvers.core import bulk_pages
from amarevents.resolvers.core.bulk_pages import PageRequest, load_pages
from amarevents.resolvers.core.pagination import Page, Paging, page_of, read_slice
from amarevents.resolvers.events.schedule import event_order
from amarevents.resolvers.events.views import EVENTS, EventView
from tests.support.statements import counted_statements
from tests.support.world import World, in_days

NAMES = ["Fair", "O'Neill; DROP TABLE events; --", "100 % {rows}", "Fair"]


async def _page_requests(world: World) -> dict[tuple[int, int, EventSort | None], PageRequest[EventView]]:
    """Return requests for three pages of each of three lists, which begin with upcoming and end with past events."""
    organizations = [await world.organization(await world.organizer()) for _ in range(3)]
    for organization in organizations:
        for number, name in enumerate([*NAMES, *NAMES]):
            await world.event(organization, name=name, date=in_days(4 - number))
    return {
        (organization.id, page, sort): PageRequest(
            rows=EVENTS.where(sql("events.organization_id = ?", organization.id), is_in("events.name", NAMES[:3])),
            order=event_order(sort, in_days(0)),
            paging=Paging(page=page, limit=2),
        )
        for organization in organizations
        for page in (1, 2, 3, 9)
        for sort in (None, *EventSort)
    }


async def _alone(one: PageRequest[EventView]) -> Page[EventView]:
    rows = await read_slice(one.order.read(one.rows), offset=one.paging.offset, limit=one.paging.limit)
    return page_of(rows, await one.rows.count(), one.paging)


async def test_pages_equal_those_of_each_list_alone(world: World) -> None:
    requests = await _page_requests(world)
    with counted_statements() as statements:
        found = await load_pages(requests)
    assert len(statements) == 3
    assert found == {key: await _alone(one) for key, one in requests.items()}
    assert {len(page.items) for page in found.values()} == {0, 2}


@pytest.mark.parametrize("bound", ["_PARTS", "_ROWS"])
async def test_many_lists_are_split_into_several_statements(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    requests = await _page_requests(world)
    whole = await load_pages(requests)
    monkeypatch.setattr(bulk_pages, bound, 20)
    with counted_statements() as statements:
        assert await load_pages(requests) == whole
    assert len(statements) > 3


async def test_no_request_executes_no_statement(database: None) -> None:
    nothing: dict[int, PageRequest[EventView]] = {}
    with counted_statements() as statements:
        assert await load_pages(nothing) == {}
    assert statements == []
