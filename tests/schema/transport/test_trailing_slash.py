"""The address of the GraphQL endpoint with a trailing slash."""

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.websocket_client import PROTOCOL
from tests.support.world import World


async def test_both_addresses_execute_operations(world: World) -> None:
    caller = await world.user_key(username="rokeya")
    for path in ("/graphql", "/graphql/"):
        posted = await world.http.post(path, json={"query": "{ me { username } }"}, headers=caller.headers)
        got = await world.http.get(path, params={"query": "{ me { username } }"}, headers=caller.headers)
        assert [answer.json()["data"]["me"]["username"] for answer in (posted, got)] == ["rokeya", "rokeya"]


async def test_both_addresses_show_the_page_to_browsers(world: World) -> None:
    pages = [await world.http.get(path, headers={"Accept": "text/html"}) for path in ("/graphql", "/graphql/")]
    assert {(page.status_code, page.headers["Content-Type"]) for page in pages} == {(200, "text/html; charset=utf-8")}


@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
async def test_both_addresses_accept_websockets(address: str, path: str) -> None:
    async with connect(f"ws://{address}{path}", subprotocols=[Subprotocol(PROTOCOL)], proxy=None) as socket:
        await socket.send('{"type": "connection_init"}')
        assert await socket.recv() == '{"type":"connection_ack"}'
