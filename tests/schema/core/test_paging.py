"""Pages of lists in GraphQL: larger limits are taken as 100, and null is the default (decisions 1.2, 1.6)."""

from typing import Any

import pytest

from tests.support.graphql_answers import answer_of, error_code_and_fields
from tests.support.world import Caller, World

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

EVENTS = (
    "query($page: Int, $limit: Int) { events(page: $page, limit: $limit) { items { id } pagination { page limit } } }"
)
PLAIN_LISTS = {
    "ticketTypes": "query($event: ID!, $page: Int, $limit: Int) {"
    " ticketTypes(eventId: $event, page: $page, limit: $limit) { id } }",
    "apiKeys": "query($page: Int, $limit: Int) { apiKeys(page: $page, limit: $limit) { id } }",
    "plans": "query($page: Int, $limit: Int) { plans(page: $page, limit: $limit) { id } }",
    "rateLimits": "query($page: Int, $limit: Int) { rateLimits(page: $page, limit: $limit) { keyId } }",
}


@pytest.mark.parametrize(("limit", "taken"), [(None, 20), (1, 1), (100, 100), (101, 100), (2**31 - 1, 100)])
async def test_limit_is_at_most_a_hundred(world: World, limit: int | None, taken: int) -> None:
    shown = await answer_of(world.anonymous, EVENTS, page=None, limit=limit)
    assert shown["pagination"] == {"page": 1, "limit": taken}


@pytest.mark.parametrize("name", ["page", "limit"])
async def test_page_and_limit_are_at_least_one(world: World, name: str) -> None:
    for number in (0, -1):
        answer = await world.anonymous.graphql(EVENTS, **{name: number})
        assert error_code_and_fields(answer) == ("VALIDATION_ERROR", {name})


@pytest.mark.parametrize("number", ["1", 1.5, True])
async def test_number_cannot_be_sent_as_text(world: World, number: Any) -> None:
    """Texts are only numbers in REST (decisions 1.6)."""
    answer = await world.anonymous.graphql(EVENTS, limit=number)
    assert [failure["extensions"]["status"] for failure in answer["errors"]] == [400]


@pytest.mark.parametrize("argument", ["first", "last"])
async def test_slice_of_a_connection_is_at_most_a_hundred(world: World, argument: str) -> None:
    organization = await world.organization(await world.organizer())
    for _ in range(101):
        await world.event(organization)
    shown = await answer_of(world.anonymous, "{ eventsConnection(%s: 1000) { nodes { id } } }" % argument)
    assert len(shown["nodes"]) == 100


@pytest.fixture
async def admin(world: World) -> Caller:
    """An admin with three keys that have been used, while there are three plans."""
    account = await world.user(admin=True)
    for number in range(3):
        await (await world.key(account)).get("/events")
        await world.plan(f"Plan {number}")
    return await world.session(account)


@pytest.mark.parametrize("name", PLAIN_LISTS)
async def test_plain_list_is_whole_by_default_and_has_pages(world: World, admin: Caller, name: str) -> None:
    event = await world.event(await world.organizer())
    for _ in range(3):
        await world.ticket_type(event)
    variables = {"event": event.id} if name == "ticketTypes" else {}
    whole = await answer_of(admin, PLAIN_LISTS[name], **variables)
    assert len(whole) >= 3
    assert await answer_of(admin, PLAIN_LISTS[name], **variables, limit=2) == whole[:2]
    assert await answer_of(admin, PLAIN_LISTS[name], **variables, page=2, limit=2) == whole[2:4]
    assert await answer_of(admin, PLAIN_LISTS[name], **variables, page=None, limit=None) == whole


async def test_null_for_an_optional_field_of_a_creation_is_its_default(world: World) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    document = (
        "mutation($input: CreateEventInput!) { createEvent(input: $input) { privacy ticketTypes { capacity price } } }"
    )
    given = {"name": "Mela", "organizationId": organization.id, "privacy": None, "date": None, "socials": None}
    for types in (None, [{"name": "VIP", "capacity": None, "price": None}]):
        created = await answer_of(await world.session(owner), document, input={**given, "ticketTypes": types})
        assert created["privacy"] == "PUBLIC"
        assert created["ticketTypes"] == ([{"capacity": 0, "price": "0.00"}] if types else [])
