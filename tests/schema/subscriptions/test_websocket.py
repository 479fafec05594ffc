"""graphql-transport-ws as clients speak it, well and badly: what they do wrong closes with 44xx."""

import logging
from collections.abc import Callable

import orjson
import pytest
from starlette.applications import Starlette
from websockets.exceptions import InvalidStatus

from amarevents.models import Session, Ticket
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.schema.transport import websocket as module
from tests.schema.subscriptions.conftest import Scene
from tests.support.graphql_answers import error_code_of_message
from tests.support.local_server import wait_for_subscribers
from tests.support.websocket_client import WebSocketClient, open_socket
from tests.support.world import ORIGIN, World, snapshot

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total approved } }"
ME = "{ me { username } }"

# Beginning ------------------------------------------------------------------------------------------------------


async def test_whoever_says_nothing_is_let_go(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INIT_SECONDS", 0.1)
    async with open_socket(address) as socket:
        await socket.send({"type": "ping"})
        assert await socket.wait_closed() == (4408, "Connection initialisation timeout")


async def test_subscribing_before_the_initialisation_closes_with_4401(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.subscribe(ME)
        assert (await socket.wait_closed())[0] == 4401


async def test_a_second_initialisation_closes_with_4429(address: str) -> None:
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.send({"type": "connection_init"})
        assert await socket.wait_closed() == (4429, "Too many initialisation requests")


async def test_an_id_in_use_closes_with_4409_and_may_be_used_again_once_it_has_ended(
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


# Who is asking --------------------------------------------------------------------------------------------------


async def _whoami(socket: WebSocketClient) -> str:
    await socket.subscribe(ME)
    answer = await socket.receive()
    assert await socket.receive() == {"id": "1", "type": "complete"}
    assert answer["payload"]["data"]["me"], answer
    return str(answer["payload"]["data"]["me"]["username"])


async def test_a_key_is_taken_from_the_handshake(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        assert await _whoami(socket) == "owner"


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_or_from_the_first_message(address: str, scene: Scene, name: str) -> None:
    async with open_socket(address) as socket:
        await socket.initialize({name: scene.organizer.headers["Authorization"]})
        assert await _whoami(socket) == "owner"


async def test_both_may_be_the_same_key_but_not_two(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize(dict(scene.organizer.headers))
        assert await _whoami(socket) == "owner"
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.send({"type": "connection_init", "payload": scene.buyer.headers})
        assert (await socket.wait_closed())[0] == 4401
    both = {"Authorization": scene.buyer.headers["Authorization"], "authorization": "Bearer x"}
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": both})
        assert (await socket.wait_closed())[0] == 4401


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ae_u_x", "Basic eDp5", 3, None, {}])
async def test_what_is_no_key_closes_with_4401(address: str, value: object) -> None:
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": {"Authorization": value}})
        assert (await socket.wait_closed())[0] == 4401


async def test_a_key_that_is_not_good_is_refused_at_the_handshake_as_everywhere(address: str, scene: Scene) -> None:
    scene.key.revoked_at = utc_now()
    await scene.key.save()
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(address, scene.organizer.headers):
            pass
    response = refused.value.response
    assert response.status_code == 401
    assert orjson.loads(response.body)["errors"][0]["extensions"]["code"] == "API_KEY_REVOKED"


async def test_the_key_of_a_demoted_account_is_refused_with_403(address: str, scene: Scene) -> None:
    await _demote(scene)
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(address, scene.organizer.headers):
            pass
    assert refused.value.response.status_code == 403
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": scene.organizer.headers})
        assert (await socket.wait_closed())[0] == 4403


async def _demote(scene: Scene) -> None:
    scene.owner.type = scene.owner.type.__class__.USER
    await scene.owner.save(update_fields=["type"])


async def test_a_session_needs_a_page_of_an_allowed_origin(
    address: str, world: World, scene: Scene, configure: Callable[..., None]
) -> None:
    session = await world.session(scene.owner)
    cookie = {"Cookie": session.headers["Cookie"]}
    for odd in [{}, {"Origin": "https://evil.example"}, {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}]:
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(address, {**cookie, **odd}):
                pass
        assert refused.value.response.status_code == 403
        assert b"CROSS_SITE_REQUEST" in (refused.value.response.body or b"")
    configure(allowed_origins=frozenset({"https://shop.example"}))
    for good in [
        {"Origin": f"http://{address}"},
        {"Origin": "https://shop.example"},
        {"Sec-Fetch-Site": "same-origin"},
    ]:
        async with open_socket(address, {**cookie, **good}) as socket:
            await socket.initialize()
            assert await _whoami(socket) == "owner"


async def test_an_origin_is_nothing_to_a_key_or_to_nobody(address: str, scene: Scene) -> None:
    evil = {"Origin": "https://evil.example"}
    async with open_socket(address, evil) as socket:
        await socket.initialize(dict(scene.organizer.headers))
        assert await _whoami(socket) == "owner"


async def test_a_key_in_the_first_message_replaces_the_session(address: str, world: World, scene: Scene) -> None:
    session = await world.session(await world.user(username="somebody"))
    headers = {"Cookie": session.headers["Cookie"], "Origin": f"http://{address}"}
    async with open_socket(address, headers) as socket:
        await socket.initialize(dict(scene.organizer.headers))
        assert await _whoami(socket) == "owner"


async def test_each_operation_is_of_whom_the_caller_is_by_then(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        assert await _whoami(socket) == "owner"
        scene.key.is_active = False
        await scene.key.save()
        await socket.subscribe(ME)
        assert error_code_of_message(await socket.receive()) == "API_KEY_SUSPENDED"
        assert (await socket.wait_closed())[0] == 4401


async def test_the_end_of_a_session_ends_what_it_follows_but_no_connection_of_nobody(
    address: str, world: World, scene: Scene
) -> None:
    session = await world.session(scene.owner)
    async with open_socket(address, {**session.headers, "Origin": f"http://{address}"}) as socket:
        await socket.initialize()
        await Session.all().delete()
        await socket.subscribe(STATS, id=scene.event.id)
        assert error_code_of_message(await socket.receive()) == "UNAUTHENTICATED"
        assert (await socket.wait_closed())[0] == 4401
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.subscribe(STATS, id=scene.event.id)
        assert error_code_of_message(await socket.receive()) == "UNAUTHENTICATED"
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


# Operations -----------------------------------------------------------------------------------------------------


async def test_a_mutation_does_its_work_and_nothing_of_it_when_it_is_refused(address: str, scene: Scene) -> None:
    query = "mutation($id: ID!) { registerForEvent(input: {eventId: $id}) { status } }"
    async with open_socket(address, scene.buyer.headers) as socket:
        await socket.initialize()
        await socket.subscribe(query, "a", id=scene.event.id)
        done = await socket.receive()
        assert (done["id"], done["type"]) == ("a", "next")
        assert done["payload"]["data"] == {"registerForEvent": {"status": "SUCCESS"}}
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
async def test_what_cannot_be_executed_is_an_error_of_the_operation_alone(
    address: str, scene: Scene, query: str, code: str
) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        await socket.send({"type": "subscribe", "id": "1", "payload": {"query": query}})
        assert error_code_of_message(await socket.receive()) == code
        assert await _whoami(socket) == "owner"


async def test_every_operation_is_charged_by_its_root_fields(
    address: str, scene: Scene, configure: Callable[..., None]
) -> None:
    configure(rate_limit_organizer=5)
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        await socket.subscribe(STATS, "0", id=scene.event.id)  # 1
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe("{ a: me { id } b: me { id } }", "1")  # 3
        assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await socket.subscribe("{", "2")  # 4
        assert error_code_of_message(await socket.receive()) == "GRAPHQL_INVALID"
        await socket.subscribe("{ a: me { id } b: me { id } }", "3")
        refused = await socket.receive()
        assert error_code_of_message(refused) == "RATE_LIMITED"
        assert 55 <= refused["payload"][0]["extensions"]["retryAfter"] <= 61
        await socket.subscribe(ME, "4")  # 5
        assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await socket.subscribe(STATS, "5", id=scene.event.id)
        assert error_code_of_message(await socket.receive()) == "RATE_LIMITED"
    assert (await scene.organizer.get("/auth/me")).status_code == 429


async def test_a_connection_has_so_many_operations_under_way(
    address: str, app: Starlette, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_OPERATIONS", 3)
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


async def test_what_nobody_has_foreseen_ends_the_operation_without_a_word_of_it(
    address: str, scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        for failure, code in ((RuntimeError("secret"), "INTERNAL"), (DatabaseUnavailable("away"), "UNAVAILABLE")):

            async def fail(*_arguments: object, failure: Exception = failure, **_named: object) -> None:
                raise failure

            with monkeypatch.context() as patch:
                patch.setattr(module, "execute_stream", fail)
                await socket.subscribe(ME)
                told = await socket.receive()
            assert error_code_of_message(told) == code
            assert "secret" not in str(told)
        assert await _whoami(socket) == "owner"
    assert [record.exc_info is not None for record in caplog.records if record.levelno >= logging.ERROR] == [
        True,
        False,
    ]


async def test_a_session_cannot_begin_where_there_is_no_cookie(address: str, scene: Scene) -> None:
    before = await snapshot()
    query = 'mutation { login(input: {email: "owner@example.com", password: "secret123"}) { id } }'
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.subscribe(query)
        [failure] = (await socket.receive())["payload"]["errors"]
    assert (failure["extensions"]["code"], "over HTTP" in failure["message"]) == ("BAD_REQUEST", True)
    assert await snapshot() == before
