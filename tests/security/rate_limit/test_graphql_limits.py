"""Rate limits of GraphQL: a request costs as many units as it has root fields, all or nothing (decisions 3.5)."""

from collections.abc import Callable

import httpx
import pytest

from amarevents.models import ApiKey
from tests.support.statements import counted_statements
from tests.support.world import Caller, World, snapshot

Configure = Callable[..., None]
LIMIT = 30
F = "fragment F on Query { a: me { id } b: me { id } }"
COSTS = {
    "{ me { id } }": 1,
    "{ me { id username auth { method } } }": 1,
    "{ a: me { id } b: me { id } }": 2,
    "{ a: me { id } b: me { id } c: me { id } }": 3,
    "{ me { id } me { username } }": 1,
    "{ a: me { id } a: me { username } b: me { id } }": 2,
    "{ me { id } events { items { id } } organizations { items { id } } }": 3,
    "{ __typename }": 1,
    "{ __typename me { id } }": 2,
    "{ __schema { types { name } } }": 1,
    f"{{ ...F }} {F}": 2,
    f"{{ ...F ...F }} {F}": 2,
    f"{{ ...F c: me {{ id }} }} {F}": 3,
    f"{{ ...G }} fragment G on Query {{ ...F c: me {{ id }} }} {F}": 3,
    "{ ... on Query { a: me { id } ... { b: me { id } } } }": 2,
    f"{{ ...F @skip(if: true) ...F }} {F}": 2,
    f"{{ ...F @skip(if: true) c: me {{ id }} }} {F}": 1,
    "{ a: me { id } b: me @skip(if: true) { id } }": 1,
    "{ a: me { id } b: me @skip(if: false) { id } }": 2,
    "{ a: me { id } b: me @include(if: false) { id } }": 1,
    "{ a: me { id } b: me @include(if: true) { id } }": 2,
    "{ a: me { id } b: me @include(if: true) @skip(if: true) { id } }": 1,
    "{ a: me @skip(if: true) { id } }": 1,
    "query A { a: me { id } b: me { id } }": 2,
    "mutation { a: logout { loggedOut } b: logout { loggedOut } }": 2,
}
WITH_VARIABLES = [
    ("query ($v: Boolean!) { a: me { id } b: me @include(if: $v) { id } }", {"v": True}, 2),
    ("query ($v: Boolean!) { a: me { id } b: me @include(if: $v) { id } }", {"v": False}, 1),
    ("query ($v: Boolean = true) { a: me { id } b: me @skip(if: $v) { id } }", {}, 1),
    ("query ($v: Boolean = true) { a: me { id } b: me @skip(if: $v) { id } }", {"v": False}, 2),
]
INVALID = [
    *("", "{", "{ me }", "{ nothing }", "nonsense", "fragment F on Query { a: me { id } }", "{ ...Missing }"),
    *("query A { me { id } } query B { me { id } }", "subscription { me }"),
]


async def _cost(caller: Caller, query: str, variables: dict[str, object] | None = None) -> int:
    body = {"query": query, "variables": variables}
    answer = await caller.http.post("/graphql", json=body, headers=caller.headers)
    return LIMIT - int(answer.headers["X-RateLimit-Remaining"])


@pytest.fixture
async def caller(world: World, configure: Configure) -> Caller:
    configure(rate_limit_user=LIMIT)
    return await world.user_key()


@pytest.mark.parametrize(("query", "units"), COSTS.items())
async def test_a_request_costs_one_unit_for_each_root_field(caller: Caller, query: str, units: int) -> None:
    assert await _cost(caller, query) == units


@pytest.mark.parametrize(("query", "variables", "units"), WITH_VARIABLES)
async def test_skip_and_include_are_evaluated_with_the_variables(
    caller: Caller, query: str, variables: dict[str, object], units: int
) -> None:
    assert await _cost(caller, query, variables) == units


@pytest.mark.parametrize("query", INVALID)
async def test_an_invalid_document_costs_one_unit(caller: Caller, query: str) -> None:
    assert await _cost(caller, query) == 1


@pytest.mark.parametrize("content", [b"", b"{broken", b"[]", b"\xff", b'{"query": 1}'])
async def test_a_malformed_request_costs_one_unit(caller: Caller, content: bytes) -> None:
    headers = {**caller.headers, "Content-Type": "application/json"}
    answer = await caller.http.post("/graphql", content=content, headers=headers)
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (400, str(LIMIT - 1))


