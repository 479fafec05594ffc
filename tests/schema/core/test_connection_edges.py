"""Connections of an organization's events and of an event's tickets, loaded together for many parents."""

import random
from typing import Any

import pytest

from amarevents.models import Event, Organization, Ticket
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from tests.support.graphql_answers import answer_of, error_code_and_fields, error_codes_by_path
from tests.support.statements import counted_statements
from tests.support.world import Caller, World, in_days

# Any throughout: JSON.

_PAGE = "edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
_ARGUMENTS = "first: $first, after: $after, last: $last, before: $before"
_DECLARED = "$of: ID!, $first: Int, $after: String, $last: Int, $before: String"
EVENTS = (
    f"query({_DECLARED}) {{ eventsConnection(organizationId: $of, {_ARGUMENTS}) {{ {_PAGE} totalCount }}"
    f" organization(id: $of) {{ eventsConnection({_ARGUMENTS}) {{ {_PAGE} totalCount }} }} }}"
)
TICKETS = (
    f"query({_DECLARED}) {{ ticketsConnection(eventId: $of, {_ARGUMENTS}) {{ {_PAGE} totalCount }}"
    f" event(id: $of) {{ ticketsConnection({_ARGUMENTS}) {{ {_PAGE} totalCount }} }} }}"
)


async def _both(caller: Caller, query: str, arguments: dict[str, Any]) -> tuple[Any, Any]:
    """Return the page of the query and that of the edge."""
    answer = await caller.graphql(query, **arguments)
    assert "errors" not in answer
    page, parent = answer["data"].values()
    [edge] = parent.values()
    return page, edge


async def _events(world: World, owner: Caller, number: int) -> tuple[int, list[Event]]:
    assert owner.user
    organization = await world.organization(owner.user)
    dates = [None if one % 4 == 0 else in_days(one * 7 % 5 - 2) for one in range(number)]
    return organization.id, [await world.event(organization, date=date) for date in dates]


async def _tickets(world: World, owner: Caller, number: int) -> tuple[int, list[Ticket]]:
    assert owner.user
    event = await world.event(owner.user)
    return event.id, [await world.ticket(event, await world.user()) for _ in range(number)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("query", "fill"), [(EVENTS, _events), (TICKETS, _tickets)], ids=["events", "tickets"])
async def test_every_page_is_that_of_the_query(world: World, query: str, fill: Any, seed: int) -> None:
    """Also after the rows of cursors have been deleted."""
    chance, owner = random.Random(seed), await world.organizer_key()
    parent, rows = await fill(world, owner, 11)
    whole, _ = await _both(owner, query, {"of": parent, "first": 100})
    cursors = [None, *(edge["cursor"] for edge in whole["edges"])]
    for row in chance.sample(rows, 3):
        await row.delete()
    for _ in range(25):
        size = chance.choice([1, 2, 5, 20])
        sizes = chance.choice([{"first": size}, {"last": size}, {}])
        ends = {"after": chance.choice(cursors), "before": chance.choice(cursors)}
        page, edge = await _both(owner, query, {"of": parent, **sizes, **ends})
        assert edge == page, (sizes, ends)
    assert page["totalCount"] == 8


async def test_lists_of_one_document_have_their_own_arguments(world: World) -> None:
    owner = await world.organizer_key()
    first, events = await _events(world, owner, 5)
    second, others = await _events(world, owner, 3)
    document = """{ organizations { items { id
        next: eventsConnection(first: 2) { nodes { id } totalCount }
        last: eventsConnection(last: 1, sort: NEWEST) { nodes { id } pageInfo { hasPreviousPage } } } } }"""
    found = {int(one["id"]): one for one in (await answer_of(owner, document))["items"]}
    assert [found[one]["next"]["totalCount"] for one in (first, second)] == [5, 3]
    assert [len(found[one]["next"]["nodes"]) for one in (first, second)] == [2, 2]
    oldest = {first: events[0].id, second: others[0].id}
    for one, event_id in oldest.items():
        assert found[one]["last"] == {"nodes": [{"id": str(event_id)}], "pageInfo": {"hasPreviousPage": True}}


async def test_filters_apply_to_edges(world: World) -> None:
    owner = await world.organizer_key()
    event_id, tickets = await _tickets(world, owner, 4)
    await Ticket.filter(id=tickets[2].id).update(status=TicketStatus.FAILED)
    query = "query($id: ID!) { event(id: $id) { ticketsConnection(status: FAILED) { nodes { id } totalCount } } }"
    found = await answer_of(owner, query, id=event_id)
    assert found == {"ticketsConnection": {"nodes": [{"id": str(tickets[2].id)}], "totalCount": 1}}


