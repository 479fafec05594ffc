"""The snippets of the guide for frontends, run in Node.js as a reader would run them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.deployment.clients.snippets import snippet
from tests.deployment.clients.workspace import Workspace
from tests.support.platforms import PASSWORD, OnSale, RunningPlatform, new_user_key, put_on_sale
from tests.support.servers import HOST, PrivateServer, free_port, running

pytestmark = pytest.mark.backend("sqlite")  # what is shown here does not depend on the database


@dataclass(frozen=True)
class Member:
    """An account that holds a ticket."""

    name: str
    key: str

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": f"{self.name}@example.com", "password": PASSWORD}


@pytest.fixture
async def sale(platform: RunningPlatform, admin_key: str) -> OnSale:
    async with platform.client(admin_key) as admin:
        return await put_on_sale(admin, capacity=10)


@pytest.fixture
async def member(platform: RunningPlatform, sale: OnSale, new_name: Callable[[], str]) -> Member:
    name = new_name()
    async with platform.client() as client:
        key = await new_user_key(client, name)
    async with platform.client(key) as client:
        assert (await client.post("/api/tickets", json={"event_id": sale.event_id})).status_code == 201
    return Member(name, key)


# The session cookie ---------------------------------------------------------------------------------------------

RENDER = """
import { loadMyTickets } from "./server.js";

const load = (headers) => loadMyTickets(new Request("http://shop.example/account", { headers }));
console.log(JSON.stringify([await load({ cookie: process.env.COOKIE }), await load({})]));
"""


async def test_server_that_renders_pages_passes_the_cookie_on(
    platform: RunningPlatform, member: Member, workspace: Workspace
) -> None:
    async with platform.client() as browser:
        await browser.post("/api/auth/login", json=member.credentials)
        [cookie] = [f"{one.name}={one.value}" for one in browser.cookies.jar]
    workspace.write(server__js=snippet("server.js", platform.url), main__mjs=RENDER)
    with_cookie, without = json.loads(workspace.node("node", "main.mjs", COOKIE=cookie))
    assert [ticket["eventName"] for ticket in with_cookie] == ["Fair"]
    assert without is None


@contextmanager
def _development_server(workspace: Workspace, platform: RunningPlatform) -> Iterator[str]:
    """Run Vite with the configuration of the guide, and yield its address."""
    workspace.write(vite__config__js=snippet("vite.config.js"), index__html="<title>Shop</title>")
    vite = workspace.program("vite")
    port = free_port()
    folder = workspace.folder / "vite"
    folder.mkdir()
    command = [
        "env",
        f"AMAR_EVENTS_URL={platform.url}",
        *vite,
        str(workspace.folder),
        "--port",
        str(port),
        "--strictPort",
    ]
    url = f"http://{HOST}:{port}"
    server = PrivateServer(
        url=url,
        command=[*command, "--host", HOST],
        folder=folder,
        stop_signal="TERM",
        is_ready=lambda _pid: _answers(url),
    )
    with running(server):
        yield url


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


async def test_page_on_the_same_origin_through_a_proxy(
    platform: RunningPlatform, member: Member, workspace: Workspace
) -> None:
    """The proxy keeps the Host header, so requests of its pages come from the platform's own origin."""
    with _development_server(workspace, platform) as url:
        headers = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as page:
            assert (await page.get("/")).text.count("Shop") == 1
            assert (await page.post("/api/auth/login", json=member.credentials)).status_code == 200
            answer = await page.post(
                "/graphql", json={"query": 'mutation { updateMe(input: {country: "BD"}) { country } }'}
            )
            assert answer.json()["data"] == {"updateMe": {"country": "BD"}}


# The session token ----------------------------------------------------------------------------------------------

MOBILE = """
import { logIn, myTickets } from "./mobile.js";

const token = await logIn(process.env.EMAIL, process.env.PASSWORD);
const tickets = await myTickets(token);
await fetch(`${process.env.URL}/api/auth/logout`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
const failure = await logIn(process.env.EMAIL, "wrong password").catch((error) => error.message);
console.log(JSON.stringify([token.slice(0, 5), tickets.map((one) => one.event_name), await myTickets(token), failure]));
"""


async def test_mobile_app_logs_in_with_a_token(platform: RunningPlatform, member: Member, workspace: Workspace) -> None:
    workspace.write(mobile__js=snippet("mobile.js", platform.url), main__mjs=MOBILE)
    environment = {"EMAIL": member.credentials["email"], "PASSWORD": PASSWORD, "URL": platform.url}
    prefix, tickets, after_logout, failure = json.loads(workspace.node("node", "main.mjs", **environment))
    assert (prefix, tickets, after_logout) == ("ae_s_", ["Fair"], None)
    assert "password" in failure


SUBSCRIBE = """
import { createSubscriptionClient } from "./subscriptions.js";

const client = createSubscriptionClient(process.env.KEY);
const query = `subscription { eventStats(eventId: ${process.env.EVENT}) { total } }`;
for await (const result of client.iterate({ query })) {
  console.log(JSON.stringify(result.data));
  break;
}
await client.dispose();
"""


async def test_subscription_with_connection_parameters(
    platform: RunningPlatform, admin_key: str, sale: OnSale, member: Member, workspace: Workspace
) -> None:
    workspace.write(subscriptions__js=snippet("subscriptions.js", platform.url), main__mjs=SUBSCRIBE)
    printed = workspace.node("node", "--experimental-websocket", "main.mjs", KEY=admin_key, EVENT=str(sale.event_id))
    assert json.loads(printed) == {"eventStats": {"total": 1}}
