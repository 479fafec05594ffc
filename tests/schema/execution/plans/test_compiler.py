"""Plans of usual documents: which documents have one, and what their statements read."""

from typing import Any, NoReturn

import pytest
from graphql import get_introspection_query

from amarevents.models import Event
from amarevents.schema.execution import engine
from amarevents.security.context import Context
from tests.support.statements import counted_statements
from tests.support.world import Caller, World, in_days

# Any: JSON.

EVENTS = [
    "{ __typename }",
    "{ events { items { id name category date createdAt } } }",
    "{ events(limit: 2, sort: NEWEST) { items { nodeId __typename } pagination { total pages } } }",
    "query($few: Int) { events(limit: $few) { items { name ticketTypes { id price available event { name } } } } }",
    "{ events { items { ...Card } } } fragment Card on Event { name organization { name planName: plan } }",
    "query($yes: Boolean!) { events { items { name notice @include(if: $yes) socials { url } } } }",
    "{ events { items { gallery { url } customFields { name options } registrationOpen wallets } } }",
    "{ eventsConnection(first: 2) { edges { cursor node { name } } nodes { id } pageInfo { endCursor } totalCount } }",
    "query($id: ID!) { event(id: $id) { name emailtitle ticketTypes { name } tickets(limit: 3) { items { code } } } }",
    "query($id: ID!) { event(id: $id) { a: tickets { items { name } } b: tickets(status: PENDING) { items { id } } } }",
    "query($id: ID!) { event(id: $id) { stats { total byTicketType { name } } attendance { checkedIn } } }",
    "query($id: ID!) { ticketTypes(eventId: $id) { name event { organization { name } } } }",
    "query($id: ID!) { tickets(eventId: $id) { items { ticketType { name } checkIn { gate } decision { reason } } } }",
    "query($id: ID!) { tickets(eventId: $id) { items { name customFields { value } owner { username } } } }",
    "{ organizations { items { name userId eventsUsed owner { email } events(limit: 1) { items { name } } } } }",
    "{ me { username organizations { name recentEvents { name } } tickets { items { code event { name } } } } }",
    "{ me { apiKeys { name permissions owner { id } } stats { totalTickets } auth { method } } }",
]
"""Documents that the organizer of an event sends."""


async def _organizer(world: World) -> tuple[Caller, Event]:
    owner = await world.organizer()
    event = await world.event(owner, date=in_days(1), description="Long", notice="Bring water")
    await world.ticket_type(event, price="5")
    await world.ticket(event, owner, ticket_type=await world.ticket_type(event))
    return await world.session(owner), event


def _variables(document: str, event: Event) -> dict[str, Any]:
    values = {"few": 2, "yes": True, "id": str(event.id)}
    return {name: value for name, value in values.items() if f"${name}" in document}


@pytest.fixture
def without_stock_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the execution by the stock engine fail."""

    def fail(*_arguments: object, **_options: object) -> NoReturn:
        raise AssertionError("executed by the stock engine")

    monkeypatch.setattr(engine, "execute", fail)


@pytest.mark.usefixtures("without_stock_engine")
@pytest.mark.parametrize("document", EVENTS)
async def test_usual_documents_are_executed_by_plans(world: World, document: str) -> None:
    organizer, event = await _organizer(world)
    for _ in range(2):
        answer = await organizer.graphql(document, **_variables(document, event))
        assert "errors" not in answer
        assert all(answer["data"].values())


@pytest.mark.usefixtures("without_stock_engine")
@pytest.mark.parametrize("document", [get_introspection_query(), "{ events { items { stats { total } } } }"])
async def test_introspection_and_errors_are_left_to_the_stock_engine(world: World, document: str) -> None:
    """Negative control."""
    await _organizer(world)
    answer = await world.anonymous.graphql(document)
    assert [one["extensions"]["code"] for one in answer["errors"]] == ["INTERNAL"]


@pytest.mark.parametrize(
    ("selection", "statements"),
    [
        ("items { id name }", 1),
        ("items { id } pagination { total }", 2),
        ("items { name ticketTypes { name price } }", 2),
        ("items { name ticketTypes { name } organization { name } }", 3),
        ("items { name more: ticketTypes { name } ticketTypes { price } }", 2),
        ("items { notice registrationOpen }", 2),
    ],
)
async def test_list_takes_a_statement_for_each_edge(world: World, selection: str, statements: int) -> None:
    await _organizer(world)
    with counted_statements() as executed:
        answer = await world.anonymous.graphql(f"{{ events(limit: 1) {{ {selection} }} }}")
    assert "errors" not in answer
    assert len(executed) == statements


async def test_columns_that_are_not_selected_are_not_read(world: World) -> None:
    await _organizer(world)
    with counted_statements() as executed:
        await world.anonymous.graphql("{ events { items { name ticketTypes { price } } } }")
    assert not [one for one in executed if "description" in one or "search_text" in one or "organizations" in one]
    with counted_statements() as executed:
        await world.anonymous.graphql("{ events { items { name description organizationName } } }")
    assert [one for one in executed if "events.description" in one and "organizations.name" in one]


async def test_nothing_is_loaded_twice_when_a_plan_gives_up(world: World) -> None:
    await _organizer(world)
    document = "{ events { items { name organization { name } ticketTypes { name event { stats { total } } } } } }"
    with counted_statements() as executed:
        answer = await world.anonymous.graphql(document)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer["data"]["events"]["items"][0]["ticketTypes"][0]["event"] == {"stats": None}
    assert len({(one, repr(one.values)) for one in executed}) == len(executed)


async def test_operation_is_charged_once_when_a_plan_gives_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    charged: list[int] = []
    charge = Context.charge

    async def count(context: Context, units: int = 1) -> None:
        charged.append(units)
        await charge(context, units)

    monkeypatch.setattr(Context, "charge", count)
    await _organizer(world)
    await world.anonymous.graphql("{ events { items { stats { total } } } __typename }")
    assert charged == [2]
