"""What an operation may resolve, told before it runs."""

from typing import Any

import pytest
from graphql import get_operation_ast, parse

from amarevents.schema.cost import MAX_COST, require_affordable
from amarevents.schema.limits import DocumentTooLarge
from amarevents.schema.schema import schema
from tests.world import World

ALIASES = " ".join(f"a{number}: name" for number in range(250))


def check(text: str, **variables: Any) -> None:  # Any: whatever a caller sends
    document = parse(text)
    operation = get_operation_ast(document, None)
    assert operation is not None
    require_affordable(schema.graphql_schema, document, operation, variables)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{ events(limit: 100) { items { %s } } }" % ALIASES, {}),
        ("query($n: Int) { events(limit: $n) { items { %s } } }" % ALIASES, {"n": 100}),
        ("query($n: Int = 100) { events(limit: $n) { items { %s } } }" % ALIASES, {}),
        ("{ events(limit: 100) { ...page } } fragment page on EventPage { items { %s } }" % ALIASES, {}),
        ("{ events(limit: 100) { ... on EventPage { items { %s } } } }" % ALIASES, {}),
        ("{ events(limit: 100) { items { a: description b: description c: description } } }", {}),
        ("{ events(limit: 100) { items { %s } } }" % ALIASES.replace("name", "notice")[:400].rpartition(" a")[0], {}),
        ("{ organizations(limit: 100) { items { recentEvents { %s } } } }" % ALIASES[:400].rpartition(" a")[0], {}),
    ],
)
def test_lists_that_multiply_are_refused(text: str, variables: dict[str, Any]) -> None:
    with pytest.raises(DocumentTooLarge, match="may cost"):
        check(text, **variables)


@pytest.mark.parametrize(
    "text",
    [
        "{ events(limit: 100) { items { id name date location ticketTypes { name price available } } } }",
        "{ events(limit: 5) { items { %s } } }" % ALIASES,
        "{ organizations(limit: 100) { items { name recentEvents { id name date } } } }",
        "{ events(limit: 100) { items { id name description notice } } }",
        "{ __schema { types { fields { args { type { ofType { name } } } } } } }",
        "{ nothing { like { this } } }",
        "{ ...loop } fragment loop on Query { ...loop }",
    ],
)
def test_what_people_ask_is_affordable(text: str) -> None:
    check(text)


def test_fragments_are_weighed_once_however_often_they_are_spread() -> None:
    spreads = " ".join(f"fragment f{level} on Event {{ ...f{level + 1} ...f{level + 1} }}" for level in range(40))
    with pytest.raises(DocumentTooLarge, match="may cost"):
        check("{ event(id: 1) { ...f0 } } %s fragment f40 on Event { name }" % spreads)


async def test_refused_operation_is_not_executed(world: World) -> None:
    answer = await world.anonymous.graphql_response("{ events(limit: 100) { items { %s } } }" % ALIASES)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
    assert str(MAX_COST) in answer.json()["errors"][0]["message"]
