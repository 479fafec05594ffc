"""JSON that parsers read in different ways, on both surfaces (decisions 1.6)."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.support.graphql_answers import only_error
from tests.support.rest_answers import data_of, error_in
from tests.support.world import World, snapshot

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
JSON = {"Content-Type": "application/json"}
# Bodies in which %s stands for the rest of an object.
DUPLICATES = {
    "a name": b'{"name": "A", "name": "B", %s}',
    "a name with another between": b'{"name": "A", "date": null, "name": "A", %s}',
    "a name and its escape": b'{"name": "A", "\\u006eame": "B", %s}',
    "an empty name": b'{"": 1, "": 1, %s}',
    "a name in an object in an array": b'{"ticket_types": [{"name": "A", "name": "B"}], %s}',
    "a name in an unknown object": b'{"a": {"b": [[{"c": 1, "c": 2}]]}, %s}',
    "a name among texts with colons": b'{"location": "a:b", "name": "::", "name": ":", %s}',
}
Send = Callable[[bytes], Awaitable[httpx.Response]]


@pytest.fixture
async def send(world: World) -> Send:
    """``send(body)`` creates an event over REST; ``%s`` in the body is the rest that an event needs."""
    owner = await world.organizer()
    organization, session = await world.organization(owner), await world.session(owner)
    rest = b'"organization_id": %d' % organization.id

    async def post(body: bytes) -> httpx.Response:
        headers = {**session.headers, **JSON}
        return await session.http.post("/api/events", content=body.replace(b"%s", rest), headers=headers)

    return post


@pytest.mark.parametrize("body", DUPLICATES.values(), ids=DUPLICATES)
async def test_name_that_stands_twice_in_an_object_is_refused(world: World, send: Send, body: bytes) -> None:
    before = await snapshot()
    assert error_in(await send(body), 400, "MALFORMED_JSON") == {}
    variables = body.replace(b"%s", b'"a1": 1')
    graphql = b'{"query": "{ __typename }", "variables": %s}' % variables
    answer = await world.anonymous.http.post("/graphql", content=graphql, headers=JSON)
    assert only_error(answer.json()["errors"])["code"] == "MALFORMED_JSON"
    assert await snapshot() == before


async def test_names_that_only_look_alike_are_accepted(send: Send) -> None:
    body = b'{"name": "a: \\"name\\": b", "location": "\\\\", "ticket_types": [{"name": ":"}, {"name": ":"}], %s}'
    created = data_of(await send(body), 201)
    assert (created["name"], len(created["ticket_types"])) == ('a: "name": b', 2)


async def test_byte_order_mark_is_ignored(world: World, send: Send) -> None:
    data_of(await send(BYTE_ORDER_MARK + b'{"name": "Mela", %s}'), 201)
    graphql = BYTE_ORDER_MARK + b'{"query": "{ __typename }"}'
    answer = await world.anonymous.http.post("/graphql", content=graphql, headers=JSON)
    assert answer.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"0x1", b"01", b"1.", b"+1"]
)
async def test_number_that_json_does_not_have_is_refused(world: World, send: Send, number: bytes) -> None:
    error_in(await send(b'{"name": "A", "hold_minutes": ' + number + b", %s}"), 400, "MALFORMED_JSON")
    graphql = b'{"query": "{ __typename }", "variables": {"a": ' + number + b"}}"
    answer = await world.anonymous.http.post("/graphql", content=graphql, headers=JSON)
    assert only_error(answer.json()["errors"])["code"] == "MALFORMED_JSON"


@pytest.mark.parametrize("number", [b"40", b"40.0", b"4e1", b"4E+1", b"400e-1", b'"40"', b'"40.0"', b'"4e1"'])
async def test_whole_number_is_an_integer_however_it_is_written(send: Send, number: bytes) -> None:
    body = b'{"name": "A", "ticket_types": [{"name": "VIP", "capacity": ' + number + b"}], %s}"
    [ticket_type] = data_of(await send(body), 201)["ticket_types"]
    assert ticket_type["capacity"] == 40
