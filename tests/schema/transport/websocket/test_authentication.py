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
from tests.support.world import ORIGIN, World, hash_password

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total approved } }"
ME = "{ me { username } }"


async def test_key_in_the_handshake_authenticates(address: str, scene: Scene) -> None:
    async with open_socket(address, scene.organizer.headers) as socket:
        await socket.initialize()
        assert await username_over(socket) == "owner"


Params = Callable[[str], dict[str, object]]

UNDERSTOOD: dict[str, Params] = {
    "Authorization": lambda key: {"Authorization": f"Bearer {key}"},
    "authorization": lambda key: {"authorization": f"bearer  {key} "},
    "without Bearer": lambda key: {"authorization": key},
    "authToken": lambda key: {"authToken": key},
    "authToken with Bearer": lambda key: {"authToken": f"Bearer {key}"},
    "X-API-Key": lambda key: {"X-API-Key": key},
    "x-api-key": lambda key: {"x-api-key": key},
    "headers": lambda key: {"headers": {"Authorization": f"Bearer {key}"}},
    "headers in lower case": lambda key: {"headers": {"authorization": f"Bearer {key}", "accept": "*/*"}},
    "X-API-Key in headers": lambda key: {"headers": {"x-api-key": key}, "clientName": "door"},
    "twice the same": lambda key: {"authToken": key, "headers": {"Authorization": f"Bearer {key}"}},
}
NOT_UNDERSTOOD: dict[str, Params] = {
    "token": lambda key: {"token": key},
    "apiKey": lambda key: {"apiKey": key},
    "access_token": lambda key: {"access_token": key},
    "session": lambda key: {"session": key},
    "auth": lambda key: {"auth": {"bearer": key}},
    "nested too deeply": lambda key: {"context": {"headers": {"Authorization": f"Bearer {key}"}}},
    "in a list": lambda key: {"headers": {"extra": [key]}},
    "as a value": lambda key: {"viewer": f"Bearer {key}"},
    "headers as a string": lambda key: {"headers": f"Authorization: Bearer {key}"},
    "headers as a list": lambda key: {"headers": [["Authorization", f"Bearer {key}"]]},
    "an empty token": lambda _key: {"token": ""},
    "no token": lambda _key: {"headers": {"authToken": None}},
    "a number": lambda _key: {"X-API-Key": 3},
    "twice, but different": lambda key: {"authToken": key, "headers": {"Authorization": "Bearer x"}},
    "valid and unknown": lambda key: {"Authorization": f"Bearer {key}", "token": "x"},
}
HARMLESS: list[dict[str, object]] = [
    {},
    {"headers": {}},
    {"headers": None},
    {
        "clientName": "door",
        "clientVersion": "1.0",
        "headers": {"accept-language": "bn"},
        "flags": [1, None, {"a": "b"}],
    },
    {"x-csrf-token": "abc"},
]


@pytest.mark.parametrize("params", UNDERSTOOD.values(), ids=UNDERSTOOD)
async def test_key_in_the_first_message_authenticates(address: str, scene: Scene, params: Params) -> None:
    key = scene.organizer.headers["Authorization"].removeprefix("Bearer ")
    async with open_socket(address) as socket:
        await socket.initialize(params(key))
        assert await username_over(socket) == "owner"


@pytest.mark.parametrize("params", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
async def test_what_seems_to_be_a_credential_is_never_ignored(address: str, scene: Scene, params: Params) -> None:
    key = scene.organizer.headers["Authorization"].removeprefix("Bearer ")
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": params(key)})
        code, reason = await socket.wait_closed()
    assert code == 4401
    assert reason
    assert key not in reason


@pytest.mark.parametrize("payload", HARMLESS, ids=str)
async def test_other_parameters_are_ignored(address: str, payload: dict[str, object]) -> None:
    async with open_socket(address) as socket:
        await socket.initialize(payload)
        await socket.subscribe(ME)
        assert error_code_and_status((await socket.receive())["payload"]) == ("UNAUTHENTICATED", 401)


@pytest.mark.parametrize("in_handshake", [True, False])
async def test_token_of_a_session_authenticates_until_the_session_ends(
    address: str, world: World, scene: Scene, in_handshake: bool
) -> None:
    session = await world.token_session(scene.owner)
    async with open_socket(address, session.headers if in_handshake else {}) as socket:
        await socket.initialize({} if in_handshake else dict(session.headers))
        assert await username_over(socket) == "owner"
        await session.post("/auth/logout")
        await socket.subscribe(ME)
        assert error_code_of_message(await socket.receive()) == "INVALID_SESSION"
        assert (await socket.wait_closed())[0] == 4401
    async with open_socket(address) as socket:
        await socket.send({"type": "connection_init", "payload": dict(session.headers)})
        assert (await socket.wait_closed())[0] == 4401


async def test_a_token_logs_in_and_out_over_a_websocket(address: str, world: World) -> None:
    account = await world.user(password_hash=hash_password("secret123"))
    login = "mutation($input: LoginInput!) { login(input: $input) { token } }"
    async with open_socket(address) as socket:
        await socket.initialize()
        await socket.subscribe(login, input={"email": account.email, "password": "secret123", "token": True})
        token = (await socket.receive())["payload"]["data"]["login"]["token"]
    async with open_socket(address) as socket:
        await socket.initialize({"authToken": token})
        assert await username_over(socket) == account.username
        await socket.subscribe("mutation { logout { loggedOut } }")
        assert (await socket.receive())["payload"]["data"]["logout"] == {"loggedOut": True}
    assert not await Session.exists()


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
