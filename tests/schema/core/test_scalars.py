"""Dates, times and money in arguments and results."""

import datetime
import re
from decimal import Decimal

import pytest
from graphql import GraphQLScalarType, specified_scalar_types

from tests.support.graph import SCHEMA
from tests.support.graphql_answers import only_error
from tests.support.world import World, snapshot


async def test_values_have_the_formats_in_the_decisions(world: World) -> None:
    date = datetime.date(2026, 12, 16)
    instant = datetime.datetime(2026, 11, 23, 5, 40, tzinfo=datetime.UTC)
    event = await world.event(await world.organizer(), date=date, category="Concert", created_at=instant)
    ticket_type = await world.ticket_type(event, price="499.50")
    query = "query($id: ID!) { event(id: $id) { id date category createdAt ticketTypes { id price available } } }"
    answer = await world.anonymous.graphql(query, id=event.id)
    assert answer["data"]["event"] == {
        "id": str(event.id),
        "date": "2026-12-16",
        "category": "CONCERT",
        "createdAt": "2026-11-23T05:40:00Z",
        "ticketTypes": [{"id": str(ticket_type.id), "price": "499.50", "available": None}],
    }


@pytest.mark.parametrize("price", [499.5, "499.50", "499.5", 0, "1E+3", "999999999999.99"])
async def test_money_is_accepted_as_text_or_number_and_returned_exactly(world: World, price: object) -> None:
    owner = await world.organizer_key()
    assert owner.user
    event = await world.event(owner.user)
    query = "mutation($input: CreateTicketTypeInput!) { createTicketType(input: $input) { price } }"
    answer = await owner.graphql(query, input={"eventId": event.id, "name": "Floor", "price": price})
    returned = answer["data"]["createTicketType"]["price"]
    assert Decimal(returned) == Decimal(str(price))
    assert re.fullmatch(r"[0-9]+\.[0-9]{2}", returned)


@pytest.mark.parametrize(
    "amount", ["1e9999999", "-1e9999999", "٣", "0x10", "1_000", "Infinity", "NaN", "", "1e-99999999999"]
)
async def test_invalid_amount_is_rejected(world: World, amount: str) -> None:
    """Even if Python would parse the text as a Decimal, or as one that is enormous when written out."""
    query = """mutation($amount: Decimal!) { submitDonation(input: {
        email: "giver@example.com", number: "01700000000", amount: $amount, transactionId: "GIVEN1", type: BKASH
    }) { id } }"""
    before = await snapshot()
    answer = await world.anonymous.graphql(query, amount=amount)
    assert only_error(answer["errors"])["status"] == 400
    assert await snapshot() == before


def test_every_scalar_of_the_schema_names_its_specification() -> None:
    scalars = {name: kind for name, kind in SCHEMA.type_map.items() if isinstance(kind, GraphQLScalarType)}
    own = {name: kind.specified_by_url for name, kind in scalars.items() if name not in specified_scalar_types}
    assert own.keys() >= {"Date", "DateTime", "Decimal", "JSON"}
    assert all(url and url.startswith("https://") for url in own.values())
