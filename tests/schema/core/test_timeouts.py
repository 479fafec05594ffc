"""Timeouts of operations: the errors of what was cancelled, and database connections that remain usable."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from tortoise import connections

from amarevents.models import Donation
from amarevents.models.db.connection import CONNECTION
from amarevents.resolvers.core.operation import OPERATIONS
from amarevents.schema.core.timeouts import Deadline
from tests.support.graph import replace_batch
from tests.support.selection import Backend
from tests.support.world import World

# Any below: every operation has its own arguments and result.

Run = Callable[..., Awaitable[Any]]
Replace = Callable[[str, Callable[[Run], Run]], AbstractContextManager[None]]

EVENTS = "{ events { items { id name } pagination { total } } }"
LIMIT = 0.1
DONATE = """mutation($slow: SubmitDonationInput!, $input: SubmitDonationInput!, $key: String) {
    first: submitDonation(input: $input) { id }
    second: submitDonation(input: $slow, idempotencyKey: $key) { id }
    third: submitDonation(input: $input) { id }
}"""
# Statements that keep the database busy for about the given number of seconds.
WAIT = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d * 6000000) "
    "SELECT max(i) FROM n",
    "postgres": "SELECT pg_sleep(%d)",
}


@contextmanager
def replaced(name: str, wrap: Callable[[Run], Run]) -> Iterator[None]:
    """Wrap the work of an operation in another function."""
    operation = OPERATIONS[name]
    original = operation.run
    object.__setattr__(operation, "run", wrap(original))  # the instance is frozen
    try:
        yield
    finally:
        object.__setattr__(operation, "run", original)


@contextmanager
def slow_lists_of_events(backend: Backend, seconds: int) -> Iterator[None]:
    """Keep the database busy for about ``seconds`` before every list of events."""

    def slowly(original: Run) -> Run:
        async def run(ctx: Any, **arguments: Any) -> Any:
            await connections.get(CONNECTION).execute_query(WAIT[backend] % seconds)
            return await original(ctx, **arguments)

        return run

    with replaced("list_events", slowly):
        yield


@pytest.fixture
def slow_lists(backend: Backend) -> Iterator[None]:
    with slow_lists_of_events(backend, 1):
        yield


@pytest.fixture
def very_slow_lists(backend: Backend) -> Iterator[None]:
    with slow_lists_of_events(backend, 10):
        yield


@pytest.fixture
def hanging_donations() -> Iterator[None]:
    """Make donations from slow@example.com hang after they have been stored."""

    def hanging(original: Run) -> Run:
        async def run(ctx: Any, **arguments: Any) -> Any:
            donation = await original(ctx, **arguments)
            if donation.email == "slow@example.com":
                await asyncio.sleep(30)
            return donation

        return run

    with replaced("submit_donation", hanging):
        yield


def donation(email: str, number: int) -> dict[str, object]:
    return {
        "email": email,
        "number": "01700000000",
        "amount": "50",
        "type": "BKASH",
        "transactionId": f"GIFT{number:06d}",
    }


@pytest.mark.usefixtures("very_slow_lists")
async def test_slow_operation_times_out(world: World, configure: Callable[..., None]) -> None:
    configure(graphql_timeout_seconds=LIMIT)
    began = time.monotonic()
    answer = await world.anonymous.graphql_response(EVENTS)
    assert time.monotonic() - began < 5
    assert answer.status_code == 200
    [failure] = answer.json()["errors"]
    assert (failure["path"], failure["extensions"]) == (["events"], {"code": "TIMEOUT", "status": 500})
    assert answer.json()["data"] == {"events": None}


@pytest.mark.usefixtures("slow_lists")
async def test_same_operation_succeeds_without_the_timeout(world: World) -> None:
    """Negative control."""
    began = time.monotonic()
    answer = await world.anonymous.graphql(EVENTS)
    assert time.monotonic() - began > 2 * LIMIT
    assert answer["data"]["events"]["items"] == []


async def test_database_connections_are_usable_after_many_timeouts(
    world: World, configure: Callable[..., None], backend: Backend, request: pytest.FixtureRequest
) -> None:
    await world.event(await world.organizer(), name="Fair")
    request.getfixturevalue("slow_lists")
    configure(graphql_timeout_seconds=LIMIT)
    answers = await asyncio.gather(*(world.anonymous.graphql(EVENTS) for _ in range(40)))
    assert {answer["errors"][0]["extensions"]["code"] for answer in answers} == {"TIMEOUT"}
    configure(graphql_timeout_seconds=10)
    query = "{ organizations { items { name } } ticketTypes(eventId: 0) { id } plans { id } }"
    async with asyncio.timeout(10):
        after = await asyncio.gather(*(world.anonymous.graphql(query) for _ in range(20)))
    assert {len(answer["data"]["organizations"]["items"]) for answer in after} == {1}
    if backend == "postgres":
        client = connections.get(CONNECTION)
        assert client._queue.used == len(client._queue._free)


async def test_timeout_of_an_edge_leaves_the_rest_of_the_result(
    world: World, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.event(await world.organizer(), name="Fair")

    async def hang(*_arguments: object) -> dict[int, object]:
        await asyncio.sleep(30)
        return {}

    replace_batch(monkeypatch, "Event", "organization", hang)
    configure(graphql_timeout_seconds=LIMIT)
    answer = await world.anonymous.graphql("{ events { items { name organization { id } gallery { url } } } }")
    [event] = answer["data"]["events"]["items"]
    assert event == {"name": "Fair", "organization": None, "gallery": []}
    [failure] = answer["errors"]
    assert failure["path"] == ["events", "items", 0, "organization"]
    assert failure["extensions"] == {"code": "TIMEOUT", "status": 500}


@pytest.mark.parametrize("field", ['node(nodeId: "x")', 'nodes(nodeIds: ["x", "y"])'])
async def test_look_up_by_node_id_times_out(
    world: World, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    async def hang(*_arguments: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr("amarevents.schema.core.nodes._find", hang)
    configure(graphql_timeout_seconds=LIMIT)
    answer = await world.anonymous.graphql(f"{{ found: {field} {{ nodeId }} }}")
    assert answer["data"] == {"found": None}
    assert [(one["path"], one["extensions"]["code"]) for one in answer["errors"]] == [(["found"], "TIMEOUT")]


@pytest.mark.usefixtures("hanging_donations")
async def test_errors_of_mutations_say_whether_they_may_have_taken_effect(
    world: World, configure: Callable[..., None]
) -> None:
    """The first succeeds, the second times out after it has taken effect, and the third is not started."""
    configure(graphql_timeout_seconds=0.4)
    variables = {"slow": donation("slow@example.com", 1), "input": donation("giver@example.com", 2), "key": "once"}
    answer = await world.anonymous.graphql(DONATE, **variables)
    assert answer["data"]["first"]["id"]
    assert (answer["data"]["second"], answer["data"]["third"]) == (None, None)
    uncertain, not_started = answer["errors"]
    assert (uncertain["path"], not_started["path"]) == (["second"], ["third"])
    assert {failure["extensions"]["code"] for failure in answer["errors"]} == {"TIMEOUT"}
    assert "may have taken effect" in uncertain["message"]
    assert "it has changed nothing" in not_started["message"]
    assert await Donation.filter(email="giver@example.com").count() == 1


async def test_mutation_that_timed_out_can_be_repeated_with_its_idempotency_key(
    world: World, configure: Callable[..., None]
) -> None:
    mutation = """mutation($input: SubmitDonationInput!) {
        submitDonation(input: $input, idempotencyKey: "once") { id } }"""
    given = donation("slow@example.com", 1)

    def hanging(original: Run) -> Run:
        async def run(ctx: Any, **arguments: Any) -> Any:
            await original(ctx, **arguments)
            await asyncio.sleep(30)

        return run

    configure(graphql_timeout_seconds=LIMIT)
    with replaced("submit_donation", hanging):
        assert (await world.anonymous.graphql(mutation, input=given))["data"] == {"submitDonation": None}
    configure(graphql_timeout_seconds=10)
    answers = [await world.anonymous.graphql(mutation, input=given) for _ in range(2)]
    assert answers[0]["data"]["submitDonation"]["id"] == answers[1]["data"]["submitDonation"]["id"]
    assert await Donation.all().count() == 1


async def test_timeout_error_of_the_work_is_passed_on() -> None:
    async def fail() -> None:
        raise TimeoutError("from the work")

    with pytest.raises(TimeoutError, match="from the work"):
        await Deadline(10).wait_for(fail)
