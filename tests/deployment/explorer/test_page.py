"""GraphiQL in a real browser: operations, documentation, errors, and layout."""

import re

import pytest
from playwright.async_api import BrowserContext, Locator, Page, Route, expect

from tests.support.browser_pages import PHONE, PageVisit
from tests.support.explorer_page import (
    ORGANIZER,
    account_status,
    answer,
    open_page,
    open_tab,
    run,
    sign_in,
    use_key,
    write,
)
from tests.support.platforms import Deployment

pytestmark = pytest.mark.backend("sqlite")  # the page does not depend on the database

SSE = """\
: keep-alive

event: next
data: {"data": {"eventStats": {"total": 1}}}

event: next
data: {"data": {"eventStats":
data:  {"total": 2}}}

event: complete
data:

"""


# Operations and documentation -----------------------------------------------------------------------------------


async def test_page_has_a_title_and_shows_that_no_user_is_signed_in(page: Page) -> None:
    await expect(page).to_have_title("Amar Events GraphQL")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Amar Events GraphQL")
    await expect(account_status(page)).to_have_text("Not signed in")


async def test_query_is_executed_and_its_answer_shown(page: Page) -> None:
    await write(page, "Few", "query Few { events(limit: 1) { pagination { limit } } }")
    await page.keyboard.press("Control+Enter")
    await expect(answer(page)).to_contain_text('"limit": 1')


async def test_error_is_shown_with_its_message(visit: PageVisit) -> None:
    await write(visit.page, "Wrong", "query Wrong { evnts { items { id } } }")
    await visit.page.keyboard.press("Control+Enter")
    await expect(answer(visit.page)).to_contain_text("Cannot query field 'evnts' on type 'Query'")
    visit.problems.clear()  # browsers log each 400


async def test_documentation_links_to_types(page: Page) -> None:
    await page.get_by_label("Show Documentation Explorer").click()
    documentation = page.get_by_role("region", name="Documentation Explorer")
    await expect(documentation).to_contain_text("Authorization: Bearer ae_…")
    await documentation.get_by_role("link", name="Query", exact=True).click()
    await documentation.get_by_role("link", name="EventPage", exact=True).first.click()
    await documentation.get_by_role("link", name="Event", exact=True).click()
    await expect(documentation).to_contain_text("stats: EventStats")


async def test_query_is_built_from_selected_fields(page: Page) -> None:
    await write(page, "Built", "query Built { __typename }")
    await page.get_by_label("Show GraphiQL Explorer").click()
    builder = page.locator(".graphiql-explorer-root")
    await builder.get_by_text("plans", exact=True).click()
    await builder.get_by_text("eventLimit", exact=True).click()
    written = page.get_by_label("Query Editor")
    await expect(written).to_contain_text("plans")
    await expect(written).to_contain_text("eventLimit")


async def test_dialogs_open_under_the_content_security_policy(page: Page) -> None:
    for name in ("Open settings dialog", "Open short keys dialog"):
        await page.get_by_label(name).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_theme_applies_to_the_sign_in_bar(page: Page) -> None:
    await page.get_by_label("Open settings dialog").click()
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("body")).to_have_css("background-color", "rgb(33, 42, 59)")


# Subscriptions and errors ---------------------------------------------------------------------------------------


async def test_subscription_shows_each_result(page: Page) -> None:
    async def stream(route: Route) -> None:
        assert await route.request.header_value("accept") == "text/event-stream"
        await route.fulfill(content_type="text/event-stream; charset=utf-8", body=SSE)

    await write(page, "Live", 'subscription Live { eventStats(eventId: "1") { total } }')
    await page.route("**/graphql", stream)
    await page.keyboard.press("Control+Enter")
    await expect(answer(page)).to_contain_text('"total": 2')


async def test_refused_subscription_shows_the_error(page: Page) -> None:
    refusal = {"errors": [{"message": "There is no such event"}]}
    await write(page, "Live", "subscription Live { __typename }")
    await page.route("**/graphql", lambda route: route.fulfill(json=refusal))
    await page.keyboard.press("Control+Enter")
    await expect(answer(page)).to_contain_text("There is no such event")


