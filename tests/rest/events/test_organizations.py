"""Organizations over REST (decisions 5.1)."""

import pytest

from amarevents.models import Event, Organization
from tests.rest.conftest import Stage
from tests.support.graphql_answers import answer_of
from tests.support.rest_answers import (
    EVENT_FIELDS,
    INSTANT,
    MANAGED_ORGANIZATION_FIELDS,
    ORGANIZATION_DETAIL_FIELDS,
    ORGANIZATION_FIELDS,
    data_of,
    error_in,
    page_in,
    refused,
)
from tests.support.world import World, in_days


async def test_organizations_are_listed_newest_first(world: World) -> None:
    owner = await world.organizer()
    first = await world.organization(owner, name="Chhayanaut", description="Music", logo="https://example.com/l.png")
    second = await world.organization(owner)
    await world.event(first)
    response = await world.anonymous.get("/organizations")
    newest, oldest = data_of(response)
    assert (newest["id"], oldest.pop("created_at", "")[-1]) == (second.id, "Z")
    assert oldest == {
        "id": first.id, "name": "Chhayanaut", "description": "Music", "logo": "https://example.com/l.png",
        "plan": "Free", "public_event_count": 1,
    }  # fmt: skip
    assert newest.keys() == ORGANIZATION_FIELDS
    assert INSTANT.fullmatch(newest["created_at"])
    assert response.json()["pagination"] == {"total": 2, "page": 1, "limit": 20, "pages": 1}


async def test_list_without_organizations_is_empty(world: World) -> None:
    empty = {"total": 0, "page": 1, "limit": 20, "pages": 0}
    assert page_in(await world.anonymous.get("/organizations")) == ([], empty)


async def test_pages_of_organizations_contain_each_one_once(world: World) -> None:
    owner = await world.organizer()
    created = [(await world.organization(owner)).id for _ in range(45)]
    pages = [page_in(await world.anonymous.get("/organizations", page=page, limit=10)) for page in range(1, 6)]
    assert [one for ids, _ in pages for one in ids] == created[::-1]
    assert pages[4][1] == {"total": 45, "page": 5, "limit": 10, "pages": 5}


@pytest.mark.parametrize("word", ["CHHAYA", "naut", "folk", "100%", "a_b"])
async def test_search_matches_any_part_of_name_or_description(world: World, word: str) -> None:
    owner = await world.organizer()
    found = await world.organization(owner, name="Chhayanaut", description="Folk music, 100% a_b")
    await world.organization(owner, name="Other", description="100 axb")
    assert page_in(await world.anonymous.get("/organizations", search=word))[0] == [found.id]


@pytest.mark.parametrize(("caller_name", "fields"), [
    ("anonymous", ORGANIZATION_DETAIL_FIELDS), ("buyer", ORGANIZATION_DETAIL_FIELDS),
    ("rival", ORGANIZATION_DETAIL_FIELDS), ("organizer", MANAGED_ORGANIZATION_FIELDS),
    ("admin", MANAGED_ORGANIZATION_FIELDS),
])  # fmt: skip
async def test_owner_and_admins_see_the_event_limit(
    world: World, stage: Stage, caller_name: str, fields: set[str]
) -> None:
    caller = world.anonymous if caller_name == "anonymous" else getattr(stage, caller_name)
    shown = data_of(await caller.get(f"/organizations/{stage.organization.id}"))
    assert shown.keys() == fields
    if fields == MANAGED_ORGANIZATION_FIELDS:
        assert (shown["user_id"], shown["eventcount"], shown["events_used"]) == (stage.organization.user_id, None, 1)


async def test_recent_events_are_the_ten_newest_events(world: World, stage: Stage) -> None:
    newer = [(await world.event(stage.organization, date=in_days(-number))).id for number in range(11)]
    await world.event(await world.organizer())
    shown = data_of(await world.anonymous.get(f"/organizations/{stage.organization.id}"))
    assert [event["id"] for event in shown["recent_events"]] == newer[:0:-1]
    assert shown["recent_events"][0].keys() == EVENT_FIELDS
    assert shown["public_event_count"] == 12


