"""Data loaders: the number of statements for nested lists does not depend on the number of rows."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.applications import Starlette

from amarevents.models import CustomValue, Event, Organization, User
from amarevents.models.enums import Privacy
from amarevents.schema.core.dataloaders import Loader
from amarevents.schema.core.timeouts import Deadline
from amarevents.security.context import Context
from tests.support.statements import counted_statements
from tests.support.world import Caller, World

EVENTS = "{ events(limit: 100) { items { name notice ticketTypes { name available } customFields { name } } } }"
GRAPH = """{ events(limit: 100) { items { name
    organization { name eventsUsed }
    gallery { url }
    stats { total byTicketType { name total } }
    tickets(limit: 1) { items { name customFields { value } } pagination { total } }
    rejected: tickets(status: FAILED) { items { name } }
} } }"""
ORGANIZATIONS = (
    "{ organizations { items { name notice publicEventCount "
    "recentEvents { name ticketTypes { name } customFields { name } } } } }"
)
TICKETS = "query($id: ID!) { tickets(eventId: $id, limit: 100) { items { name customFields { name value } } } }"


async def _fill(world: World, owner: User, events: int) -> list[Event]:
    return [await _event(world, await world.organization(owner)) for _ in range(events)]


async def _event(world: World, organization: Organization) -> Event:
    event = await world.event(organization)
    ticket_type = await world.ticket_type(event)
    field = await world.custom_field(event, "Size")
    for _ in range(2):
        ticket = await world.ticket(event, await world.user(), ticket_type=ticket_type)
        await CustomValue.create(ticket=ticket, field=field, value="M")
    return event


async def _statements(caller: Caller, query: str, **variables: object) -> tuple[int, int]:
    """Return the number of statements that a query takes, and the number of rows in its result."""
    with counted_statements() as statements:
        answer = await caller.graphql(query, **variables)
    assert "errors" not in answer
    [page] = answer["data"].values()
    return len(statements), len(page["items"])


@pytest.mark.parametrize("query", [EVENTS, GRAPH, ORGANIZATIONS])
async def test_statements_do_not_depend_on_the_number_of_rows(world: World, query: str) -> None:
    owner = await world.organizer_key()
    assert owner.user
    await _fill(world, owner.user, 2)
    few = await _statements(owner, query)
    await _fill(world, owner.user, 6)
    many = await _statements(owner, query)
    assert (few[1], many[1]) == (2, 8)
    assert 0 < few[0] == many[0]


async def test_statements_of_tickets_do_not_depend_on_their_number(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    [event] = await _fill(world, owner.user, 1)
    few = await _statements(owner, TICKETS, id=event.id)
    for _ in range(7):
        await world.ticket(event, await world.user())
    many = await _statements(owner, TICKETS, id=event.id)
    assert (few[1], many[1]) == (2, 9)
    assert 0 < few[0] == many[0]


async def test_each_row_of_a_list_has_its_own_edges(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    events = await _fill(world, owner.user, 3)
    extra = await world.ticket_type(events[1], name="Balcony")
    answer = await owner.graphql("{ events { items { id ticketTypes { id eventId } } } }")
    result = {item["id"]: item["ticketTypes"] for item in answer["data"]["events"]["items"]}
    assert [len(result[str(event.id)]) for event in events] == [1, 2, 1]
    assert result[str(events[1].id)][0] == {"id": str(extra.id), "eventId": str(events[1].id)}
    assert all(
        ticket_type["eventId"] == event_id for event_id, ticket_types in result.items() for ticket_type in ticket_types
    )


async def test_ticket_shows_its_answers(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    [event] = await _fill(world, owner.user, 1)
    answer = await owner.graphql(TICKETS, id=event.id)
    result = [ticket["customFields"] for ticket in answer["data"]["tickets"]["items"]]
    assert result == [[{"name": "Size", "value": "M"}]] * 2


MAILS = "query($id: ID!) { event(id: $id) { emailtitle emailmessage template } events { items { emailtitle } } }"


async def test_email_texts_are_visible_to_owner_and_admins_only(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    texts = {"emailtitle": "Welcome", "emailmessage": "Dear {name}", "template": "plain"}
    event = await world.event(owner.user, **texts)
    allowed = [owner, await world.admin_key(), await world.session(owner.user)]
    others = [world.anonymous, await world.user_key(), await world.organizer_key(), await world.key(owner.user)]
    for caller in allowed:
        data = (await caller.graphql(MAILS, id=event.id))["data"]
        assert data == {"event": texts, "events": {"items": [{"emailtitle": "Welcome"}]}}
    for caller in others:
        data = (await caller.graphql(MAILS, id=event.id))["data"]
        assert data == {"event": dict.fromkeys(texts), "events": {"items": [{"emailtitle": None}]}}


ALLOWANCE = "query($id: ID!) { organization(id: $id) { userId eventcount eventsUsed } }"


async def test_event_allowance_is_visible_to_owner_and_admins_only(world: World) -> None:
    owner = await world.organizer_key()
    assert owner.user
    organization = await world.organization(owner.user, eventcount=5)
    await world.event(organization, privacy=Privacy.PRIVATE)
    seen = {"userId": str(owner.user.id), "eventcount": 5, "eventsUsed": 1}
    for caller in (owner, await world.admin_key()):
        assert (await caller.graphql(ALLOWANCE, id=organization.id))["data"]["organization"] == seen
    for caller in (world.anonymous, await world.organizer_key()):
        assert (await caller.graphql(ALLOWANCE, id=organization.id))["data"]["organization"] == dict.fromkeys(seen)


class _Loads:
    """A load function that waits until it may finish, and the keys of its calls."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.may_finish = asyncio.Event()

    async def __call__(self, _ctx: Context, keys: Sequence[int]) -> dict[int, str]:
        self.calls.append(list(keys))
        await self.may_finish.wait()
        if 0 in keys:
            raise ValueError("zero")
        return {key: str(key) for key in keys if key > 0}


