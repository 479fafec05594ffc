"""Introspection: complete for every tool when enabled; when disabled, no response reveals a name of the schema."""

import itertools
import json
from collections.abc import Callable

import pytest
from graphql import build_client_schema, get_introspection_query, print_schema

from amarevents.schema.schema import schema
from tests.support.world import World

pytestmark = pytest.mark.deep("postgres")  # refused or answered without the database

OPTIONS = (
    "descriptions",
    "specified_by_url",
    "directive_is_repeatable",
    "schema_description",
    "input_value_deprecation",
    "one_of",
)
MISTAKES: list[tuple[str, dict[str, object]]] = [
    ("{ event(id: 1) { nme } }", {}),
    ("{ evnts { items { id } } }", {}),
    ("{ events(pge: 1) { items { id } } }", {}),
    ("{ events(category: CONCRT) { items { id } } }", {}),
    ("query($c: Category) { events(category: $c) { items { id } } }", {"c": "CONCRT"}),
    ("query($i: RegisterInput!) { register(input: $i) { id } }", {"i": {"usrname": "x"}}),
    ("mutation($i: RegisterInput!) { register(input: $i) { id } }", {"i": {"usrname": "x"}}),
    ("mutation { register(input: { usrname: 1 }) { id } }", {}),
    ("query($c: Evnt) { __typename }", {}),
    ("{ events { items } }", {}),
    ("fragment F on Evnt { id } { ...F }", {}),
    ("{ __typename @skp(if: true) }", {}),
    ("{ __typename @skip(f: true) }", {}),
]


@pytest.mark.parametrize("chosen", list(itertools.product([False, True], repeat=len(OPTIONS))), ids=str)
async def test_introspection_queries_of_tools_are_within_all_limits(world: World, chosen: tuple[bool, ...]) -> None:
    query = get_introspection_query(**dict(zip(OPTIONS, chosen, strict=True)))
    answer = await world.anonymous.graphql(query)
    assert "errors" not in answer
    assert answer["data"]["__schema"]["types"]


async def test_introspection_returns_the_schema(world: World) -> None:
    answer = await world.anonymous.graphql(get_introspection_query(specified_by_url=True, input_value_deprecation=True))
    printed = print_schema(build_client_schema(answer["data"]))
    assert "type Event" in printed
    assert printed.count("\ntype ") == print_schema(schema.graphql_schema).count("\ntype ")


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        '{ __type(name: "Event") { name } }',
        "{ a: __schema { types { name } } }",
        "{ ... { ... on Query { __schema { types { name } } } } }",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { __schema { types { name } } }",
        "{ __typename } fragment F on Query { __schema { types { name } } }",
        "{ __typename __schema @skip(if: true) { types { name } } }",
        "query A { __typename } query B { __schema { types { name } } }",
        "mutation { __typename } query B { __schema { types { name } } }",
    ],
)
async def test_introspection_is_rejected_when_disabled(
    world: World, configure: Callable[..., None], query: str
) -> None:
    configure(graphql_introspection=False)
    body = {"query": query, "operationName": "A" if "query A" in query else "B" if "query B" in query else None}
    answer = await world.http.post("/graphql", json=body)
    assert answer.status_code == 400
    [failure] = answer.json()["errors"]
    assert failure["extensions"] == {"code": "INTROSPECTION_OFF", "status": 400}
    assert "Event" not in answer.text


async def test_cached_introspection_query_is_rejected_when_disabled(
    world: World, configure: Callable[..., None]
) -> None:
    query = "{ __schema { queryType { name } } }"
    assert "errors" not in await world.anonymous.graphql(query)
    configure(graphql_introspection=False)
    assert (await world.anonymous.graphql_response(query)).status_code == 400


async def test_typename_is_allowed_when_introspection_is_disabled(world: World, configure: Callable[..., None]) -> None:
    configure(graphql_introspection=False)
    await world.event(await world.organizer())
    answer = await world.anonymous.graphql("{ __typename events { __typename items { __typename } } }")
    assert answer["data"]["events"]["items"] == [{"__typename": "Event"}]


@pytest.mark.parametrize(("query", "variables"), MISTAKES, ids=lambda part: part if isinstance(part, str) else "")
async def test_errors_suggest_no_names_when_introspection_is_disabled(
    world: World, configure: Callable[..., None], query: str, variables: dict[str, object]
) -> None:
    configure(graphql_introspection=False)
    answer = await world.anonymous.graphql_response(query, **variables)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]
    assert "Did you mean" not in answer.text


async def test_errors_suggest_names_when_introspection_is_enabled(world: World) -> None:
    """Negative control."""
    answers = [await world.anonymous.graphql(query, **variables) for query, variables in MISTAKES]
    assert sum("Did you mean" in json.dumps(answer) for answer in answers) >= len(MISTAKES) - 2
