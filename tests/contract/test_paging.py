"""Lists, page by page: no gap, no repetition, the documented order and right totals, under every filter."""

from string import Template

import httpx
import pytest

from tests.contract.access import Row
from tests.contract.lists import LENGTH, SHELVES, Fill, Query, Shelf
from tests.contract.queries import LISTS_WITHOUT_PAGES, QUERIES
from tests.contract.scene import Scene
from tests.support.rest_answers import data_of, page_in
from tests.support.tables import require_rows
from tests.support.world import World

EVERY_SHELF = pytest.mark.parametrize("fill", SHELVES, ids=lambda fill: fill.__name__)


async def _pages(shelf: Shelf, query: Query, limit: int) -> list[list[int]]:
    """The ids of all pages, each with the pagination that it ought to have."""
    total = len(next(ids for one, ids in shelf.found if one == query))
    pages = -(-total // limit)
    found = []
    for page in range(1, pages + 1):
        ids, pagination = page_in(await shelf.caller.get(shelf.path, **query, page=page, limit=limit))
        assert pagination == {"total": total, "page": page, "limit": limit, "pages": pages}
        found.append(ids)
    return found


@EVERY_SHELF
async def test_pages_have_no_gap_and_no_repetition_under_every_filter(world: World, fill: Fill) -> None:
    shelf = await fill(world)
    for query, ids in shelf.found:
        for limit in (1, 3, LENGTH, 100):
            expected = [ids[start : start + limit] for start in range(0, len(ids), limit)]
            assert await _pages(shelf, query, limit) == expected, (query, limit)


@EVERY_SHELF
async def test_beyond_the_end_a_page_is_empty_and_tells_the_total(world: World, fill: Fill) -> None:
    shelf = await fill(world)
    for query, ids in shelf.found:
        for page in (-(-len(ids) // 3) + 1, 2**31 - 1):
            answer = page_in(await shelf.caller.get(shelf.path, **query, page=page, limit=3))
            assert answer == ([], {"total": len(ids), "page": page, "limit": 3, "pages": -(-len(ids) // 3)})


@EVERY_SHELF
async def test_without_page_and_limit_it_is_the_first_twenty(world: World, fill: Fill) -> None:
    shelf = await fill(world)
    query, ids = shelf.found[0]
    answer = page_in(await shelf.caller.get(shelf.path, **query))
    assert answer == (ids[:20], {"total": len(ids), "page": 1, "limit": 20, "pages": 1})


async def test_more_than_twenty_take_a_second_page(world: World) -> None:
    owner = await world.organizer()
    made = [(await world.organization(owner)).id for _ in range(21)]
    first, pagination = page_in(await world.anonymous.get("/organizations"))
    assert first == made[:0:-1]
    assert pagination == {"total": 21, "page": 1, "limit": 20, "pages": 2}
    assert page_in(await world.anonymous.get("/organizations", page=2))[0] == made[:1]


@pytest.mark.parametrize("path", ["/events", "/organizations"])
async def test_an_empty_list_has_no_pages(world: World, path: str) -> None:
    answer = page_in(await world.anonymous.get(path))
    assert answer == ([], {"total": 0, "page": 1, "limit": 20, "pages": 0})


async def test_every_paged_list_is_on_a_shelf_with_every_filter(world: World) -> None:
    filtered: dict[str, set[str]] = {}
    for fill in SHELVES:
        shelf = await fill(world)
        path = "/".join("$event" if part.isdecimal() else part for part in shelf.path.split("/"))
        filtered.setdefault(path, set()).update(*[query for query, _ in shelf.found])
    rows = [(path, name) for path, names in filtered.items() for name in ("", *names)]
    required = [(path, name) for path, names in QUERIES.items() for name in {"", *names} - {"page", "limit"}]
    require_rows("SHELVES in tests/contract/lists.py (all rows of QUERIES in queries.py)", rows, required)


@pytest.mark.parametrize("path", LISTS_WITHOUT_PAGES)
async def test_a_list_without_paging_is_whole_whatever_is_asked(scene: Scene, path: str) -> None:
    """decisions 1.2"""
    for number in range(3):
        await scene.world.custom_field(scene.event, f"Question {number}")
        await scene.world.ticket_type(scene.event)
        await scene.world.key(scene.admin)
    caller = await scene.caller("admin")
    target = Template(path).substitute(await scene.given(Row("GET", path, "", "", ""), caller))
    joined = "&" if "?" in target else "?"
    whole = await caller.http.get(f"/api{target}", headers=caller.headers)
    part = await caller.http.get(f"/api{target}{joined}page=2&limit=1", headers=caller.headers)
    assert _ids(part) == _ids(whole)
    assert "pagination" not in part.json()


def _ids(answer: httpx.Response) -> list[int]:
    return [one.get("id") or one["key_id"] for one in data_of(answer)]
