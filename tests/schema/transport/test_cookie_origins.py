"""The session cookie from each kind of origin, over each way into the API (decisions 2.3, 2.3b)."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.schema.subscriptions.conftest import Scene
from tests.support.websocket_client import open_socket
from tests.support.world import World

# Decided without the database: PostgreSQL is tested by the deep run.
pytestmark = pytest.mark.deep("postgres")

ALLOWED = "https://app.example"
FOREIGN = "https://evil.example"
ME = "{ me { username } }"
STREAM = {"Accept": "text/event-stream"}
Headers = dict[str, str]
Way = Callable[[httpx.AsyncClient, Headers], Awaitable[str]]


def _outcome(response: httpx.Response) -> str:
    """Return who the caller is to the API: the account, "anonymous" or "refused"."""
    if "CROSS_SITE_REQUEST" in response.text:
        assert response.status_code == 403
        return "refused"
    return "owner" if response.status_code < 300 and "UNAUTHENTICATED" not in response.text else "anonymous"


async def _read(http: httpx.AsyncClient, headers: Headers) -> str:
    return _outcome(await http.get("/api/auth/me", headers=headers))


async def _change(http: httpx.AsyncClient, headers: Headers) -> str:
    return _outcome(await http.post("/api/keys", json={"name": "k", "key_type": "user"}, headers=headers))


async def _post(http: httpx.AsyncClient, headers: Headers) -> str:
    return _outcome(await http.post("/graphql", json={"query": ME}, headers=headers))


async def _get(http: httpx.AsyncClient, headers: Headers) -> str:
    return _outcome(await http.get("/graphql", params={"query": ME}, headers=headers))


async def _stream_by_post(http: httpx.AsyncClient, headers: Headers) -> str:
    return await _post(http, {**headers, **STREAM})


async def _stream_by_get(http: httpx.AsyncClient, headers: Headers) -> str:
    return await _get(http, {**headers, **STREAM})


async def _websocket(http: httpx.AsyncClient, headers: Headers) -> str:
    async with open_socket(http.base_url.netloc.decode(), headers) as socket:
        await socket.initialize()
        await socket.subscribe(ME)
        me = (await socket.receive())["payload"]["data"]["me"]
        return str(me["username"]) if me else "anonymous"


WAYS: dict[str, tuple[Way, str]] = {
    "REST read": (_read, "owner"),  # a page of another origin cannot read the answer
    "REST change": (_change, "refused"),
    "GraphQL POST": (_post, "refused"),
    "GraphQL GET": (_get, "refused"),
    "SSE POST": (_stream_by_post, "refused"),
    "SSE GET": (_stream_by_get, "refused"),
    "WebSocket": (_websocket, "anonymous"),
}
"""What each way makes of the cookie from a foreign origin."""


@pytest.mark.parametrize("origin", ["none", "own", "allowed", "foreign"])
@pytest.mark.parametrize(("way", "from_foreign"), WAYS.values(), ids=WAYS)
async def test_the_cookie_counts_except_from_a_foreign_origin(
    address: str,
    world: World,
    scene: Scene,
    configure: Callable[..., None],
    way: Way,
    from_foreign: str,
    origin: str,
) -> None:
    configure(allowed_origins=frozenset({ALLOWED}))
    session = await world.session(scene.owner)
    named = {"own": f"http://{address}", "allowed": ALLOWED, "foreign": FOREIGN}
    headers = session.headers | ({"Origin": named[origin]} if origin in named else {})
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
        assert await way(client, headers) == (from_foreign if origin == "foreign" else "owner")


@pytest.mark.parametrize(("way", "from_foreign"), WAYS.values(), ids=WAYS)
async def test_a_token_counts_from_every_origin(
    address: str, world: World, scene: Scene, way: Way, from_foreign: str
) -> None:
    session = await world.token_session(scene.owner)
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
        assert await way(client, {**session.headers, "Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"}) == "owner"