def _loader(load: _Loads, running_app: Starlette) -> tuple[Loader[int, str], Context]:
    ctx = Context(services=running_app.state.services, request_id="", address="")
    return Loader(load, ctx, Deadline()), ctx


async def test_key_is_loaded_once_together_with_others_of_the_moment(running_app: Starlette) -> None:
    load = _Loads()
    loader, ctx = _loader(load, running_app)
    load.may_finish.set()
    assert await asyncio.gather(*map(loader.get, (1, 2, 1, -1))) == ["1", "2", "1", None]
    assert await loader.get_all([2, 3], lambda: ctx) == {2: "2", 3: "3", 1: "1"}
    assert await loader.get(3) == "3"
    assert load.calls == [[1, 2, -1], [3]]


async def test_failure_is_that_of_every_key_and_is_kept(running_app: Starlette) -> None:
    load = _Loads()
    loader, ctx = _loader(load, running_app)
    load.may_finish.set()
    for _ in range(2):
        with pytest.raises(ValueError, match="zero"):
            await loader.get_all([0, 1], lambda: ctx)
        with pytest.raises(ValueError, match="zero"):
            await loader.get(1)
    assert load.calls == [[0, 1]]


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5])
async def test_key_can_be_loaded_after_its_loading_was_cancelled(running_app: Starlette, steps: int) -> None:
    load = _Loads()
    loader, _ = _loader(load, running_app)
    waiting = [asyncio.create_task(loader.get(1)), asyncio.create_task(loader.get(1))]
    for _ in range(steps):
        await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    waiting[1].cancel()
    load.may_finish.set()
    async with asyncio.timeout(10):
        assert await loader.get(1) == "1"
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_cancelled_caller_does_not_cancel_the_loading_for_others(running_app: Starlette) -> None:
    load = _Loads()
    loader, _ = _loader(load, running_app)
    first, second = asyncio.create_task(loader.get(1)), asyncio.create_task(loader.get(1))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0)
    load.may_finish.set()
    assert await second == "1"
    assert load.calls == [[1]]
