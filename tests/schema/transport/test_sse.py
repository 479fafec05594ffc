"""Operations over server-sent events, in the distinct connections mode of graphql-sse."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message
from strawberry.types import ExecutionResult

from amarevents.models import ApiKey, Ticket
from amarevents.resolvers.core import subscription
from amarevents.schema.transport import sse
from amarevents.schema.transport.operations import ResultStream
from amarevents.security import connection_limits
from amarevents.security.context import Context
from tests.schema.subscriptions.conftest import Scene
from tests.support.local_server import TIMEOUT_SECONDS, wait_for_subscribers, wait_until_nothing_open
from tests.support.world import World, snapshot

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total } }"
TICKETS = "subscription($id: ID!) { ticketUpdated(eventId: $id) { kind ticketId } }"
EVENT_STREAM = {"Accept": "text/event-stream"}

ALIASED = " ".join(f"a{number}: total" for number in range(31))

# Any: JSON.


class EventReader:
    """The events of a response, one at a time; comments are ``("", "")``."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self, seconds: float = TIMEOUT_SECONDS) -> tuple[str, Any]:
        name, data = "", ""
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                if not line:
                    break
                field, _, value = line.partition(":")
                name, data = (value.strip(), data) if field == "event" else (name, value.strip() if field else data)
            else:
                raise EOFError
        return name, json.loads(data) if data else ""


@contextlib.asynccontextmanager
async def _streaming(address: str, query: str, headers: dict[str, str], **variables: Any) -> AsyncIterator[EventReader]:
    body = {"query": query, "variables": variables}
    async with (
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=TIMEOUT_SECONDS) as client,
        client.stream("POST", "/graphql", json=body, headers={**EVENT_STREAM, **headers}) as response,
    ):
        yield EventReader(response)


async def test_subscription_streams_changes_as_they_happen(address: str, app: Starlette, scene: Scene) -> None:
    async with _streaming(address, STATS, scene.organizer.headers, id=scene.event.id) as events:
        assert events.response.status_code == 200
        assert events.response.headers["Content-Type"].startswith("text/event-stream")
        assert events.response.headers["Cache-Control"] == "no-store, no-transform"
        assert events.response.headers["X-RateLimit-Type"] == "organizer"
        name, result = await events.next()
        assert (name, result["data"]) == ("next", {"eventStats": {"total": 0}})
        assert result["extensions"]["cost"]["requested"] == 11
        await scene.register()
        name, result = await events.next(1)
        assert (name, result["data"]) == ("next", {"eventStats": {"total": 1}})
    await wait_until_nothing_open(app)


async def test_no_change_is_missed_after_the_response_has_started(address: str, scene: Scene) -> None:
    async with _streaming(address, TICKETS, scene.organizer.headers, id=scene.event.id) as events:
        ticket_id = await scene.register()
        assert (await events.next())[1]["data"]["ticketUpdated"] == {"kind": "CREATED", "ticketId": str(ticket_id)}


async def test_comments_keep_an_idle_stream_alive(address: str, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE_SECONDS", 0.05)
    async with _streaming(address, TICKETS, scene.organizer.headers, id=scene.event.id) as events:
        assert [await events.next() for _ in range(3)] == [("", "")] * 3
        await scene.register()
        result = await events.next()
        while result == ("", ""):
            result = await events.next()
        assert result[1]["data"]["ticketUpdated"]["kind"] == "CREATED"


async def test_subscription_that_ends_sends_the_error(
    address: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "CHECK_SECONDS", 0.1)
    async with _streaming(address, TICKETS, scene.organizer.headers, id=scene.event.id) as events:
        await ApiKey.filter(id=scene.key.id).update(is_active=False)
        name, result = await events.next()
        assert (name, result.keys()) == ("next", {"errors"})
        assert result["errors"][0]["extensions"]["code"] == "API_KEY_SUSPENDED"
        assert await events.next() == ("complete", "")
        with pytest.raises(EOFError):
            await events.next()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_query_is_a_stream_of_one_result(address: str, scene: Scene, method: str) -> None:
    parameters = {"query": "{ me { username } }"}
    options: dict[str, Any] = {"params": parameters} if method == "GET" else {"json": parameters}
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
        answer = await client.request(
            method, "/graphql", headers={**EVENT_STREAM, **scene.organizer.headers}, **options
        )
    first, last = answer.text.strip().split("\n\n")
    assert first.startswith('event: next\ndata: {"data":{"me":{"username":"owner"}}')
    assert last == "event: complete\ndata:"


async def test_mutation_is_executed_once(address: str, scene: Scene) -> None:
    query = "mutation($id: ID!) { registerForEvent(input: {eventId: $id}) { status } }"
    async with _streaming(address, query, scene.buyer.headers, id=scene.event.id) as events:
        assert (await events.next())[1]["data"] == {"registerForEvent": {"status": "SUCCESS"}}
        assert await events.next() == ("complete", "")
    assert await Ticket.all().count() == 1


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "BAD_REQUEST"),
        ("{", 400, "GRAPHQL_INVALID"),
        ("subscription { nothing }", 400, "GRAPHQL_INVALID"),
        ('subscription { eventStats(eventId: "x") { total } }', 400, "VALIDATION_ERROR"),
        ('subscription { eventStats(eventId: "9") { total } }', 404, "NOT_FOUND"),
        (f"{{ events {{ pagination {{ {ALIASED} }} }} }}", 400, "DOCUMENT_TOO_LARGE"),
        (f"subscription {{ eventStats(eventId: 9) {{ {ALIASED} }} }}", 400, "DOCUMENT_TOO_LARGE"),
    ],
)
async def test_operation_that_cannot_start_gets_an_ordinary_response(
    address: str, scene: Scene, query: str, status: int, code: str
) -> None:
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
        headers = {**EVENT_STREAM, **scene.organizer.headers}
        answer = await client.post("/graphql", json={"query": query}, headers=headers)
    [failure] = answer.json()["errors"]
    assert (answer.status_code, failure["extensions"]["code"]) == (status, code)