async def test_only_the_selected_operation_is_counted(caller: Caller) -> None:
    document = "query A { me { id } } query B { a: me { id } b: me { id } c: me { id } }"
    body = {"query": document, "operationName": "B"}
    answer = await caller.http.post("/graphql", json=body, headers=caller.headers)
    assert answer.headers["X-RateLimit-Remaining"] == str(LIMIT - 3)


async def test_an_invalid_mutation_is_counted_and_not_executed(caller: Caller) -> None:
    before = await snapshot()
    answer = await caller.graphql_response(
        'mutation { createApiKey(input: {name: "x", keyType: USER}) { id } nothing }'
    )
    assert answer.status_code == 400
    assert int(answer.headers["X-RateLimit-Remaining"]) < LIMIT
    assert await snapshot() == before


async def test_rest_and_graphql_share_one_limit(caller: Caller, configure: Configure) -> None:
    configure(rate_limit_user=3)
    await caller.get("/events")
    await caller.graphql_response("{ a: me { id } b: me { id } }")
    assert (await caller.get("/events")).status_code == 429
    assert (await caller.graphql_response("{ me { id } }")).status_code == 429


async def test_sessions_share_one_limit_on_both_surfaces(world: World, configure: Configure) -> None:
    configure(rate_limit_session=3)
    session = await world.session(await world.user())
    await session.get("/events")
    assert (await session.graphql_response("{ a: me { id } b: me { id } }")).headers["X-RateLimit-Remaining"] == "0"
    assert (await session.get("/events")).status_code == 429


async def test_anonymous_requests_share_the_limit_of_their_address(
    http: httpx.AsyncClient, configure: Configure
) -> None:
    configure(rate_limit_anonymous=3)
    query = "{ a: events { items { id } } b: events { items { id } } }"
    assert [(await http.post("/graphql", json={"query": query})).status_code for _ in range(2)] == [200, 429]
    assert [(await http.get("/api/events")).status_code for _ in range(2)] == [200, 429]


def _keys(number: int) -> str:
    aliases = [f'k{one}: createApiKey(input: {{name: "k{one}", keyType: USER}}) {{ id }}' for one in range(number)]
    return f"mutation {{ {' '.join(aliases)} }}"


async def test_a_request_over_the_limit_is_429_and_not_executed(caller: Caller, configure: Configure) -> None:
    configure(rate_limit_user=5)
    assert (await caller.graphql_response(_keys(3))).status_code == 200
    before = await snapshot()
    answer = await caller.graphql_response(_keys(3))
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (429, "2")
    extensions = answer.json()["errors"][0]["extensions"]
    assert (extensions["code"], extensions["status"]) == ("RATE_LIMITED", 429)
    assert extensions["retryAfter"] == int(answer.headers["Retry-After"]) >= 1
    assert "data" not in answer.json()
    assert await snapshot() == before


async def test_a_refused_request_is_not_counted(caller: Caller, configure: Configure) -> None:
    configure(rate_limit_user=5)
    await caller.graphql_response(_keys(3))
    await caller.graphql_response(_keys(3))
    assert (await caller.graphql_response(_keys(2))).status_code == 200
    assert await ApiKey.filter(name__startswith="k").count() == 5


async def test_a_request_larger_than_the_limit_is_429_and_not_executed(caller: Caller, configure: Configure) -> None:
    configure(rate_limit_user=2)
    before = await snapshot()
    answer = await caller.graphql_response(_keys(3))
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (429, "2")
    assert int(answer.headers["Retry-After"]) >= 1
    assert "data" not in answer.json()
    assert await snapshot() == before


async def test_a_document_that_is_too_large_is_not_executed(caller: Caller) -> None:
    before = await snapshot()
    answer = await caller.graphql_response(_keys(25))
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "DOCUMENT_TOO_LARGE")
    assert await snapshot() == before


async def test_a_key_over_its_limit_is_refused_before_execution(caller: Caller, configure: Configure) -> None:
    configure(rate_limit_user=1)
    await caller.get("/events")
    with counted_statements() as statements:
        assert (await caller.graphql_response("{ me { id } }")).status_code == 429
    assert len(statements) <= 1  # authentication
