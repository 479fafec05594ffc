"""Numbered pages of every list: no gap, no repetition, the documented order and totals, under every filter."""

from string import Template

import httpx
import pytest

from tests.contract.access import Row
from tests.contract.lists import LISTS
from tests.contract.paged_list import LENGTH, FillList, PagedList, Query
from tests.contract.queries import QUERIES, WHOLE_LISTS
from tests.contract.scene import Scene
from tests.support.rest_answers import data_of, page_in
from tests.support.tables import check_rows
from tests.support.world import World

EVERY_LIST = pytest.mark.parametrize("fill", LISTS, ids=lambda fill: fill.__name__)


async def _pages(paged_list: PagedList, query: Query, limit: int) -> list[list[int]]:
    """Return the IDs of all pages, after a check of the pagination of each."""
    total = len(next(ids for one, ids in paged_list.expected if one == query))
    pages = -(-total // limit)
    found = []
    for page in range(1, pages + 1):
        ids, pagination = page_in(await paged_list.caller.get(paged_list.path, **query, page=page, limit=limit))
        assert pagination == {"total": total, "page": page, "limit": limit, "pages": pages}
        found.append(ids)
    return found


@EVERY_LIST
async def test_pages_have_no_gaps_and_no_repetitions_under_every_filter(world: World, fill: FillList) -> None:
    paged_list = await fill(world)
    for query, ids in paged_list.expected:
        for limit in (1, 3, LENGTH, 100):
            expected = [ids[start : start + limit] for start in range(0, len(ids), limit)]
            assert await _pages(paged_list, query, limit) == expected, (query, limit)


@EVERY_LIST
async def test_a_page_after_the_last_is_empty_and_has_the_total(world: World, fill: FillList) -> None:
    paged_list = await fill(world)
    for query, ids in paged_list.expected:
        for page in (-(-len(ids) // 3) + 1, 2**31 - 1):
            answer = page_in(await paged_list.caller.get(paged_list.path, **query, page=page, limit=3))
            assert answer == ([], {"total": len(ids), "page": page, "limit": 3, "pages": -(-len(ids) // 3)})


@EVERY_LIST
async def test_the_default_is_the_first_page_of_twenty(world: World, fill: FillList) -> None:
    paged_list = await fill(world)
    query, ids = paged_list.expected[0]
    answer = page_in(await paged_list.caller.get(paged_list.path, **query))
    assert answer == (ids[:20], {"total": len(ids), "page": 1, "limit": 20, "pages": 1})


async def test_the_twenty_first_item_is_on_the_second_page(world: World) -> None:
    owner = await world.organizer()
    made = [(await world.organization(owner)).id for _ in range(21)]
    first, pagination = page_in(await world.anonymous.get("/organizations"))
    assert first == made[:0:-1]
    assert pagination == {"total": 21, "page": 1, "limit": 20, "pages": 2}
    assert page_in(await world.anonymous.get("/organizations", page=2))[0] == made[:1]


@pytest.mark.parametrize("path", ["/events", "/organizations"])
async def test_an_empty_list_has_zero_pages(world: World, path: str) -> None:
    answer = page_in(await world.anonymous.get(path))
    assert answer == ([], {"total": 0, "page": 1, "limit": 20, "pages": 0})


async def test_the_table_has_every_paged_list_with_every_filter(world: World) -> None:
    filtered: dict[str, set[str]] = {}
    for fill in LISTS:
        paged_list = await fill(world)
        path = "/".join("$event" if part.isdecimal() else part for part in paged_list.path.split("/"))
        filtered.setdefault(path, set()).update(*[query for query, _ in paged_list.expected])
    check_rows("tests/contract/lists.py, LISTS", filtered.keys(), QUERIES.keys() - WHOLE_LISTS)
    for path in filtered:
        check_rows(
            f"tests/contract/lists.py, filters of {path}", filtered[path], QUERIES[path].keys() - {"page", "limit"}
        )


@pytest.mark.parametrize("path", [*WHOLE_LISTS, "/ticket-types?event_id=$event"])
async def test_a_list_without_pages_in_the_contract_has_a_hundred_items_by_default(scene: Scene, path: str) -> None:
    """Pages of every list (decisions 1.2)."""
    for number in range(3):
        await scene.world.custom_field(scene.event, f"Question {number}")
        await scene.world.gallery_image(scene.event)
        await scene.world.ticket_type(scene.event)
        await scene.world.plan(f"Plan {number}")
    caller = await scene.caller("admin")
    keys = [await scene.world.key(scene.admin) for _ in range(3)]
    for key in keys:
        await key.get("/events")  # so that they have used their rate limits
    target = Template(path).substitute(await scene.values(Row("GET", path, "", "", ""), caller))

    async def ids_and_pagination(**paging: int) -> tuple[list[int], dict[str, int]]:
        answer = await caller.http.get(httpx.URL(f"/api{target}").copy_merge_params(paging), headers=caller.headers)
        return [one.get("id") or one["key_id"] for one in data_of(answer)], answer.json()["pagination"]

    ids, pagination = await ids_and_pagination()
    total = len(ids)
    assert total >= 3
    assert pagination == {"total": total, "page": 1, "limit": 100, "pages": 1}
    assert await ids_and_pagination(limit=2) == (ids[:2], {**pagination, "limit": 2, "pages": -(-total // 2)})
    assert await ids_and_pagination(page=2, limit=2) == (
        ids[2:4],
        {"total": total, "page": 2, "limit": 2, "pages": -(-total // 2)},
    )
    assert await ids_and_pagination(page=2) == ([], {**pagination, "page": 2})
    assert await ids_and_pagination(limit=1000) == (ids, pagination)