async def test_stopping_a_subscription_ends_its_request(page: Page) -> None:
    await write(page, "Live", "subscription Live { __typename }")
    await page.route("**/graphql", lambda _route: None)  # never answers
    async with page.expect_event("requestfailed"):
        await page.keyboard.press("Control+Enter")
        await page.get_by_role("button", name=re.compile("Stop query")).click()


async def test_unreachable_server_shows_an_error(visit: PageVisit) -> None:
    await visit.page.route("**/graphql", lambda route: route.abort())
    await run(visit.page)
    await expect(answer(visit.page)).to_contain_text("Cannot reach the server")
    visit.problems.clear()  # browsers log failed requests


async def test_answer_other_than_graphql_shows_an_error(visit: PageVisit) -> None:
    await visit.page.route("**/graphql", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    await run(visit.page)
    await expect(answer(visit.page)).to_contain_text("The server responded with status 502")
    visit.problems.clear()  # browsers log each 502


async def test_exceeded_rate_limit_shows_when_to_try_again(
    profile: BrowserContext, shared_deployment: Deployment
) -> None:
    page = await profile.new_page()
    with shared_deployment.serving(rate_limit_anonymous="3") as platform:
        await open_page(page, platform)
        await write(page, "Cheap", "query Cheap { __typename }")
        await run(page)
        await expect(answer(page)).to_contain_text('"__typename": "Query"')
        await run(page)
        await expect(answer(page)).to_contain_text(re.compile(r"Too many requests; try again in \d+ seconds"))
        await use_key(page, "ae_u_wrong")
        await expect(page.get_by_role("alert")).to_have_text(re.compile("Too many requests"))


# Layout ---------------------------------------------------------------------------------------------------------


async def top_of(page: Page, locator: Locator) -> float:
    box = await locator.bounding_box()
    assert box is not None
    return box["y"]


async def test_error_message_does_not_move_the_page(page: Page, organizer_key: str) -> None:
    before = await top_of(page, page.locator("main"))
    await sign_in(page, password="wrong-password")
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await top_of(page, page.locator("main")) == before


async def test_tab_without_variables_hides_their_editor(page: Page) -> None:
    editor = page.locator(".graphiql-editor-tool")
    heights = []
    for name in ("StartHere", "MyEvents"):
        await open_tab(page, name)
        await expect(page.locator("body.without-variables")).to_have_count(1 if name == "StartHere" else 0)
        box = await editor.bounding_box()
        assert box is not None
        heights.append(box["height"])
    assert heights[0] < 70 < heights[1]


@pytest.mark.parametrize("width", [1024, 1280, 1600])
async def test_sign_in_fields_are_on_one_line(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 768})
    fields = [page.get_by_label(label) for label in ("Email", "Password", "API key")]
    assert len({round(await top_of(page, field)) for field in fields}) == 1


# Phones ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def phone(page: Page) -> Page:
    await page.set_viewport_size(PHONE)
    return page


async def test_page_fits_the_width_of_a_phone(phone: Page, organizer_key: str) -> None:
    width = "document.documentElement.scrollWidth"
    assert await phone.evaluate(width) == PHONE["width"]
    await use_key(phone, organizer_key)
    await run(phone)
    await expect(answer(phone)).to_contain_text(ORGANIZER)
    assert await phone.evaluate(width) == PHONE["width"]


async def test_phone_shows_the_answer_below_the_operation(phone: Page) -> None:
    operation = await phone.get_by_label("Query Editor").bounding_box()
    result = await answer(phone).bounding_box()
    assert operation is not None
    assert result is not None
    assert result["y"] >= operation["y"] + operation["height"]


async def test_documentation_opens_over_a_phone_and_closes_again(phone: Page) -> None:
    await phone.get_by_label("Show Documentation Explorer").click()
    documentation = phone.get_by_role("region", name="Documentation Explorer")
    box = await documentation.bounding_box()
    assert box is not None
    assert box["width"] > PHONE["width"] / 2
    await phone.get_by_label("Hide Documentation Explorer").click()
    await expect(documentation).to_be_hidden()