async def test_number_of_statements_does_not_depend_on_the_number_of_parents(world: World) -> None:
    owner = await world.organizer_key()
    counts = []
    for number in (2, 10):
        while await Organization.all().count() < number:
            await _events(world, owner, 3)
        with counted_statements() as statements:
            answer = await owner.graphql(
                "{ organizations { items { eventsConnection(first: 2) { nodes { id } totalCount } } } }"
            )
        assert len(answer["data"]["organizations"]["items"]) == number
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_private_events_are_in_the_connection_of_their_owner_alone(world: World) -> None:
    owner = await world.organizer_key()
    organization_id, [event] = await _events(world, owner, 1)
    event.privacy = Privacy.PRIVATE
    await event.save()
    query = "query($id: ID!) { organization(id: $id) { eventsConnection { nodes { id } totalCount } } }"
    for caller, number in ((owner, 1), (world.anonymous, 0), (await world.organizer_key(), 0)):
        found = (await answer_of(caller, query, id=organization_id))["eventsConnection"]
        assert (len(found["nodes"]), found["totalCount"]) == (number, number)


async def test_tickets_are_for_those_who_manage_the_event(world: World) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    query = f"{{ event(id: {event.id}) {{ ticketsConnection {{ nodes {{ id }} }} }} }}"
    callers = {
        "UNAUTHENTICATED": world.anonymous,
        "FORBIDDEN": await world.organizer_key(),
        "WRONG_KEY_TYPE": await world.key(owner, KeyType.USER),
        "MISSING_SCOPE": await world.key(owner, KeyType.ORGANIZER, permissions=["events:read"]),
    }
    for code, caller in callers.items():
        assert error_codes_by_path(await caller.graphql(query)) == {"event.ticketsConnection": code}


async def test_invalid_cursor_fails_its_own_list_alone(world: World) -> None:
    owner = await world.organizer_key()
    organization_id, _ = await _events(world, owner, 1)
    query = """query($id: ID!) { organization(id: $id) {
        wrong: eventsConnection(after: "x") { nodes { id } } right: eventsConnection { nodes { id } } } }"""
    answer = await owner.graphql(query, id=organization_id)
    assert error_codes_by_path(answer) == {"organization.wrong": "VALIDATION_ERROR"}
    assert len(answer["data"]["organization"]["right"]["nodes"]) == 1


# Lists filtered by IDs --------------------------------------------------------------------------------------------


async def test_events_are_filtered_by_ids_in_the_order_of_the_list(world: World) -> None:
    owner = await world.organizer_key()
    _, events = await _events(world, owner, 6)
    hidden = await world.event(await world.organizer(), privacy=Privacy.PRIVATE)
    ids = [str(events[1].id), str(events[4].id), str(events[1].id), str(hidden.id), "999999"]
    query = """query($ids: [ID!]) { events(ids: $ids) { items { id } pagination { total } }
        eventsConnection(ids: $ids) { nodes { id } totalCount } }"""
    data = (await world.anonymous.graphql(query, ids=ids))["data"]
    everything = [one["id"] for one in (await answer_of(world.anonymous, "{ events { items { id } } }"))["items"]]
    expected = [{"id": one} for one in everything if one in ids]
    assert data["events"] == {"items": expected, "pagination": {"total": 2}}
    assert data["eventsConnection"] == {"nodes": expected, "totalCount": 2}


async def test_tickets_are_filtered_by_ids_within_those_that_the_caller_may_list(world: World) -> None:
    owner = await world.organizer_key()
    event_id, tickets = await _tickets(world, owner, 3)
    holder = await world.key(await tickets[0].user)
    ids = [str(one.id) for one in tickets[:2]]
    query = "query($ids: [ID!], $of: ID) { tickets(ids: $ids, eventId: $of) { items { id } } }"
    assert [one["id"] for one in (await answer_of(holder, query, ids=ids))["items"]] == [ids[0]]
    assert [one["id"] for one in (await answer_of(owner, query, ids=ids, of=event_id))["items"]] == ids[::-1]
    assert await answer_of(holder, query, ids=[]) == {"items": []}
    assert len((await answer_of(holder, query, ids=None))["items"]) == 1


@pytest.mark.parametrize("ids", [["x"], ["0"], [str(one) for one in range(1, 102)], ["9" * 30]])
async def test_invalid_ids_are_rejected_by_name(world: World, ids: list[str]) -> None:
    answer = await world.anonymous.graphql("query($ids: [ID!]) { events(ids: $ids) { items { id } } }", ids=ids)
    code, names = error_code_and_fields(answer)
    assert (code, {name.partition(".")[0] for name in names}) == ("VALIDATION_ERROR", {"ids"})