async def test_callers_without_access_cannot_subscribe(world: World, scene: Scene) -> None:
    for caller, status in [(world.anonymous, 401), (scene.buyer, 403), (await world.organizer_key(), 403)]:
        body = {"query": STATS, "variables": {"id": scene.event.id}}
        answer = await world.http.post("/graphql", json=body, headers={**EVENT_STREAM, **caller.headers})
        assert answer.status_code == status


async def test_subscription_or_mutation_by_get_is_405(world: World, scene: Scene) -> None:
    before = await snapshot()
    for document in (STATS, "mutation($id: ID!) { deleteEvent(id: $id) { id } }"):
        parameters = {"query": document, "variables": json.dumps({"id": scene.event.id})}
        answer = await world.http.get(
            "/graphql", params=parameters, headers={**EVENT_STREAM, **scene.organizer.headers}
        )
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert await snapshot() == before


async def test_session_cannot_subscribe_from_a_foreign_origin(world: World, scene: Scene, address: str) -> None:
    session = await world.session(scene.owner)
    foreign = {**session.headers, "Origin": "https://evil.example"}
    async with _streaming(address, STATS, foreign, id=scene.event.id) as events:
        assert events.response.status_code == 403
    for own in [session.headers, {**session.headers, "Origin": f"http://{address}"}]:
        async with _streaming(address, STATS, own, id=scene.event.id) as events:
            assert (await events.next())[0] == "next"


async def test_stream_counts_towards_the_rate_limit(
    address: str, world: World, scene: Scene, configure: Callable[..., None]
) -> None:
    configure(rate_limit_organizer=1)
    async with _streaming(address, STATS, scene.organizer.headers, id=scene.event.id) as events:
        assert events.response.headers["X-RateLimit-Remaining"] == "0"
    async with _streaming(address, STATS, scene.organizer.headers, id=scene.event.id) as events:
        assert events.response.status_code == 429
        assert int(events.response.headers["Retry-After"]) > 50


async def test_streams_count_towards_the_connections_of_the_account(
    address: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_PER_ACCOUNT", 1)
    async with _streaming(address, STATS, scene.organizer.headers, id=scene.event.id) as first:
        await first.next()
        async with _streaming(address, STATS, scene.organizer.headers, id=scene.event.id) as second:
            assert (second.response.status_code, second.response.headers["Retry-After"]) == (429, "5")
        await scene.register()
        assert (await first.next())[1]["data"] == {"eventStats": {"total": 1}}


async def test_stream_beyond_the_limit_is_rejected_before_execution(
    scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_PER_ACCOUNT", 0)
    before = await snapshot()
    query = f"mutation {{ registerForEvent(input: {{eventId: {scene.event.id}}}) {{ id }} }}"
    answer = await world.http.post("/graphql", json={"query": query}, headers={**EVENT_STREAM, **scene.buyer.headers})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (429, "TOO_MANY_CONNECTIONS")
    assert await snapshot() == before


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream, */*", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("text/event-stream, application/json", False),
        ("application/graphql-response+json, application/json, text/event-stream, multipart/mixed", False),
        ("application/json, text/event-stream;q=0", False),
        ("text/event-stream;q=0.5, application/json", False),
        ("*/*", False),
    ],
)
async def test_stream_is_sent_only_if_it_is_preferred_to_json(
    world: World, scene: Scene, accept: str, is_stream: bool
) -> None:
    headers = {**scene.buyer.headers, "Accept": accept}
    answer = await world.http.post("/graphql", json={"query": "{ me { username } }"}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream") is is_stream


async def test_next_result_is_computed_only_after_the_previous_one_has_been_sent(app: Starlette) -> None:
    """Otherwise a slow reader would receive outdated results."""
    computed, drained = [], asyncio.Event()

    async def results() -> AsyncGenerator[ExecutionResult, None]:
        for number in range(2):
            computed.append(number)
            yield ExecutionResult(data={"number": number}, errors=None)

    sent: list[bytes] = []

    async def send(message: Message) -> None:
        """Wait like a server whose buffers are full, before writing."""
        if any(b"next" in chunk for chunk in sent):
            await drained.wait()
        sent.append(message.get("body", b""))

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    context = Context(services=app.state.services, request_id="x", address="x")
    responding = asyncio.create_task(
        sse.EventStreamResponse(ResultStream(results()), context, contextlib.ExitStack())({}, receive, send)
    )
    await asyncio.sleep(0.1)
    assert computed == [0]
    drained.set()
    await responding
    assert computed == [0, 1]
    assert sent[-2:] == [b"event: complete\ndata:\n\n", b""]


async def test_shutdown_completes_streams(address: str, app: Starlette, scene: Scene) -> None:
    shutting_down = app.state.services.connections.shutting_down
    async with _streaming(address, TICKETS, scene.organizer.headers, id=scene.event.id) as events:
        await wait_for_subscribers(app)
        shutting_down.set()
        try:
            assert await events.next() == ("complete", "")
        finally:
            shutting_down.clear()
