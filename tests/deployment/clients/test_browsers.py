"""Pages of other origins in a real browser: CORS, cookies, event streams and WebSockets (decisions 2.3, 2.3b)."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.deployment.clients.snippets import snippet
from tests.support.browser_pages import TIMEOUT_MS
from tests.support.browsers import browser_options, find_browser
from tests.support.platforms import PASSWORD, Deployment, RunningPlatform, new_user_key, put_on_sale
from tests.support.servers import free_port

pytestmark = pytest.mark.backend("sqlite")  # what browsers do does not depend on the database

# Any: JSON.

FOREIGN_HOST = "127.0.0.2"
"""Another site than 127.0.0.1: browsers do not send it the cookie of this one."""


@contextmanager
def _serving_page(host: str, port: int, script: str) -> Iterator[str]:
    """Serve an empty page and a module at an origin of their own, and yield the origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_script = self.path == "/session.js"
            body = (script if is_script else "<!doctype html><title>Shop</title>").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer((host, port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Shop:
    """A platform, the origin that it allows, and one that it does not know, with an account and a key of it."""

    platform: RunningPlatform
    allowed: str
    foreign: str
    email: str
    key: str
    event_id: int


@pytest.fixture(scope="module")
async def shop(
    anyio_backend: str, shared_deployment: Deployment, admin_key: str, new_name: Callable[[], str]
) -> AsyncIterator[Shop]:
    port = free_port()
    allowed = f"http://127.0.0.1:{port}"
    with shared_deployment.serving(allowed_origins=allowed) as platform:
        script = snippet("session.js", platform.url)
        name = new_name()
        async with platform.client() as client, platform.client(admin_key) as admin:
            key = await new_user_key(client, name)
            sale = await put_on_sale(admin, capacity=10)
        with _serving_page("127.0.0.1", port, script), _serving_page(FOREIGN_HOST, port, script) as foreign:
            yield Shop(platform, allowed, foreign, f"{name}@example.com", key, sale.event_id)


@pytest.fixture(scope="module")
async def chromium(anyio_backend: str) -> AsyncIterator[Browser]:
    """Return a browser that reaches both hosts of this machine."""
    options = [
        f"{option} , EXCLUDE {FOREIGN_HOST}" if option.startswith("--host-resolver-rules") else option
        for option in browser_options()
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=options)
        yield browser
        await browser.close()


@asynccontextmanager
async def _page(browser: Browser, origin: str) -> AsyncIterator[Page]:
    context = await browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()
    await page.goto(origin)
    yield page
    await context.close()


async def _fetch(page: Page, url: str, **options: Any) -> Any:
    """Send a request from the page, and return its status, JSON and readable headers, or None if it was blocked."""
    return await page.evaluate(
        """async ([url, options]) => {
            try {
                const response = await fetch(url, options);
                const text = await response.text();
                return { status: response.status, headers: Object.fromEntries(response.headers),
                         body: text ? JSON.parse(text) : null };
            } catch { return null; }
        }""",
        [url, options],
    )


def _json(body: str, **headers: str) -> dict[str, Any]:
    return {"method": "POST", "headers": {"Content-Type": "application/json", **headers}, "body": body}


# Any origin -----------------------------------------------------------------------------------------------------


async def test_public_data_can_be_read_from_any_origin(chromium: Browser, shop: Shop) -> None:
    async with _page(chromium, shop.foreign) as page:
        rest = await _fetch(page, f"{shop.platform.url}/api/events/{shop.event_id}")
        graphql = await _fetch(
            page, f"{shop.platform.url}/graphql", **_json('{"query": "{ events { items { id } } }"}')
        )
        unknown = await _fetch(page, f"{shop.platform.url}/api/events/987654321")
        document = await _fetch(page, f"{shop.platform.url}/openapi.json")
    assert rest["body"]["data"]["name"] == "Fair"
    assert graphql["body"]["data"]["events"]["items"]
    assert (unknown["status"], unknown["body"]["code"]) == (404, "NOT_FOUND")
    assert document["status"] == 200


async def test_keys_work_from_any_origin_and_the_limits_can_be_read(chromium: Browser, shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.key}"}
    async with _page(chromium, shop.foreign) as page:
        me = await _fetch(page, f"{shop.platform.url}/api/users/me", headers=headers)
        ticket = await _fetch(
            page,
            f"{shop.platform.url}/api/tickets",
            **_json(f'{{"event_id": {shop.event_id}}}', **headers, **{"Idempotency-Key": "one"}),
        )
        wrong = await _fetch(page, f"{shop.platform.url}/api/users/me", headers={"Authorization": "Bearer ae_u_wrong"})
    assert me["body"]["data"]["email"] == shop.email
    assert "x-request-id" in me["headers"]
    assert ticket["status"] == 201
    assert (wrong["status"], wrong["body"]["code"]) == (401, "INVALID_API_KEY")


async def test_changes_by_method_need_a_preflight_that_is_allowed(chromium: Browser, shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.key}", "Content-Type": "application/json"}
    async with _page(chromium, shop.foreign) as page:
        answer = await _fetch(
            page, f"{shop.platform.url}/api/users/me", method="PUT", headers=headers, body='{"country": "BD"}'
        )
    assert answer["body"]["data"]["country"] == "BD"


async def test_event_stream_with_a_key_from_any_origin(chromium: Browser, shop: Shop) -> None:
    async with _page(chromium, shop.foreign) as page:
        first = await page.evaluate(
            """async ([url, query]) => {
                const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
                const stop = new AbortController();
                const response = await fetch(url, {
                    method: "POST", headers, body: JSON.stringify({ query }), signal: stop.signal });
                const { value } = await response.body.pipeThrough(new TextDecoderStream()).getReader().read();
                stop.abort();
                return value;
            }""",
            [f"{shop.platform.url}/graphql", "{ events { pagination { page } } }"],
        )
    assert '"page":1' in first


# The session cookie ---------------------------------------------------------------------------------------------

LOG_IN = """async ([email, password]) => {
    const { graphql, logIn } = await import("/session.js");
    try {
        await logIn(email, password);
        return await graphql("mutation { updateMe(input: { country: \\"BD\\" }) { country } }");
    } catch (error) { return error.code ?? "BLOCKED"; }
}"""


async def test_allowed_origin_can_use_the_session(chromium: Browser, shop: Shop) -> None:
    async with _page(chromium, shop.allowed) as page:
        assert await page.evaluate(LOG_IN, [shop.email, PASSWORD]) == {"updateMe": {"country": "BD"}}


async def test_foreign_origin_cannot_use_the_session(chromium: Browser, shop: Shop) -> None:
    """The browser blocks the responses, because the platform does not allow credentials of this origin."""
    async with _page(chromium, shop.foreign) as page:
        assert await page.evaluate(LOG_IN, [shop.email, PASSWORD]) == "BLOCKED"


# WebSockets -----------------------------------------------------------------------------------------------------

SUBSCRIBE = """([url, credential]) => new Promise((resolve) => {
    const socket = new WebSocket(url, "graphql-transport-ws");
    const send = (message) => socket.send(JSON.stringify(message));
    socket.onopen = () => send({ type: "connection_init", payload: credential });
    socket.onclose = (event) => resolve(event.code);
    socket.onmessage = (event) => {
        const message = JSON.parse(event.data);
        if (message.type === "connection_ack")
            send({ id: "1", type: "subscribe", payload: { query: "{ me { username } }" } });
        else resolve(message.payload.data?.me?.username ?? message.payload.errors?.[0].extensions.code
            ?? message.payload[0].extensions.code);
    };
})"""


async def _who_is_connected(page: Page, shop: Shop, payload: dict[str, str] | None = None) -> Any:
    url = shop.platform.url.replace("http://", "ws://")
    return await page.evaluate(SUBSCRIBE, [f"{url}/graphql", payload])


async def test_websocket_takes_the_cookie_from_an_allowed_origin_only(chromium: Browser, shop: Shop) -> None:
    name = shop.email.partition("@")[0]
    async with _page(chromium, shop.allowed) as page:
        await page.evaluate(LOG_IN, [shop.email, PASSWORD])
        assert await _who_is_connected(page, shop) == name
    async with _page(chromium, shop.foreign) as page:
        assert await _who_is_connected(page, shop) == "UNAUTHENTICATED"
        assert await _who_is_connected(page, shop, {"Authorization": f"Bearer {shop.key}"}) == name
