"""Limits on the size of documents, and the rate-limit units that they cost (decisions 3.5)."""

import time
from collections.abc import Callable

import pytest
from graphql import DocumentNode, OperationDefinitionNode, get_introspection_query, get_operation_ast, parse

from amarevents.schema.execution.limits import (
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_DIRECTIVES,
    MAX_FIELDS,
    MAX_INTROSPECTIONS,
    MAX_ROOT_FIELDS,
    MAX_VALUES,
    DocumentTooLarge,
    count_units,
    require_bounded,
)
from tests.support.world import World


def _operation(document: DocumentNode, name: str | None = None) -> OperationDefinitionNode:
    operation = get_operation_ast(document, name)
    assert operation is not None
    return operation


def _units(text: str, **variables: object) -> int:
    document = parse(text)
    return count_units(document, _operation(document), variables)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("{ events { items { id name } } }", 1),
        ("{ events { pagination { total } } me { id } }", 2),
        ("{ a: me { id } b: me { id } me { id } }", 3),
        ("{ me { id } me { username } a: me { id } a: me { type } }", 2),
        ("{ ... on Query { me { id } } ... { events { items { id } } } }", 2),
        ("{ ...F ...F me { id } } fragment F on Query { a: me { id } b: me { id } }", 3),
        ("{ ...F } fragment F on Query { ...G a: me { id } } fragment G on Query { b: me { id } }", 2),
        ("{ ...F } fragment F on Query { ...F a: me { id } }", 1),
        ("{ ...Unknown }", 1),
        ("{ a: me @skip(if: true) { id } b: me @include(if: false) { id } }", 1),
        ("{ a: me @skip(if: false) { id } b: me @include(if: true) { id } }", 2),
        ("{ ... @skip(if: true) { a: me { id } } ...F @include(if: false) } fragment F on Query { b: me { id } }", 1),
        ("{ ...F @skip(if: true) ...F } fragment F on Query { a: me { id } b: me { id } }", 2),
        ("{ a: me @unknown(if: true) { id } b: me @skip(if: 3) { id } }", 2),
        ("{ __typename a: __typename }", 2),
        ("mutation { a: logout { loggedOut } b: logout { loggedOut } }", 2),
    ],
)
def test_operation_costs_its_root_fields_after_fragments_and_aliases_are_resolved(text: str, units: int) -> None:
    assert _units(text) == units


def test_directives_are_evaluated_with_variables_and_their_defaults() -> None:
    text = "query($on: Boolean!, $off: Boolean = true) { a: me @include(if: $on) { id } b: me @skip(if: $off) { id } }"
    assert [_units(text, on=True), _units(text, on=True, off=False), _units(text, on=False, off=False)] == [1, 2, 1]


def test_more_root_fields_than_the_maximum_are_rejected() -> None:
    fields = [f"a{number}: me {{ id }}" for number in range(MAX_ROOT_FIELDS)]
    assert _units(f"{{ {' '.join(fields)} }}") == MAX_ROOT_FIELDS
    with pytest.raises(DocumentTooLarge):
        _units(f"{{ {' '.join(fields)} me {{ id }} }}")


def test_fields_are_counted_in_operations_and_in_unused_fragments() -> None:
    most = " ".join(["id"] * (MAX_FIELDS - 1))
    require_bounded(parse(f"{{ me {{ {most} }} }}"))
    for beyond in (f"{{ me {{ {most} id }} }}", f"{{ me {{ id }} }} fragment Unused on User {{ {most} }}"):
        with pytest.raises(DocumentTooLarge):
            require_bounded(parse(beyond))


@pytest.mark.parametrize(
    ("limit", "document"),
    [
        (MAX_ALIASES, lambda count: " ".join(f"a{number}: id" for number in range(count))),
        (MAX_DIRECTIVES, lambda count: " ".join(["id @skip(if: false)"] * count)),
        (MAX_DEPTH - 1, lambda count: "x {" * (count - 1) + "id" + "}" * (count - 1)),
        (MAX_VALUES, lambda count: f"x({' '.join(f'a{number}: 1' for number in range(count))})"),
        (MAX_VALUES, lambda count: f"x(a: [{'1 ' * (count - 1)}])"),
        (MAX_VALUES, lambda count: f"x @a(b: [{{{'a: 1 ' * (count - 2)}}}])"),
        (MAX_INTROSPECTIONS, lambda count: '__type(name: "Event") { name } ' * count),
    ],
    ids=["aliases", "directives", "depth", "values", "values in lists", "values in objects", "introspections"],
)
def test_error_states_the_limit(limit: int, document: Callable[[int], str]) -> None:
    require_bounded(parse(f"{{ me {{ {document(limit)} }} }}"))
    with pytest.raises(DocumentTooLarge, match=r"at most \d+"):
        require_bounded(parse(f"{{ me {{ {document(limit + 1)} }} }}"))


@pytest.mark.parametrize("what", ["a: id", "id @skip(if: true)", "id"])
def test_fragments_that_spread_each_other_twice_are_rejected_quickly(what: str) -> None:
    chain = " ".join(f"fragment F{number} on Q {{ ...F{number + 1} ...F{number + 1} }}" for number in range(30))
    document = parse(f"{{ ...F0 }} {chain} fragment F30 on Q {{ {what} }}")
    began = time.process_time()
    with pytest.raises(DocumentTooLarge):
        require_bounded(document)
    assert time.process_time() - began < 1  # an hour if every spread were followed


