"""Fixtures of the deployment tests: a database for servers in processes of their own, and a browser."""

from collections.abc import AsyncIterator, Callable

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.support.browser_pages import TIMEOUT_MS
from tests.support.browsers import browser_options, find_browser
from tests.support.databases import Databases
from tests.support.platforms import Deployment


@pytest.fixture(scope="session")
def shared_deployment(
    databases: Databases,
    redis_url: str | None,
) -> Deployment:
    """Return a deployment whose database was migrated by the command line."""
    deployment = Deployment(database_url=databases.empty(), redis_url=redis_url)
    deployment.run("migrate")
    return deployment


@pytest.fixture(scope="session")
def admin_key(shared_deployment: Deployment) -> str:
    return shared_deployment.create_admin()


@pytest.fixture(scope="session")
def new_name() -> Callable[[], str]:
    """Return a function that returns a new username at each call."""
    numbers = iter(range(1_000_000))
    return lambda: f"visitor{next(numbers)}"


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=browser_options())
        expect.set_options(timeout=TIMEOUT_MS)
        yield browser
        await browser.close()
