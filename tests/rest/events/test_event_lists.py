"""The filters, search and pages of event lists (decisions 1.6, 1.7, 4.9)."""

import re

import pytest

from amarevents.models.enums import Category, Privacy
from tests.rest.conftest import Stage
from tests.support.pagination import in_order
from tests.support.rest_answers import data_of, error_in, page_in
from tests.support.statements import counted_statements
from tests.support.world import World, in_days


async def test_pages_of_filtered_events_contain_each_event_once(world: World) -> None:
    organization = await world.organization(await world.organizer())
    events = []
    for number in range(45):
        date = None if number % 4 == 0 else in_days(-number % 3)
        events.append(await world.event(organization, date=date, category=Category.SPORTS))
        if number % 3 == 0:
            await world.event(organization, category=Category.GAMES)
    expected = [event.id for event in in_order(events)]
    seen: list[int] = []
    for page in range(1, 8):
        ids, pagination = page_in(await world.anonymous.get("/events", category="sports", page=page, limit=7))
        assert pagination == {"total": 45, "page": page, "limit": 7, "pages": 7}
        seen += ids
    assert seen == expected


async def test_page_after_the_last_is_empty(stage: Stage) -> None:
    assert page_in(await stage.buyer.get("/events", page=2)) == (
        [], {"total": 1, "page": 2, "limit": 20, "pages": 1}
    )  # fmt: skip
    assert page_in(await stage.buyer.get("/events", page=2**31 - 1, limit=100))[0] == []


LISTS = ["/events", "/organizations", "/tickets"]


@pytest.mark.parametrize("path", LISTS)
async def test_order_ends_with_the_id(stage: Stage, path: str) -> None:
    """Without the ID, rows with equal values could be returned in any order."""
    with counted_statements() as statements:
        data_of(await stage.buyer.get(path))
    orders = [text.partition(" ORDER BY ")[2] for text in statements if " ORDER BY " in text]
    assert orders
    assert all(re.search(r"\bid( DESC)? LIMIT", order) for order in orders)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("name", ["page", "limit"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "1e-2", "abc", "-1e2", "-99999999999999999999", "½", "--1", "0x1"])
async def test_invalid_page_or_limit_is_refused_by_name(stage: Stage, path: str, name: str, value: str) -> None:
    assert set(error_in(await stage.buyer.get(path, **{name: value}), 400, "VALIDATION_ERROR")) == {name}


@pytest.mark.parametrize("path", LISTS)
async def test_limit_is_at_most_100(stage: Stage, path: str) -> None:
    assert page_in(await stage.buyer.get(path, limit=100))[1]["limit"] == 100
    for limit in ("101", "1e3", "99999999999999999999"):
        assert page_in(await stage.buyer.get(path, limit=limit))[1]["limit"] == 100


@pytest.mark.parametrize("path", LISTS)
async def test_unknown_and_blank_parameters_are_ignored(stage: Stage, path: str) -> None:
    plain = data_of(await stage.buyer.get(path))
    assert data_of(await stage.buyer.get(path, colour="red", offset="x", page="", limit=" ", search=" ")) == plain


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/events", {"category": "Party"}),
        ("/events", {"organization_id": "x"}),
        ("/events", {"organization_id": "0"}),
        ("/events", {"search": "x" * 256}),
        ("/events", {"search": "a\x00b"}),
        ("/organizations", {"search": "a\x00b"}),
        ("/tickets", {"status": "Approved"}),
        ("/tickets", {"event_id": "-3"}),
    ],
)
async def test_invalid_filter_is_refused_by_name(stage: Stage, path: str, query: dict[str, str]) -> None:
    assert error_in(await stage.buyer.get(path, **query), 400, "VALIDATION_ERROR").keys() == query.keys()


async def test_events_are_filtered_by_organization(world: World, stage: Stage) -> None:
    other = await world.event(await world.organizer())
    assert page_in(await world.anonymous.get("/events", organization_id=other.organization_id))[0] == [other.id]
    assert page_in(await world.anonymous.get("/events", organization_id=999_999))[1]["total"] == 0


async def test_filters_are_combined(world: World, stage: Stage) -> None:
    found = await world.event(stage.organization, name="Night run", category=Category.SPORTS)
    await world.event(stage.organization, name="Night walk", category=Category.SPORTS)
    await world.event(stage.organization, name="Night run", category=Category.OTHER)
    await world.event(await world.organizer(), name="Night run", category=Category.SPORTS)
    query = {"search": "RUN", "category": "sports", "organization_id": stage.organization.id}
    assert page_in(await world.anonymous.get("/events", **query))[0] == [found.id]


# Search ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["name", "location", "description"])
@pytest.mark.parametrize("word", ["Shilpakala Academy", "SHIL", "pakala ac", "demy", " academy "])
async def test_search_matches_any_part_of_name_location_and_description(world: World, column: str, word: str) -> None:
    owner = await world.organizer()
    found = await world.event(owner, **{"name": "A concert", column: "Shilpakala Academy"})
    await world.event(owner, name="Another")
    assert page_in(await world.anonymous.get("/events", search=word)) == (
        [found.id], {"total": 1, "page": 1, "limit": 20, "pages": 1}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("অমর একুশে বইমেলা", "বইমেলা"),
        ("অমর একুশে বইমেলা", "মর একু"),
        ("İSTANBUL Night", "i̇stanbul"),
        ("İstanbul Night", "İSTANBUL"),
        ("Straße der Musik", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("Ünal & ÇELİK", "ünal & çeli̇k"),
        ("Café", "CAFÉ"),
        # The same letter as one code point and as two.
        ("শিল্পা\u09df\u09a8", "শিল্পা\u09af\u09bc\u09a8"),
        ("Caf\u00e9", "cafe\u0301"),
    ],
)
async def test_search_ignores_case_in_every_script(world: World, name: str, word: str) -> None:
    found = await world.event(await world.organizer(), name=name)
    await world.event(await world.organizer(), name="Something else")
    assert page_in(await world.anonymous.get("/events", search=word))[0] == [found.id]


@pytest.mark.parametrize("sign", ["%", "_", "\\", "50%", "a_b", "\\%", "\\\\", "'", '"', "*", "[a]"])
async def test_search_treats_pattern_characters_literally(world: World, sign: str) -> None:
    owner = await world.organizer()
    found = await world.event(owner, name=f"Only {sign} this")
    await world.event(owner, name="Only 50 axb this", location="\\ is not here".replace("\\", "/"))
    assert page_in(await world.anonymous.get("/events", search=sign))[0] == [found.id]


async def test_search_does_not_match_across_columns(world: World) -> None:
    await world.event(await world.organizer(), name="Night", location="Run")
    for word in ("nightrun", "night run"):
        assert page_in(await world.anonymous.get("/events", search=word))[0] == []


async def test_search_finds_a_new_event(stage: Stage) -> None:
    body = {"name": "Boi Mela", "organization_id": stage.organization.id, "location": "Suhrawardy Udyan"}
    created = data_of(await stage.organizer.post("/events", body), 201)
    assert page_in(await stage.buyer.get("/events", search="SUHRAWARDY"))[0] == [created["id"]]
    assert page_in(await stage.buyer.get("/events", search="i mel"))[0] == [created["id"]]


async def test_search_does_not_find_private_events(world: World, stage: Stage) -> None:
    await world.event(stage.organization, name="Secret supper", privacy=Privacy.PRIVATE)
    assert page_in(await world.anonymous.get("/events", search="secret")) == (
        [], {"total": 0, "page": 1, "limit": 20, "pages": 0}
    )  # fmt: skip
