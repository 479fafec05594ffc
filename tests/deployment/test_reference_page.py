"""The reference page in a real browser, which may only send requests to the platform."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, expect

from amarevents.rest.routes import ROUTES
from tests.support.browser_pages import DESKTOP, PHONE, TIMEOUT_MS, PageVisit
from tests.support.platforms import Deployment, RunningPlatform

pytestmark = pytest.mark.backend("sqlite")  # the page does not depend on the database


@pytest.fixture(scope="module")
async def profile(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Open a browser context, whose cache is shared by all tests."""
    context = await browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    await context.close()


@pytest.fixture(scope="module")
def platform(shared_deployment: Deployment) -> Iterator[RunningPlatform]:
    with shared_deployment.serving() as running:
        yield running


async def open_page(visit: PageVisit, route: str = "") -> Locator:
    """Open the page at a route such as ``GET /events``, and return its section, or that of the introduction."""
    anchor = f"#tag/{_tag(route)}/{route.replace(' ', '')}" if route else ""
    await visit.page.goto(f"{visit.url}/docs{anchor}")
    section = visit.page.locator(f'section[id$="/{route.replace(" ", "")}"]') if route else visit.page.locator("main")
    await expect(section).to_be_visible()
    return section


def _tag(route: str) -> str:
    """Return the name of the section's group in the URL."""
    return {"keys": "api-keys"}.get(name := route.split("/")[1], name)


@pytest.fixture
async def visit(profile: BrowserContext, platform: RunningPlatform) -> AsyncIterator[PageVisit]:
    """Open a page; fail the test if it logs errors or sends requests to another origin."""
    visit = PageVisit(await profile.new_page(), platform.url)
    await visit.page.set_viewport_size(DESKTOP)
    visit.record_problems()
    yield visit
    await visit.page.evaluate("localStorage.clear()")  # settings must not affect the next test
    await visit.page.close()
    assert visit.problems == []


@pytest.fixture
async def on_phone(visit: PageVisit) -> PageVisit:
    await visit.page.set_viewport_size(PHONE)
    return visit


async def test_page_has_a_title_a_language_and_a_main_part(visit: PageVisit) -> None:
    main = await open_page(visit)
    await expect(visit.page).to_have_title("Amar Events API reference")
    await expect(main.get_by_role("heading", level=1)).to_have_text("Amar Events API")
    assert await visit.page.locator("html").get_attribute("lang") == "en"


async def test_every_route_is_listed(visit: PageVisit) -> None:
    await open_page(visit)
    closed = visit.page.locator('nav button[aria-expanded="false"], aside button[aria-expanded="false"]')
    while await closed.count():
        await closed.first.click()
    listed = await visit.page.locator("[data-sidebar-id]").evaluate_all("all => all.map(one => one.dataset.sidebarId)")
    routes = {
        match[0].replace("/", " /", 1) for one in listed if (match := re.search(r"(GET|POST|PUT|DELETE)/.*", one))
    }
    assert routes == {f"{route.method} {route.path}" for route in ROUTES}


async def test_route_has_its_key_types_and_scope(visit: PageVisit) -> None:
    section = await open_page(visit, "POST /events")
    for badge in ("organizer", "admin", "events:write"):
        await expect(section.get_by_text(badge, exact=True).first).to_be_visible()


async def test_route_has_samples_for_curl_and_python(visit: PageVisit) -> None:
    section = await open_page(visit, "POST /tickets")
    await expect(section.get_by_text('"$AMAR_EVENTS_URL/api/tickets"')).to_be_visible()
    await expect(section.get_by_text('"খাবারের পছন্দ"').first).to_be_visible()
    await section.get_by_role("button", name="curl").click()
    choices = visit.page.get_by_role("option")
    assert await choices.all_inner_texts() == ["curl", "Python (httpx)"]
    await choices.last.click()
    await expect(section.get_by_text("response = httpx.post(")).to_be_visible()


async def send_request(visit: PageVisit, route: str, key: str) -> Locator:
    """Send a request to a route with a key, and return the window of the API client."""
    section = await open_page(visit, route)
    await section.get_by_role("button", name="Test Request").click()
    window = visit.page.get_by_role("dialog", name="API Client")
    await window.get_by_placeholder("Token").fill(key)
    await window.get_by_role("button", name="Send").first.click()
    await expect(window.get_by_text("200 OK")).to_be_visible()
    return window


async def test_request_is_sent_with_the_key_and_its_answer_shown(visit: PageVisit, admin_key: str) -> None:
    async with visit.page.expect_response(f"{visit.url}/api/auth/me") as answered:
        window = await send_request(visit, "GET /auth/me", admin_key)
    answer = await answered.value
    assert answer.status == 200
    assert await answer.request.header_value("authorization") == f"Bearer {admin_key}"
    await expect(window.get_by_text('"success": true')).to_be_visible()
    await expect(window.get_by_text('"operator@example.com"')).to_be_visible()


async def test_key_is_not_stored(visit: PageVisit, admin_key: str) -> None:
    await send_request(visit, "GET /auth/me", admin_key)
    kept = "Promise.all([{...localStorage}, {...sessionStorage}, indexedDB.databases(), caches.keys()])"
    assert await visit.page.evaluate(kept) == [{}, {}, [], []]
    assert await visit.page.context.cookies() == []
    await visit.page.reload()
    await expect(visit.page.get_by_placeholder("Token").first).to_have_value("")


async def test_phone_shows_samples_and_sends_requests(on_phone: PageVisit, admin_key: str) -> None:
    section = await open_page(on_phone, "GET /admin/stats")
    await expect(section.get_by_text('"$AMAR_EVENTS_URL/api/admin/stats"')).to_be_visible()
    window = await send_request(on_phone, "GET /admin/stats", admin_key)
    await expect(window.get_by_text('"total_users"')).to_be_visible()


async def test_page_fits_the_width_of_a_phone(on_phone: PageVisit) -> None:
    for route in ("", "POST /tickets", "GET /admin/users"):
        await open_page(on_phone, route)
        assert await on_phone.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


async def test_routes_are_behind_a_button_on_a_phone(on_phone: PageVisit) -> None:
    await open_page(on_phone)
    listed = on_phone.page.get_by_role("link", name="Tickets", exact=True)
    await expect(listed).not_to_be_in_viewport()
    await on_phone.page.get_by_role("button", name="Open Menu").click()
    await expect(listed).to_be_in_viewport()
