"""Operations over WebSockets with graphql-transport-ws, and the close codes of protocol errors."""

import logging
from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from amarevents.models import Ticket
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.schema.transport import websocket
from tests.schema.subscriptions.conftest import Scene
from tests.support.graphql_answers import error_code_of_message
from tests.support.local_server import wait_for_subscribers
from tests.support.websocket_client import open_socket, username_over
from tests.support.world import snapshot

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total approved } }"
ME = "{ me { username } }"

# Initialization and IDs -----------------------------------------------------------------------------------------


async def test_connection_without_initialization_is_closed_with_4408(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.1)
    async with open_socket(address) as socket:
        await socket.send({"type": "ping"})
        assert await socket.wait_closed() == (4408, "Connection initialisation timeout")


async def test_subscribe_before_initialization_closes_with_4401(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.subscribe(ME)
        assert (await socket.wait_closed())[0] == 4401


async def test_second_initialization_closes_with_4429(address: str) -> None:
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.send({"type": "connection_init"})
        assert await socket.wait_closed() == (4429, "Too many initialisation requests")


async def test_id_in_use_closes_with_4409_and_can_be_reused_after_completion(
    address: str, app: Starlette, scene: Scene
) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        for _ in range(3):
            await socket.subscribe(ME)
            assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await socket.subscribe(STATS, id=scene.event.id)
        assert (await socket.receive())["type"] == "next"
        await socket.send({"type": "complete", "id": "1"})
        await socket.subscribe(STATS, id=scene.event.id)
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe(STATS, id=scene.event.id)
        assert await socket.wait_closed() == (4409, "Subscriber for 1 already exists")


# Operations -----------------------------------------------------------------------------------------------------


async def test_mutation_is_executed_or_denied_without_changes(address: str, scene: Scene) -> None:
    query = "mutation($id: ID!) { registerForEvent(input: {eventId: $id}) { status } }"
    async with open_socket(address, scene.buyer.headers) as socket:
        await socket.initialize()
        await socket.subscribe(query, "a", id=scene.event.id)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("a", "next")
        assert message["payload"]["data"] == {"registerForEvent": {"status": "SUCCESS"}}
        assert await socket.receive() == {"id": "a", "type": "complete"}
    assert await Ticket.all().count() == 1
    before = await snapshot()
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.subscribe(query, "a", id=scene.event.id)
        refused = await socket.receive()
    assert refused["payload"]["data"] == {"registerForEvent": None}
    assert refused["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await snapshot() == before


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "BAD_REQUEST"),
        ("{", "GRAPHQL_INVALID"),
        ("{ nothing }", "GRAPHQL_INVALID"),
        ("fragment A on Query { me { id } }", "BAD_REQUEST"),
        ("{ me { id } } query B { me { id } }", "BAD_REQUEST"),
        ("subscription { eventStats { total } }", "GRAPHQL_INVALID"),
        ('subscription { eventStats(eventId: "x") { total } }', "VALIDATION_ERROR"),
        ('subscription { eventStats(eventId: "999") { total } }', "NOT_FOUND"),
        ('subscription { a: eventStats(eventId: 1) { total } b: eventStats(eventId: 1) { total } }', "GRAPHQL_INVALID"),
        ("{ a" * 300, "GRAPHQL_INVALID"),
        ("{ me { id } " + " ".join(f"a{n}: me {{ id }}" for n in range(31)) + "}", "DOCUMENT_TOO_LARGE"),
        ("subscription S($id: ID!) { eventStats(eventId: $id) { total } }", "GRAPHQL_INVALID"),
    ],
)  # fmt: skip
async def test_invalid_operation_is_an_error_of_that_operation_only(
    address: str, scene: Scene, query: str, code: str
) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        await socket.send({"type": "subscribe", "id": "1", "payload": {"query": query}})
        assert error_code_of_message(await socket.receive()) == code
        assert await username_over(socket) == "owner"


async def test_operations_are_charged_by_their_root_fields(
    address: str, scene: Scene, configure: Callable[..., None]
) -> None:
    configure(rate_limit_organizer=6)
    async with open_socket(address, scene.organizer.headers) as socket:  # total: 1
        await socket.initialize()
        await socket.subscribe(STATS, "0", id=scene.event.id)  # total: 2
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe("{ a: me { id } b: me { id } }", "1")  # total: 4
        assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await socket.subscribe("{", "2")  # total: 5
        assert error_code_of_message(await socket.receive()) == "GRAPHQL_INVALID"
        await socket.subscribe("{ a: me { id } b: me { id } }", "3")
        refused = await socket.receive()
        assert error_code_of_message(refused) == "RATE_LIMITED"
        assert 55 <= refused["payload"][0]["extensions"]["retryAfter"] <= 61
        await socket.subscribe(ME, "4")  # total: 6
        assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await socket.subscribe(STATS, "5", id=scene.event.id)
        assert error_code_of_message(await socket.receive()) == "RATE_LIMITED"
    assert (await scene.organizer.get("/auth/me")).status_code == 429


async def test_concurrent_operations_per_connection_are_limited(
    address: str, app: Starlette, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MAX_OPERATIONS", 3)
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        for number in range(3):
            await socket.subscribe(STATS, str(number), id=scene.event.id)
            assert (await socket.receive())["type"] == "next"
        await socket.subscribe(STATS, "3", id=scene.event.id)
        assert error_code_of_message(await socket.receive()) == "TOO_MANY_OPERATIONS"
        await socket.send({"type": "complete", "id": "0"})
        await wait_for_subscribers(app, 2)
        await socket.subscribe(STATS, "3", id=scene.event.id)
        assert (await socket.receive())["type"] == "next"


async def test_unexpected_error_is_masked_and_logged(
    address: str, scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        for failure, code in ((RuntimeError("secret"), "INTERNAL"), (DatabaseUnavailable("away"), "UNAVAILABLE")):

            async def fail(*_arguments: object, failure: Exception = failure, **_named: object) -> None:
                raise failure

            with monkeypatch.context() as patch:
                patch.setattr(websocket, "execute_stream", fail)
                await socket.subscribe(ME)
                message = await socket.receive()
            assert error_code_of_message(message) == code
            assert "secret" not in str(message)
        assert await username_over(socket) == "owner"
    assert [record.exc_info is not None for record in caplog.records if record.levelno >= logging.ERROR] == [
        True,
        False,
    ]


async def test_login_over_a_websocket_is_rejected(address: str, scene: Scene) -> None:
    before = await snapshot()
    query = 'mutation { login(input: {email: "owner@example.com", password: "secret123"}) { id } }'
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.subscribe(query)
        [failure] = (await socket.receive())["payload"]["errors"]
    assert (failure["extensions"]["code"], "over HTTP" in failure["message"]) == ("BAD_REQUEST", True)
    assert await snapshot() == before
