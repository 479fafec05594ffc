"""Messages of graphql-transport-ws: invalid ones close the connection with 4400 and log no warnings."""

import logging
import random
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette

from tests.support.websocket_client import open_socket

# Little of this depends on the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

ME = "{ me { username } }"

# Any: JSON.

MALFORMED: list[Any] = [
    "3",
    "null",
    "[]",
    '"subscribe"',
    "{",
    '{"type": "ping", "type": "pong"}',
    "",
    "NaN",
    '{"type": "\\ud800"}',
    "[" * 2_000,
    b"\x00",
    b'{"type": "ping"}',
    {},
    {"type": None},
    {"type": 3},
    {"type": {}},
    {"type": "start"},
    {"type": "connection_ack"},
    {"type": "next", "id": "1", "payload": {}},
    {"type": "ping", "payload": 3},
    {"type": "subscribe"},
    {"type": "subscribe", "id": "1"},
    {"type": "subscribe", "id": "1", "payload": None},
    {"type": "subscribe", "id": "1", "payload": []},
    {"type": "subscribe", "id": "1", "payload": {}},
    {"type": "subscribe", "id": "1", "payload": {"query": 3}},
    {"type": "subscribe", "id": "1", "payload": {"query": ME, "variables": []}},
    {"type": "subscribe", "id": "1", "payload": {"query": ME, "operationName": {}}},
    {"type": "subscribe", "id": "1", "payload": {"query": ME, "extensions": 3}},
    {"type": "subscribe", "id": {}, "payload": {"query": ME}},
    {"type": "subscribe", "id": "", "payload": {"query": ME}},
    {"type": "subscribe", "id": 1, "payload": {"query": ME}},
    {"type": "subscribe", "id": None, "payload": {"query": ME}},
    {"type": "complete"},
    {"type": "complete", "id": []},
]


@pytest.mark.parametrize("is_initialized", [False, True], ids=["before init", "after init"])
@pytest.mark.parametrize("message", MALFORMED, ids=str)
async def test_invalid_message_closes_with_4400(
    address: str, message: Any, is_initialized: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_socket(address) as socket:
        if is_initialized:
            await socket.initialize()
        await socket.send(message)
        assert (await socket.wait_closed())[0] == 4400
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("payload", [[], 3, "x", 0, False, ""])
async def test_initialization_with_an_invalid_payload_closes_with_4400(address: str, payload: object) -> None:
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": payload})
        assert (await socket.wait_closed())[0] == 4400


async def test_payloads_that_are_null_count_as_missing(address: str) -> None:
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": None})
        assert await socket.receive() == {"type": "connection_ack"}
        await socket.send({"type": "ping", "payload": None})
        assert await socket.receive() == {"type": "pong"}


async def test_connection_without_the_subprotocol_closes_with_4406(address: str) -> None:
    async with open_socket(address, subprotocols=None) as socket:
        assert (await socket.wait_closed())[0] == 4406


async def test_frame_above_the_maximum_body_size_closes_with_1009(address: str) -> None:
    async with open_socket(address) as socket:
        await socket.send(" " * 70_000)
        assert (await socket.wait_closed())[0] == 1009


async def test_pings_are_answered_and_pongs_ignored_before_and_after_initialization(address: str) -> None:
    async with open_socket(address) as socket:
        await socket.send({"type": "pong"})
        await socket.send({"type": "ping", "payload": {"at": 1}})
        assert await socket.receive() == {"type": "pong", "payload": {"at": 1}}
        await socket.initialize()
        await socket.send({"type": "pong", "payload": {}})
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


async def test_complete_for_an_unknown_id_is_ignored(address: str) -> None:
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.send({"type": "complete", "id": "1"})
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


MUTABLE: list[dict[str, Any]] = [
    {"type": "connection_init", "payload": {}},
    {"type": "ping", "payload": {"a": [1, None]}},
    {"type": "pong"},
    {"type": "complete", "id": "1"},
    {"type": "subscribe", "id": "1", "payload": {"query": ME, "variables": {"a": 1}, "operationName": None}},
]
ODD_VALUES: list[Any] = [None, 3, -1.5, True, "", "x", "\x00", [], {}, [[]], {"id": {}}, "subscribe", 10**30, "ü" * 100]


def _mutate(rng: random.Random) -> str | bytes:
    """Return a message with a part replaced, removed or cut off."""
    message = orjson.loads(orjson.dumps(rng.choice(MUTABLE)))
    inner = rng.choice([message, *(part for part in message.values() if isinstance(part, dict))])
    name = rng.choice([*inner, "type", "id", "payload"])
    if rng.random() < 0.2:
        inner.pop(name, None)
    else:
        inner[name] = rng.choice([odd for odd in ODD_VALUES if odd != 10**30])
    text = orjson.dumps(message).decode()
    if rng.random() < 0.3:
        text = text[: rng.randrange(len(text))] + rng.choice(["", "}", '"', "1" + "0" * 30, "\\", "é"])
    return text.encode() if rng.random() < 0.1 else text


async def test_mutated_frames_get_responses_or_close_with_44xx(
    address: str, app: Starlette, caplog: pytest.LogCaptureFixture
) -> None:
    rng, codes = random.Random(20), set()
    for _ in range(400):
        async with open_socket(address) as socket:
            if rng.random() < 0.8:
                await socket.initialize()
            for _ in range(3):
                await socket.send(_mutate(rng))
            await socket.send({"type": "end of the test"})
            codes.add((await socket.wait_closed())[0])
    assert codes <= {4400, 4401, 4409, 4429}
    assert {4400, 4401, 4429} <= codes
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.subscribe("{ events { pagination { total } } }")
        assert (await socket.receive())["type"] == "next"
