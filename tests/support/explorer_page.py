"""Steps that a visitor takes on the GraphiQL page."""

import asyncio
import json
import re

from playwright.async_api import Locator, Page, Request, expect

from tests.support.browser_pages import TIMEOUT_MS
from tests.support.platforms import PASSWORD, RunningPlatform

ORGANIZER = "banu"


async def open_page(page: Page, platform: RunningPlatform) -> None:
    """Open the page and wait until it has loaded the schema."""
    async with page.expect_response(lambda answer: "IntrospectionQuery" in (answer.request.post_data or "")):
        await page.goto(f"{platform.url}/graphql")
    await expect(account_status(page)).not_to_be_empty()


def account_status(page: Page) -> Locator:
    return page.locator("#who")


def answer(page: Page) -> Locator:
    return page.get_by_label("Result Window")


def variables(page: Page) -> Locator:
    return page.locator(".graphiql-editor-tool .CodeMirror-lines >> visible=true")


async def write(page: Page, name: str, document: str) -> None:
    """Replace the text of the editor with the operation ``name``, and wait until GraphiQL has parsed it."""
    await page.get_by_label("Query Editor").locator(".CodeMirror-lines").click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(document)
    await expect(page.get_by_role("tab", name=name)).to_be_visible()


async def wait_until(page: Page, condition: str) -> None:
    """Wait until ``condition`` is true in the page. Playwright's own wait is blocked by the page's policy."""
    for _ in range(TIMEOUT_MS // 100):
        if await page.evaluate(condition):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(condition)


async def run(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("Execute query")).click()


async def open_tab(page: Page, name: str) -> None:
    await page.get_by_role("tab", name=name).click()


async def sign_in(page: Page, password: str = PASSWORD) -> None:
    await page.get_by_label("Email").fill(f"{ORGANIZER}@example.com")
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def use_key(page: Page, key: str) -> None:
    await page.get_by_label("API key").fill(key)
    await page.get_by_role("button", name="Use key").click()


def sent_operations(page: Page) -> list[str]:
    """Return a list to which the names of the operations that the page sends are added."""
    names: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            names.append(json.loads(request.post_data or "{}")["operationName"])

    page.on("request", note)
    return names
