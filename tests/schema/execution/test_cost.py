"""The cost of operations, which is calculated before they run."""

from typing import Any

import pytest
from graphql import get_operation_ast, parse

from amarevents.schema.execution.cost import MAX_COST, calculate_cost
from amarevents.schema.execution.limits import DocumentTooLarge
from amarevents.schema.schema import schema
from tests.support.world import World

ALIASES = " ".join(f"a{number}: name" for number in range(250))


def check(text: str, **variables: Any) -> None:  # Any: JSON
    document = parse(text)
    operation = get_operation_ast(document, None)
    assert operation is not None
    calculate_cost(schema.graphql_schema, document, operation, variables)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{ events(limit: 100) { items { %s } } }" % ALIASES, {}),
        ("query($n: Int) { events(limit: $n) { items { %s } } }" % ALIASES, {"n": 100}),
        ("query($n: Int = 100) { events(limit: $n) { items { %s } } }" % ALIASES, {}),
        ("{ eventsConnection(first: 100) { nodes { %s } } }" % ALIASES, {}),
        ("{ eventsConnection(last: 100) { edges { node { %s } } } }" % ALIASES, {}),
        ("{ eventsConnection(first: 1, last: 100) { nodes { %s } } }" % ALIASES, {}),
        ("query($n: Int, $m: Int) { eventsConnection(first: $n, last: $m) { nodes { %s } } }" % ALIASES, {"m": 100}),
        ("{ eventsConnection(first: 100000) { nodes { %s } } }" % ALIASES, {}),
        ("{ events(limit: 100) { ...page } } fragment page on EventPage { items { %s } }" % ALIASES, {}),
        ("{ events(limit: 100) { ... on EventPage { items { %s } } } }" % ALIASES, {}),
        ("{ events(limit: 100) { items { a: description b: description c: description } } }", {}),
        ("{ events(limit: 100) { items { customFields { options } } } }", {}),
        ("{ events(limit: 100) { items { %s } } }" % ALIASES.replace("name", "notice")[:400].rpartition(" a")[0], {}),
        ("{ organizations(limit: 100) { items { recentEvents { %s } } } }" % ALIASES[:400].rpartition(" a")[0], {}),
    ],
)
def test_nested_lists_beyond_the_maximum_are_rejected(text: str, variables: dict[str, Any]) -> None:
    with pytest.raises(DocumentTooLarge, match="above the maximum"):
        check(text, **variables)


@pytest.mark.parametrize(
    "text",
    [
        "{ events(limit: 100) { items { id name date location ticketTypes { name price available } } } }",
        "{ events(limit: 5) { items { %s } } }" % ALIASES,
        "{ eventsConnection(last: 5) { edges { node { %s } } } }" % ALIASES,
        "query($n: Int = 5, $m: Int) { eventsConnection(first: $n, last: $m) { nodes { %s } } }" % ALIASES,
        "{ eventsConnection(first: 5, last: null) { nodes { %s } } }" % ALIASES,
        "{ organizations(limit: 100) { items { name recentEvents { id name date } } } }",
        "{ events(limit: 100) { items { id name description notice } } }",
        "{ events(limit: 20) { items { name customFields { name type options required } } } }",
        "{ __schema { types { fields { args { type { ofType { name } } } } } } }",
        "{ nothing { like { this } } }",
        "{ ...loop } fragment loop on Query { ...loop }",
    ],
)
def test_typical_queries_are_below_the_maximum(text: str) -> None:
    check(text)


