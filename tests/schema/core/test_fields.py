"""Root fields, types and naming conventions of the schema, as decisions 9 specifies them."""

import re

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
)

from tests.schema.core.root_fields import MUTATIONS, QUERIES
from tests.support.graph import SCHEMA

OBJECTS = [graphql_type for graphql_type in SCHEMA.type_map.values() if isinstance(graphql_type, GraphQLObjectType)]
NOUNS = [graphql_type for graphql_type in OBJECTS if not graphql_type.name.startswith("__")]
INPUTS = [graphql_type for graphql_type in SCHEMA.type_map.values() if isinstance(graphql_type, GraphQLInputObjectType)]
ENUMS = [
    graphql_type
    for graphql_type in SCHEMA.type_map.values()
    if isinstance(graphql_type, GraphQLEnumType) and graphql_type.name[:2] != "__"
]


def _root(name: str) -> GraphQLObjectType:
    root = SCHEMA.type_map[name]
    assert isinstance(root, GraphQLObjectType)
    return root


def test_queries_are_those_in_the_decisions() -> None:
    assert set(_root("Query").fields) == QUERIES


def test_mutations_have_the_arguments_in_the_decisions() -> None:
    taken = {name: list(field.args) for name, field in _root("Mutation").fields.items()}
    assert taken == MUTATIONS


@pytest.mark.parametrize("name", ["Query", "Mutation"])
def test_root_fields_are_nullable_and_described(name: str) -> None:
    for field in _root(name).fields.values():
        assert not isinstance(field.type, GraphQLNonNull)
        assert field.description


def test_queries_have_the_arguments_in_the_decisions() -> None:
    assert set(_root("Query").fields["tickets"].args) == {"eventId", "status", "ids", "page", "limit"}
    assert set(_root("Query").fields["verifyTicket"].args) == {"id", "code", "eventId"}
    assert set(_root("Query").fields["ticketTypes"].args) == {"eventId", "page", "limit"}
    for single in ("event", "organization", "ticket"):
        assert str(_root("Query").fields[single].args["id"].type) == "ID!"


@pytest.mark.parametrize("graphql_type", [*NOUNS, *INPUTS], ids=str)
def test_fields_are_camel_case_and_ids_have_the_type_id(
    graphql_type: GraphQLObjectType | GraphQLInputObjectType,
) -> None:
    for name, field in graphql_type.fields.items():
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*", name)
        if name == "id" or name.endswith("Id"):
            # A transaction's ID belongs to the payment provider, not to a row.
            assert str(field.type).rstrip("!") == ("String" if name == "transactionId" else "ID")


@pytest.mark.parametrize("graphql_type", [*NOUNS, *INPUTS], ids=str)
def test_money_times_and_dates_have_their_scalars(graphql_type: GraphQLObjectType | GraphQLInputObjectType) -> None:
    scalars = {"price": "Decimal", "amount": "Decimal", "date": "Date", "eventDate": "Date", "deadline": "Date"}
    for name, field in graphql_type.fields.items():
        expected = "DateTime" if name.endswith("At") else scalars.get(name)
        assert expected in (None, str(field.type).rstrip("!"))


@pytest.mark.parametrize("graphql_type", ENUMS, ids=str)
def test_enum_values_are_upper_case(graphql_type: GraphQLEnumType) -> None:
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", name) for name in graphql_type.values)


def test_enums_have_the_values_in_the_contract() -> None:
    names = {graphql_type.name: list(graphql_type.values) for graphql_type in ENUMS}
    categories = "EDUCATION SPORTS CONCERT CONFERENCE WORKSHOP FESTIVAL CHARITY CULTURAL GAMES OTHER"
    assert names["Category"] == categories.split()
    assert names["TicketStatus"] == ["PENDING", "SUCCESS", "FAILED", "REFUNDED"]
    assert names["KeyType"] == ["USER", "ORGANIZER", "ADMIN"]
    assert names["Privacy"] == ["PUBLIC", "PRIVATE"]


@pytest.mark.parametrize("graphql_type", ["Event", "Organization", "Ticket"])
def test_pages_have_items_and_pagination(graphql_type: str) -> None:
    page = _root(f"{graphql_type}Page").fields
    assert {name: str(field.type) for name, field in page.items()} == {
        "items": f"[{graphql_type}!]!",
        "pagination": "Pagination!",
    }
    assert list(_root("Pagination").fields) == ["total", "page", "limit", "pages"]


@pytest.mark.parametrize("graphql_type", [*NOUNS, *INPUTS], ids=str)
def test_every_type_is_described_without_sources_or_markup(
    graphql_type: GraphQLObjectType | GraphQLInputObjectType,
) -> None:
    assert graphql_type.description
    assert "decisions" not in graphql_type.description
    assert "``" not in graphql_type.description
