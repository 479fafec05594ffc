"""Authentication of WebSockets: keys and sessions in the handshake and in the first message."""

from collections.abc import Callable

import orjson
import pytest
from websockets.exceptions import InvalidStatus

from amarevents.models import Session
from amarevents.models.columns import utc_now
from tests.schema.subscriptions.conftest import Scene
from tests.support.graphql_answers import error_code_and_status, error_code_of_message
from tests.support.websocket_client import open_socket, username_over
from tests.support.world import ORIGIN, World

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total approved } }"
ME = "{ me { username } }"


async def test_key_in_the_handshake_authenticates(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        assert await username_over(socket) == "owner"


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_key_in_the_first_message_authenticates(address: str, scene: Scene, name: str) -> None:
    async with open_socket(address) as socket:
        await socket.initialize({name: scene.organizer.headers["Authorization"]})
        assert await username_over(socket) == "owner"


async def test_handshake_and_first_message_must_have_the_same_key(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize(dict(scene.organizer.headers))
        assert await username_over(socket) == "owner"
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.send({"type": "connection_init", "payload": scene.buyer.headers})
        assert (await socket.wait_closed())[0] == 4401
    both = {"Authorization": scene.buyer.headers["Authorization"], "authorization": "Bearer x"}
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": both})
        assert (await socket.wait_closed())[0] == 4401


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ae_u_x", "Basic eDp5", 3, None, {}])
async def test_invalid_key_closes_with_4401(address: str, value: object) -> None:
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": {"Authorization": value}})
        assert (await socket.wait_closed())[0] == 4401


async def test_handshake_with_a_revoked_key_is_401(address: str, scene: Scene) -> None:
    scene.key.revoked_at = utc_now()
    await scene.key.save()
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(address, scene.organizer.headers):
            pass
    response = refused.value.response
    assert response.status_code == 401
    assert orjson.loads(response.body)["errors"][0]["extensions"]["code"] == "API_KEY_REVOKED"


async def test_key_of_a_demoted_account_is_403(address: str, scene: Scene) -> None:
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


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("origin", FOREIGN, ids=str)
async def test_handshake_from_a_foreign_origin_goes_on_without_the_cookie(
    address: str, world: World, scene: Scene, origin: dict[str, str]
) -> None:
    session = await world.session(scene.owner)
    async with open_socket(address, {**session.headers, **origin}) as socket:
        await socket.initialize()
        await socket.subscribe(ME)
        answer = (await socket.receive())["payload"]
        assert error_code_and_status(answer) == ("UNAUTHENTICATED", 401)
        await socket.receive()  # complete
        await socket.subscribe("{ events { pagination { total } } }")
        assert "errors" not in (await socket.receive())["payload"]


@pytest.mark.parametrize("origin", FOREIGN, ids=str)
async def test_a_key_authenticates_on_a_foreign_page_where_the_cookie_does_not(
    address: str, world: World, scene: Scene, origin: dict[str, str]
) -> None:
    session = await world.session(await world.user())
    async with open_socket(address, {**session.headers, **origin}) as socket:
        await socket.initialize(dict(scene.organizer.headers))
        assert await username_over(socket) == "owner"


async def test_session_authenticates_programs_and_pages_of_allowed_origins(
    address: str, world: World, scene: Scene, configure: Callable[..., None]
) -> None:
    session = await world.session(scene.owner)
    configure(allowed_origins=frozenset({"https://shop.example"}))
    for allowed in [
        {},
        {"Origin": f"http://{address}"},
        {"Origin": "https://shop.example"},
        {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-origin"},
    ]:
        async with open_socket(address, {**session.headers, **allowed}) as socket:
            await socket.initialize()
            assert await username_over(socket) == "owner"


async def test_origin_does_not_matter_to_keys_and_anonymous_callers(address: str, scene: Scene) -> None:
    foreign = {"Origin": "https://evil.example"}
    async with open_socket(address, foreign) as socket:
        await socket.initialize(dict(scene.organizer.headers))
        assert await username_over(socket) == "owner"


async def test_key_in_the_first_message_replaces_the_session(address: str, world: World, scene: Scene) -> None:
    session = await world.session(await world.user(username="another"))
    async with open_socket(address, session.headers) as socket:
        await socket.initialize(dict(scene.organizer.headers))
        assert await username_over(socket) == "owner"


async def test_caller_is_identified_again_for_each_operation(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        assert await username_over(socket) == "owner"
        scene.key.is_active = False
        await scene.key.save()
        await socket.subscribe(ME)
        assert error_code_of_message(await socket.receive()) == "API_KEY_SUSPENDED"
        assert (await socket.wait_closed())[0] == 4401


async def test_end_of_a_session_closes_its_connection_but_not_anonymous_ones(
    address: str, world: World, scene: Scene
) -> None:
    session = await world.session(scene.owner)
    async with open_socket(address, session.headers) as socket:
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
