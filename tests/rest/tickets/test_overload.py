"""Registrations beyond the bounded queue of a process: 503 at once, with the time to wait (decisions 1.4)."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.types import Message, Scope

from amarevents.models import IdempotencyRecord, Ticket
from amarevents.security.turns import Turns
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, error_in
from tests.support.world import Caller, World, snapshot

REGISTER = "mutation($id: ID!) { registerForEvent(input: {eventId: $id}) { id } }"


@pytest.fixture
def turns(app: Starlette) -> Turns:
    """Let the application work on one registration at once, and one wait."""
    turns = Turns(at_once=1, waiting=1)
    app.state.services = dataclasses.replace(app.state.services, turns=turns)
    return turns


async def wait_until_queued(turns: Turns, number: int) -> None:
    async with asyncio.timeout(5):
        while turns._waiting != number:  # noqa: ASYNC110 - of another task
            await asyncio.sleep(0)


@asynccontextmanager
async def full_queue(stage: Stage, turns: Turns) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """Have the only turn while the block runs, and let a registration wait for it."""
    async with turns.turn("another event"):
        waiting = asyncio.create_task(stage.buyer.post("/tickets", {"event_id": stage.event.id}))
        await wait_until_queued(turns, 1)
        yield waiting
    await waiting


async def test_registration_beyond_the_queue_is_refused_at_once(stage: Stage, turns: Turns) -> None:
    async with full_queue(stage, turns) as waiting:
        before = await snapshot()
        response = await stage.rival.post("/tickets", {"event_id": stage.event.id})
        error_in(response, 503, "OVERLOADED")
        assert response.headers["Retry-After"] == "1"
        assert await snapshot() == before
        assert not waiting.done()
    data_of(waiting.result(), 201)
    data_of(await stage.rival.post("/tickets", {"event_id": stage.event.id}), 201)
    assert await Ticket.all().count() == 2


async def test_graphql_says_when_to_try_again(stage: Stage, turns: Turns) -> None:
    async with full_queue(stage, turns):
        response = await stage.rival.graphql_response(REGISTER, id=stage.event.id)
    assert response.status_code == 200  # the document was executed (decisions 9.5)
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "OVERLOADED", "status": 503, "retryAfter": 1}
    assert await Ticket.all().count() == 1


async def test_idempotency_key_of_a_refused_registration_can_be_used_again(stage: Stage, turns: Turns) -> None:
    body = {"event_id": stage.event.id}
    async with full_queue(stage, turns):
        error_in(await stage.rival.post("/tickets", body, Idempotency_Key="once"), 503, "OVERLOADED")
        assert not await IdempotencyRecord.exists()
    created = [data_of(await stage.rival.post("/tickets", body, Idempotency_Key="once"), 201) for _ in range(2)]
    assert created[0] == created[1]


async def test_other_requests_are_answered_as_usual(world: World, stage: Stage, turns: Turns) -> None:
    async with full_queue(stage, turns):
        error_in(await world.anonymous.post("/tickets", {"event_id": stage.event.id}), 401, "UNAUTHENTICATED")
        data_of(await stage.rival.get(f"/events/{stage.event.id}"))
        data_of(await stage.organizer.put(f"/events/{stage.event.id}", {"name": "Renamed"}))


async def register_and_leave(app: Starlette, caller: Caller, event_id: int, has_left: asyncio.Event) -> list[Message]:
    """Send a registration whose client leaves; return what is sent to the client."""
    body, answer = orjson.dumps({"event_id": event_id}), list[Message]()
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if requests:
            return requests.pop()
        await has_left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answer.append(message)

    sent = {"content-type": "application/json", "host": "testserver", **caller.headers}
    scope: Scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/api/tickets",
        "raw_path": b"/api/tickets", "root_path": "", "query_string": b"", "client": ("127.0.0.1", 1), "server": None,
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()], "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return answer


async def test_registration_whose_client_leaves_while_it_waits_is_dropped(
    app: Starlette, stage: Stage, turns: Turns
) -> None:
    has_left = asyncio.Event()
    async with turns.turn("another event"):
        waiting = asyncio.create_task(register_and_leave(app, stage.buyer, stage.event.id, has_left))
        await wait_until_queued(turns, 1)
        has_left.set()
        await wait_until_queued(turns, 0)
        await waiting
    assert await Ticket.all().count() == 0
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)


async def test_registration_whose_client_leaves_later_is_complete(app: Starlette, stage: Stage, turns: Turns) -> None:
    has_left = asyncio.Event()
    has_left.set()
    answer = await register_and_leave(app, stage.buyer, stage.event.id, has_left)
    assert answer[0]["status"] == 201
    assert await Ticket.all().count() == 1