@pytest.mark.parametrize("id", ["999999", "0", "abc", "99999999999999999999"])
async def test_unknown_organization_is_not_found(world: World, id: str) -> None:
    error_in(await world.anonymous.get(f"/organizations/{id}"), 404, "NOT_FOUND")


async def test_admin_creates_an_organization_for_an_account(stage: Stage) -> None:
    body = {"name": " Udichi ", "user_id": stage.buyer_account.id, "description": "Theatre", "eventcount": 3}
    created = data_of(await stage.admin.post("/organizations", body), 201)
    assert created.keys() == MANAGED_ORGANIZATION_FIELDS
    assert (created["name"], created["description"], created["plan"]) == ("Udichi", "Theatre", "Free")
    assert (created["user_id"], created["eventcount"], created["events_used"]) == (stage.buyer_account.id, 3, 0)
    assert (created["public_event_count"], created["recent_events"]) == (0, [])
    assert page_in(await stage.buyer.get("/organizations", search="UDI"))[0] == [created["id"]]


@pytest.mark.parametrize("surface", ["REST", "GraphQL"])
async def test_owner_of_a_new_organization_can_act_as_an_organizer(world: World, stage: Stage, surface: str) -> None:
    """The account becomes an organizer with it (decisions 5.2a): it creates organizer keys and events."""
    owner = stage.buyer_account
    session = await world.session(owner)
    key = {"name": "Gate", "key_type": "organizer"}
    await refused(session.post("/keys", key), 403, "WRONG_KEY_TYPE")
    if surface == "REST":
        created = data_of(await stage.admin.post("/organizations", {"name": "Udichi", "user_id": owner.id}), 201)
    else:
        document = "mutation($input: CreateOrganizationInput!) { createOrganization(input: $input) { id } }"
        created = await answer_of(stage.admin, document, input={"name": "Udichi", "userId": owner.id})
    assert data_of(await session.get("/users/me"))["type"] == "organizer"
    data_of(await session.post("/keys", key), 201)
    data_of(await session.post("/events", {"name": "Nobanno", "organization_id": created["id"]}), 201)
    assert owner.id in page_in(await stage.admin.get("/admin/users", type="organizer"))[0]


async def test_admin_who_gets_an_organization_stays_an_admin(world: World, stage: Stage) -> None:
    assert stage.admin.user
    data_of(await stage.admin.post("/organizations", {"name": "Platform", "user_id": stage.admin.user.id}), 201)
    found = data_of(await stage.admin.get(f"/admin/users/{stage.admin.user.id}"))
    assert (found["type"], found["admin"]) == ("organizer", True)


async def test_refused_organization_leaves_its_owner_as_it_was(world: World, stage: Stage) -> None:
    body = {"name": "x" * 201, "user_id": stage.buyer_account.id}
    await refused(stage.admin.post("/organizations", body), 400, "VALIDATION_ERROR")
    assert data_of(await stage.buyer.get("/users/me"))["type"] == "user"


async def test_organization_without_an_event_limit_is_unlimited(stage: Stage) -> None:
    body = {"name": "Udichi", "user_id": stage.buyer_account.id, "eventcount": None, "description": " "}
    created = data_of(await stage.admin.post("/organizations", body), 201)
    assert (created["eventcount"], created["description"]) == (None, None)


@pytest.mark.parametrize("caller_name", ["organizer", "buyer"])
async def test_only_admins_create_organizations(stage: Stage, caller_name: str) -> None:
    body = {"name": "Udichi", "user_id": stage.buyer_account.id}
    await refused(getattr(stage, caller_name).post("/organizations", body), 403, "WRONG_KEY_TYPE")


async def test_organization_of_an_unknown_account_is_refused(stage: Stage) -> None:
    body = {"name": "Udichi", "user_id": 999_999}
    assert set(await refused(stage.admin.post("/organizations", body), 400, "VALIDATION_ERROR")) == {"user_id"}
    assert await Organization.all().count() == 1
    assert await Event.all().count() == 1