APPROVALS = "mutation($ids: [ID!]!) { %s }" % " ".join(
    f"a{number}: approvePayments(input: {{ticketIds: $ids}}) {{ failed {{ code }} }}" for number in range(6)
)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (APPROVALS, {"ids": [str(number) for number in range(100)]}),
        (APPROVALS.replace("$ids}", "[%s]}" % ", ".join(map(str, range(100)))), {}),
        (
            "mutation($input: CreateEventInput!) { %s }"
            % " ".join(f"a{number}: createEvent(input: $input) {{ id }}" for number in range(11)),
            {"input": {"ticketTypes": [{}] * 50}},
        ),
    ],
)
def test_mutations_cost_work_for_each_element_of_a_list(text: str, variables: dict[str, Any]) -> None:
    with pytest.raises(DocumentTooLarge, match="above the maximum"):
        check(text, **variables)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (APPROVALS, {"ids": [str(number) for number in range(80)]}),
        (APPROVALS, {"ids": "1"}),
        (APPROVALS, {"ids": None}),
        (APPROVALS, {}),
        ("mutation { createEvent(input: 3) { id } }", {}),
        ("mutation { createEvent(input: {ticketTypes: {name: 3}, other: [1, 2]}, nothing: [1]) { id } }", {}),
    ],
)
def test_lists_within_bounds_and_invalid_values_are_left_to_validation(text: str, variables: dict[str, Any]) -> None:
    check(text, **variables)


def test_cycles_through_the_graph_multiply_the_cost() -> None:
    """From events to organizations and back, until the cost is above the maximum."""
    once = "organization { events(limit: 5) { items { %s } } }"
    check("{ events(limit: 5) { items { %s } } }" % (once % "id"))
    check("{ events(limit: 5) { items { %s } } }" % (once % (once % "id")))
    with pytest.raises(DocumentTooLarge, match="above the maximum"):
        check("{ events(limit: 20) { items { %s } } }" % (once % (once % (once % "id"))))


def test_cost_of_a_fragment_is_calculated_once_for_all_its_spreads() -> None:
    spreads = " ".join(f"fragment f{level} on Event {{ ...f{level + 1} ...f{level + 1} }}" for level in range(40))
    with pytest.raises(DocumentTooLarge, match="above the maximum"):
        check("{ event(id: 1) { ...f0 } } %s fragment f40 on Event { name }" % spreads)


async def test_rejected_operation_is_not_executed(world: World) -> None:
    long_texts = "a: description b: description c: description"
    answer = await world.anonymous.graphql_response("{ events(limit: 100) { items { %s } } }" % long_texts)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
    assert str(MAX_COST) in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ me { id } }", 11),  # denied, but its cost is calculated
        ("{ events(limit: 7) { items { id name } } }", 40 + 1 + 7 * 2),
        ("{ eventsConnection(first: 7) { nodes { id name } } }", 40 + 1 + 7 * 2),
        ("{ eventsConnection(last: 7) { edges { cursor node { id name } } } }", 40 + 1 + 7 * (1 + 1 + 2)),
        ("{ eventsConnection { nodes { id } pageInfo { endCursor } totalCount } }", 40 + 1 + 20 + 1 + 1 + 10),
        ("query($n: Int) { events(limit: $n) { items { id } } }", 40 + 1 + 20),
        ("query($n: Int = 3) { events(limit: $n) { items { id } } }", 40 + 1 + 3),
        ("{ events { items { id organization { name } } } }", 40 + 1 + 20 * (1 + 10 + 1)),
        ("{ events(limit: 3) { items { tickets(limit: 5) { items { id } } } } }", 40 + 1 + 3 * (40 + 1 + 5)),
        ("{ organizations(limit: 3) { items { events(limit: 5) { items { id } } } } }", 40 + 1 + 3 * (40 + 1 + 5)),
        ("{ me { tickets(limit: 5) { items { event { id } } } } }", 10 + 40 + 1 + 5 * (10 + 1)),
    ],
)
async def test_response_contains_the_cost(world: World, text: str, cost: int) -> None:
    answer = await world.anonymous.graphql(text)
    assert answer["extensions"] == {"cost": {"requested": cost, "maximum": MAX_COST}}


async def test_response_without_execution_contains_no_cost(world: World) -> None:
    assert "extensions" not in await world.anonymous.graphql("{ unknown }")
