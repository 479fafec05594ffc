"""Fixtures of the GraphiQL tests: the page in a browser, and an organizer who can sign in."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.support.browser_pages import DESKTOP, TIMEOUT_MS, PageVisit
from tests.support.explorer_page import (
    ORGANIZER,
    open_page,
)
from tests.support.platforms import Deployment, RunningPlatform, new_key, register


@pytest.fixture(scope="package")
def platform(shared_deployment: Deployment) -> Iterator[RunningPlatform]:
    with shared_deployment.serving() as running:
        yield running


@pytest.fixture(scope="package")
async def organizer_key(platform: RunningPlatform, admin_key: str) -> str:
    """Register an organizer with an organization, who can also sign in, and return a key."""
    async with platform.client() as http, platform.client(admin_key) as admin:
        await register(http, ORGANIZER)
        [account] = (await admin.get("/api/admin/users", params={"search": ORGANIZER})).json()["data"]
        promoted = await admin.put(f"/api/admin/users/{account['id']}", json={"promote_organizer": True})
        assert promoted.status_code == 200
        return await new_key(http, ORGANIZER, "organizer")


@pytest.fixture
async def profile(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Open a browser context without cookies."""
    context = await browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    await context.close()


@pytest.fixture
async def visit(profile: BrowserContext, platform: RunningPlatform) -> AsyncIterator[PageVisit]:
    """Open the page; fail the test if it logs errors or sends requests to another origin."""
    visit = PageVisit(await profile.new_page(), platform.url)
    visit.record_problems()
    await open_page(visit.page, platform)
    yield visit
    assert visit.problems == []


@pytest.fixture
async def page(visit: PageVisit) -> Page:
    return visit.page