@pytest.mark.parametrize(
    "text",
    [
        "{ schema: __schema { types { name } } }",
        "{ __schema { types { a: name } } }",
        '{ __type(name: "Event") { fields { a: name } } }',
        "{ __schema { types { ...F } } } fragment F on __Type { a: name }",
    ],
)
def test_introspection_cannot_use_aliases(text: str) -> None:
    with pytest.raises(DocumentTooLarge, match="cannot use aliases"):
        require_bounded(parse(text))
    require_bounded(parse(text.replace("schema: ", "").replace("a: ", "")))


def test_several_types_can_be_introspected_by_alias() -> None:
    require_bounded(parse('{ a: __type(name: "Event") { name } b: __type(name: "Ticket") { name } }'))


def test_inline_fragments_add_no_depth() -> None:
    require_bounded(parse("{ me { ... { ... { ... { ... { ... { ... { ... { ... { ... { id } } } } } } } } } } }"))


def test_fields_of_a_fragment_count_for_every_spread() -> None:
    fragment = f"fragment F on User {{ {' '.join(['id'] * 50)} }}"
    spreads = " ".join(f"m{number}: me {{ ...F }}" for number in range(12))
    with pytest.raises(DocumentTooLarge):
        require_bounded(parse(f"{{ {spreads} }} {fragment}"))


def test_introspection_query_of_tools_is_within_the_limits() -> None:
    require_bounded(parse(get_introspection_query(input_value_deprecation=True, specified_by_url=True)))


def _doubling(levels: int) -> str:
    """Return fragments that each spread the next one twice, which makes 2 to the power of ``levels`` selections."""
    fragments = [f"fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}" for level in range(levels)]
    return f"{{ ...F0 }} {' '.join(fragments)} fragment F{levels} on Query {{ __typename }}"


async def test_request_with_doubling_fragments_is_rejected_quickly(world: World) -> None:
    started = time.process_time()
    response = await world.anonymous.graphql_response(_doubling(30))
    assert time.process_time() - started < 5  # an hour if every spread were followed
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_TOO_LARGE"


NESTED: dict[str, Callable[[int], str]] = {
    "fields": lambda depth: "{a" * depth + "}" * depth,
    "inline fragments": lambda depth: "{" + "...{" * depth + "me{id}" + "}" * depth + "}",
    "lists": lambda depth: "{events(search:" + "[" * depth + "]" * depth + "){items{id}}}",
    "objects": lambda depth: (
        "mutation{registerForEvent(input:{eventId:1,customFields:" + "{a:" * depth + "1" + "}" * depth + "}){id}}"
    ),
    "types": lambda depth: "query($a:" + "[" * depth + "Int" + "]" * depth + "){me{id}}",
    "fragments": lambda depth: (
        "{...F0}"
        + "".join(f"fragment F{level} on Query{{...F{level + 1}}}" for level in range(depth))
        + f"fragment F{depth} on Query{{me{{id}}}}"
    ),
    "fragments within fragments": lambda depth: (
        "{...F0}"
        + "".join(
            f"fragment F{level} on Query{{{'...{' * 50}...F{level + 1}{'}' * 50}}}" for level in range(depth // 25)
        )
        + f"fragment F{depth // 25} on Query{{me{{id}}}}"
    ),
}


@pytest.mark.parametrize("depth", [250, 490, 1300, 5000])
@pytest.mark.parametrize("kind", sorted(NESTED))
async def test_too_deep_documents_are_rejected(world: World, kind: str, depth: int) -> None:
    response = await world.anonymous.graphql_response(NESTED[kind](depth))
    assert response.status_code == 400
    assert "data" not in response.json()


@pytest.mark.parametrize("kind", sorted(NESTED))
async def test_deepest_documents_that_can_be_parsed_cause_no_internal_error(world: World, kind: str) -> None:
    response = await world.anonymous.graphql_response(NESTED[kind](190))
    assert {failure["extensions"]["code"] for failure in response.json()["errors"]} <= {
        "DOCUMENT_TOO_LARGE",
        "GRAPHQL_INVALID",
        "UNAUTHENTICATED",
    }


async def test_cyclic_fragments_are_rejected(world: World) -> None:
    cyclic = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    response = await world.anonymous.graphql_response(cyclic)
    assert response.status_code == 400


async def test_deeply_nested_introspection_is_rejected(world: World) -> None:
    query = "{ __schema { types" + " { fields { type" * 6 + " { name }" + " } }" * 6 + " } }"
    response = await world.anonymous.graphql_response(query)
    assert response.status_code == 400


async def test_document_with_too_many_tokens_is_rejected(world: World) -> None:
    response = await world.anonymous.graphql_response("{ me { " + "id " * 4_000 + "} }")
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ a: me { id } b: me { id } c: me { id } }", 3),
        ("{ nope }", 1),
        ("{ me { id }", 1),
        ("query A { a: me { id } b: me { id } } query B { me { id } }", 1),
        ("subscription { me }", 1),
    ],
)
async def test_every_request_is_charged_its_cost(world: World, query: str, cost: int) -> None:
    caller = await world.user_key()
    before = await caller.graphql_response("{ me { id } }")
    after = await caller.graphql_response(query)
    left = [int(response.headers["X-RateLimit-Remaining"]) for response in (before, after)]
    assert left[0] - left[1] == cost


async def test_several_operations_without_an_operation_name_are_rejected(world: World) -> None:
    caller = await world.user_key()
    several = "query A { me { id } } query B { events { items { id } } }"
    response = await caller.graphql_response(several)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert "data" not in response.json()
