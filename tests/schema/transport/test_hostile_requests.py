"""Hostile requests, which get a valid response and at most 0.2 seconds of processor time."""

import sys
import time

import httpx
import orjson
import pytest
from graphql import parse, validate

from amarevents.schema.execution import documents
from amarevents.schema.schema import schema
from tests.support.hostile_requests import EXPENSIVE_BODIES, EXPENSIVE_DOCUMENTS, HostileRequestWriter
from tests.support.random_documents import DocumentWriter
from tests.support.sizes import sized
from tests.support.world import World

pytestmark = pytest.mark.deep("postgres")  # almost all requests are rejected before they reach the database

SECONDS = 0.2
RUNS, BODIES = sized(2, deep=8), 400


async def send(world: World, content: bytes) -> httpx.Response:
    return await world.http.post("/graphql", content=content, headers={"Content-Type": "application/json"})


async def seconds_of(world: World, content: bytes) -> float:
    """Return the processor time of a request: the least of five attempts, because other processes disturb it.

    Tracing for coverage is switched off, because it would take half of the time.
    """
    measured = []
    for _ in range(5):
        documents._cache.clear()
        tracing = sys.gettrace()
        sys.settrace(None)
        began = time.process_time()
        try:
            await send(world, content)
        finally:
            measured.append(time.process_time() - began)
            sys.settrace(tracing)
        if measured[-1] < SECONDS:
            break
    return min(measured)


def require_envelope(answer: httpx.Response) -> None:
    """Require data, errors or both; each error must have a message and a status below 500."""
    assert answer.status_code in {200, 400, 429}
    content = orjson.loads(answer.content)
    assert content.keys() <= {"data", "errors", "extensions"}
    assert "data" in content or content["errors"]
    for failure in content.get("errors", []):
        assert failure["message"]
        assert failure["extensions"]["status"] < 500, failure


@pytest.mark.parametrize("content", EXPENSIVE_BODIES.values(), ids=EXPENSIVE_BODIES)
async def test_most_expensive_requests_take_little_time(world: World, content: bytes) -> None:
    assert len(content) <= 2**16
    require_envelope(await send(world, content))
    assert await seconds_of(world, content) < SECONDS


async def test_stock_validation_would_take_longer(world: World) -> None:
    """Negative control: for a document that the limits reject, it takes several times as long as the whole request."""
    name = "one object, 245 times"
    document = parse(EXPENSIVE_DOCUMENTS[name])
    began = time.process_time()
    validate(schema.graphql_schema, document)
    assert time.process_time() - began > 3 * await seconds_of(world, EXPENSIVE_BODIES[name])


@pytest.mark.parametrize("seed", range(RUNS))
async def test_random_requests_get_valid_responses(world: World, seed: int) -> None:
    writer = HostileRequestWriter(DocumentWriter(schema.graphql_schema, seed), seed)
    for _ in range(BODIES):
        content = writer.write()
        began = time.process_time()
        answer = await send(world, content)
        spent = time.process_time() - began
        require_envelope(answer)
        assert spent < SECONDS or await seconds_of(world, content) < SECONDS, content[:2_000]


async def test_random_requests_reach_every_stage(world: World) -> None:
    """Negative control: some are executed, and others are rejected for every kind of reason."""
    writer = HostileRequestWriter(DocumentWriter(schema.graphql_schema, 2), 2)
    answers = [orjson.loads((await send(world, writer.write())).content) for _ in range(BODIES)]
    codes = {failure["extensions"]["code"] for answer in answers for failure in answer.get("errors", [])}
    assert {"MALFORMED_JSON", "BAD_REQUEST", "GRAPHQL_INVALID", "VALIDATION_ERROR", "UNAUTHENTICATED"} <= codes
    assert sum("data" in answer for answer in answers) > 10
