"""GraphiQL in a real browser that reaches nothing but the platform."""

import json
import re
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.schema.explorer.example_operations import NAMES
from tests.support.explorer_page import (
    ORGANIZER,
    account_status,
    answer,
    open_page,
    open_tab,
    run,
    sent_operations,
    sign_in,
    use_key,
    variables,
    wait_until,
    write,
)
from tests.support.pages import DESKTOP, PATIENCE, PHONE, Visit
from tests.support.platforms import Deployment, RunningPlatform, new_key, register

pytestmark = pytest.mark.backend("sqlite")  # what is tested is the page

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


@pytest.fixture(scope="module")
def platform(operated: Deployment) -> Iterator[RunningPlatform]:
    with operated.serving() as running:
        yield running


@pytest.fixture(scope="module")
async def organizer_key(platform: RunningPlatform, admin_key: str) -> str:
    """A key of an organizer with an organization, who can also sign in."""
    async with platform.client() as http, platform.client(admin_key) as admin:
        await register(http, ORGANIZER)
        [account] = (await admin.get("/api/admin/users", params={"search": ORGANIZER})).json()["data"]
        promoted = await admin.put(f"/api/admin/users/{account['id']}", json={"promote_organizer": True})
        assert promoted.status_code == 200
        return await new_key(http, ORGANIZER, "organizer")


@pytest.fixture
async def profile(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor's browser, without cookies."""
    context = await browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


@pytest.fixture
async def visit(profile: BrowserContext, platform: RunningPlatform) -> AsyncIterator[Visit]:
    """The page, opened. Fails the test when the page complains, or asks anybody but the platform."""
    visit = Visit(await profile.new_page(), platform.url)
    visit.listen()
    await open_page(visit.page, platform)
    yield visit
    assert visit.complaints == []


@pytest.fixture
async def page(visit: Visit) -> Page:
    return visit.page


# Reading and asking ---------------------------------------------------------------------------------------------


async def test_page_has_a_title_and_says_that_nobody_is_signed_in(page: Page) -> None:
    await expect(page).to_have_title("Amar Events GraphQL")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Amar Events GraphQL")
    await expect(account_status(page)).to_have_text("Not signed in")


async def test_query_is_written_and_its_answer_read(page: Page) -> None:
    await write(page, "Few", "query Few { events(limit: 1) { pagination { limit } } }")
    await page.keyboard.press("Control+Enter")
    await expect(answer(page)).to_contain_text('"limit": 1')


async def test_mistake_is_shown_with_its_message(visit: Visit) -> None:
    await write(visit.page, "Wrong", "query Wrong { evnts { items { id } } }")
    await visit.page.keyboard.press("Control+Enter")
    await expect(answer(visit.page)).to_contain_text("Cannot query field 'evnts' on type 'Query'")
    visit.complaints.clear()  # a browser notes each 400


async def test_documentation_leads_to_a_type(page: Page) -> None:
    await page.get_by_label("Show Documentation Explorer").click()
    documentation = page.get_by_role("region", name="Documentation Explorer")
    await expect(documentation).to_contain_text("Authorization: Bearer ae_…")
    await documentation.get_by_role("link", name="Query", exact=True).click()
    await documentation.get_by_role("link", name="EventPage", exact=True).first.click()
    await documentation.get_by_role("link", name="Event", exact=True).click()
    await expect(documentation).to_contain_text("stats: EventStats")


async def test_query_is_built_by_choosing_fields(page: Page) -> None:
    await write(page, "Built", "query Built { __typename }")
    await page.get_by_label("Show GraphiQL Explorer").click()
    builder = page.locator(".graphiql-explorer-root")
    await builder.get_by_text("plans", exact=True).click()
    await builder.get_by_text("eventLimit", exact=True).click()
    written = page.get_by_label("Query Editor")
    await expect(written).to_contain_text("plans")
    await expect(written).to_contain_text("eventLimit")


async def test_dialogs_open_as_the_policy_allows(page: Page) -> None:
    for name in ("Open settings dialog", "Open short keys dialog"):
        await page.get_by_label(name).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_chosen_theme_is_the_bars_as_well(page: Page) -> None:
    await page.get_by_label("Open settings dialog").click()
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("body")).to_have_css("background-color", "rgb(33, 42, 59)")


# Who one is -----------------------------------------------------------------------------------------------------


async def test_signing_in_and_out_by_the_form(page: Page, organizer_key: str) -> None:
    names = sent_operations(page)
    await sign_in(page)
    await expect(account_status(page)).to_have_text(f"You are signed in as {ORGANIZER}@example.com — organizer")
    assert names == ["SignIn", "WhoAmI"]
    await expect(page.get_by_label("Password")).to_be_hidden()
    await page.get_by_role("button", name="Sign out").click()
    await expect(account_status(page)).to_have_text("Not signed in")
    assert [name for name in names[2:] if name != "IntrospectionQuery"] == ["SignOut", "WhoAmI"]
    assert await page.get_by_label("Password").input_value() == ""
    await run(page)
    await expect(answer(page)).to_contain_text("UNAUTHENTICATED")
    await expect(answer(page)).to_contain_text("Sign in at the top of this page first.")


async def test_after_signing_in_the_old_answer_is_gone_and_the_operation_is_next(
    page: Page, organizer_key: str
) -> None:
    await run(page)
    await expect(answer(page)).to_contain_text("UNAUTHENTICATED")
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await expect(answer(page)).not_to_contain_text("UNAUTHENTICATED")
    await page.keyboard.press("Control+Enter")
    await expect(answer(page)).to_contain_text(ORGANIZER)


async def test_leaving_leaves_nothing_in_any_window(page: Page, platform: RunningPlatform, organizer_key: str) -> None:
    another = await page.context.new_page()
    for window in (page, another):
        await open_page(window, platform)
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await open_page(another, platform)
    for window in (page, another):
        await run(window)
        await expect(answer(window)).to_contain_text(ORGANIZER)
        await wait_until(window, "JSON.stringify({...sessionStorage}).includes('StartHere')")
    await page.get_by_role("button", name="Sign out").click()
    for window in (page, another):
        await expect(account_status(window)).to_have_text("Not signed in")
        await expect(answer(window)).not_to_contain_text(ORGANIZER)
        assert ORGANIZER not in json.dumps(await window.evaluate("({...sessionStorage})"))
        assert await window.evaluate("[ids.account, ids.known]") == [None, {}]
        assert await window.get_by_label("Email").input_value() == ""


async def test_session_that_ended_elsewhere_is_noticed(page: Page, organizer_key: str) -> None:
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await page.context.clear_cookies()
    await run(page)
    await expect(account_status(page)).to_have_text("Not signed in")
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await page.context.clear_cookies()
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(account_status(page)).to_have_text("Not signed in")


async def test_lost_connection_signs_nobody_out(visit: Visit, organizer_key: str) -> None:
    await use_key(visit.page, organizer_key)
    await expect(account_status(visit.page)).to_contain_text("You are using an API key")
    await visit.page.route("**/graphql", lambda route: route.abort())
    await visit.page.evaluate("checkIdentity()")
    await expect(account_status(visit.page)).to_contain_text("You are using an API key")
    assert await visit.page.evaluate("credentials.key") == organizer_key
    visit.complaints.clear()  # a browser notes what it cannot reach


async def test_another_account_finds_nothing_of_the_one_before(page: Page, organizer_key: str) -> None:
    await write(page, "Mine", "query Mine { __typename }")
    await wait_until(page, "sessionStorage['graphiql:query'].includes('Mine')")
    await page.evaluate("ids.belongsTo('somebody-else@example.com')")
    await sign_in(page)
    await expect(page.get_by_role("tab", name="StartHere")).to_be_visible()
    await expect(account_status(page)).to_contain_text("You are signed in")
    assert await page.evaluate("ids.account") == f"{ORGANIZER}@example.com"


async def test_session_is_still_there_when_the_page_is_opened_again(
    page: Page, platform: RunningPlatform, organizer_key: str
) -> None:
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await open_page(page, platform)
    await expect(account_status(page)).to_contain_text("You are signed in")


async def test_wrong_password_is_said(page: Page, organizer_key: str) -> None:
    await sign_in(page, password="wrong-password")
    await expect(page.get_by_role("alert")).to_have_text(re.compile("password", re.IGNORECASE))
    await expect(account_status(page)).to_have_text("Not signed in")
    assert await page.get_by_label("Password").input_value() == ""
    await sign_in(page)
    await expect(page.locator("#problem")).to_be_empty()
    await expect(account_status(page)).to_contain_text("You are signed in")


async def test_key_is_used_and_forgotten_at_a_press(page: Page, organizer_key: str) -> None:
    await use_key(page, organizer_key)
    await expect(account_status(page)).to_have_text(
        f"You are using an API key of {ORGANIZER}@example.com — organizer key"
    )
    async with page.expect_request("**/graphql") as sent:
        await run(page)
    assert await (await sent.value).header_value("authorization") == f"Bearer {organizer_key}"
    await page.get_by_role("button", name="Forget key").click()
    await expect(account_status(page)).to_have_text("Not signed in")


async def test_wrong_key_is_said_and_not_used(visit: Visit, organizer_key: str) -> None:
    await use_key(visit.page, organizer_key[:-1])
    await expect(visit.page.get_by_role("alert")).to_have_text("This API key is not valid")
    await expect(account_status(visit.page)).to_have_text("Not signed in")
    [noted] = visit.complaints  # a browser notes each 401
    assert "401" in noted
    visit.complaints.clear()


async def test_wrong_key_leaves_one_signed_in(visit: Visit, organizer_key: str) -> None:
    await sign_in(visit.page)
    await expect(account_status(visit.page)).to_contain_text("You are signed in")
    await visit.page.evaluate(
        "key => { credentials.key = key; return withButtonsDisabled(showIdentity); }", "ae_u_wrong"
    )
    await expect(account_status(visit.page)).to_contain_text("You are signed in")
    await expect(visit.page.get_by_role("alert")).to_have_text("This API key is not valid")
    visit.complaints.clear()


async def test_key_is_forgotten_with_the_page(page: Page, platform: RunningPlatform, organizer_key: str) -> None:
    await use_key(page, organizer_key)
    await expect(account_status(page)).to_contain_text("You are using an API key")
    await run(page)
    await expect(answer(page)).to_contain_text(ORGANIZER)
    kept = "Promise.all([{...localStorage}, {...sessionStorage}, indexedDB.databases(), caches.keys()])"
    local, session, *others = await page.evaluate(kept)
    assert (local, others) == ({}, [[], []])
    assert organizer_key not in json.dumps(session)
    assert await page.context.cookies() == []
    await open_page(page, platform)
    await expect(account_status(page)).to_have_text("Not signed in")
    assert await page.get_by_label("API key").input_value() == ""


# The tabs -------------------------------------------------------------------------------------------------------


async def test_every_tab_runs_after_the_other_by_a_press(page: Page, organizer_key: str) -> None:
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    assert await page.get_by_role("tab").all_inner_texts() == NAMES
    for name in NAMES:
        await open_tab(page, name)
        await run(page)
        await expect(answer(page)).to_contain_text('"data": {')
        await expect(answer(page)).not_to_contain_text('"errors"')
    await open_tab(page, "CheckIn")
    await expect(answer(page)).to_contain_text('"outcome": "ADMITTED"')


PUBLISHED = {"createEvent": {"id": "7", "ticketTypes": [{"id": "70", "price": "0"}, {"id": "71", "price": "9.50"}]}}
LISTED = {
    "events": {
        "items": [
            {"id": "1", "registrationOpen": False, "ticketTypes": [{"id": "10", "price": "1"}]},
            {"id": "2", "registrationOpen": True, "ticketTypes": [{"id": "20", "price": "1"}]},
        ]
    }
}
LEARN = "([name, data]) => (ids.learn(name, data), [ids.known.eventId, ids.known.ticketTypeId])"


async def test_event_that_was_published_stays_the_one_that_is_meant(page: Page) -> None:
    assert await page.evaluate(LEARN, ["MyEvents", LISTED]) == ["2", "20"]
    assert await page.evaluate(LEARN, ["PublishEvent", PUBLISHED]) == ["7", "71"]
    assert await page.evaluate(LEARN, ["MyEvents", LISTED]) == ["7", "71"]


async def test_answer_without_a_value_takes_none_away(page: Page) -> None:
    await page.evaluate(LEARN, ["RegisterGuest", {"registerForEvent": {"id": "447"}}])
    nothing = {"event": {"pending": {"items": []}, "newest": {"items": [{"status": "PENDING", "code": "X"}]}}}
    await page.evaluate(LEARN, ["Registrations", nothing])
    assert await page.evaluate("ids.known") == {"ticketIds": "447"}
    await open_tab(page, "ApprovePayments")
    await expect(variables(page)).to_contain_text(re.compile(r'"ticketIds": \[.*"447".*\]', re.DOTALL))


async def test_tab_that_lacks_an_id_says_which_to_run_first_and_is_not_sent(page: Page) -> None:
    names = sent_operations(page)
    for tab, said in (
        ("MyEvents", "organizationId is not known yet: run StartHere first"),
        ("WatchLive", "eventId is not known yet: run MyEvents or PublishEvent first"),
        ("ApprovePayments", "ticketIds is not known yet: run RegisterGuest or Registrations first"),
    ):
        await open_tab(page, tab)
        await run(page)
        await expect(answer(page)).to_contain_text(said)
    assert names == []


async def test_organization_is_known_from_signing_in(page: Page, organizer_key: str) -> None:
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await open_tab(page, "MyEvents")
    await expect(variables(page)).to_contain_text(re.compile(r'"organizationId": "\d+"'))


async def test_what_one_window_knows_is_offered_to_another(
    page: Page, platform: RunningPlatform, organizer_key: str
) -> None:
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await page.evaluate(LEARN, ["PublishEvent", PUBLISHED])
    another = await page.context.new_page()
    await open_page(another, platform)
    await open_tab(another, "RegisterGuest")
    await expect(variables(another)).to_contain_text('"eventId": "7"')
    await another.evaluate(LEARN, ["PublishEvent", {"createEvent": {"id": "8", "ticketTypes": []}}])
    await another.evaluate(LEARN, ["RegisterGuest", {"registerForEvent": {"id": "447"}}])
    await wait_until(page, "ids.known.ticketIds === '447'")
    assert await page.evaluate("ids.known.eventId") == "7"


async def test_mistyped_value_of_an_enum_is_marked(page: Page) -> None:
    await open_tab(page, "PublishEvent")
    await variables(page).click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text('{"input": {"category": "CONCERTO"}}')
    await expect(page.locator(".CodeMirror-lint-mark-error").first).to_be_visible()


async def test_what_somebody_has_written_is_not_overwritten(page: Page, organizer_key: str) -> None:
    await open_tab(page, "CheckIn")
    await variables(page).click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text('{"code": "MINE"}')
    await page.evaluate("ids.learn('ApprovePayments', {approvePayments: {decided: [{code: 'THEIRS'}]}})")
    await expect(variables(page)).to_contain_text("MINE")
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text('{"code": ""}')
    await open_tab(page, "StartHere")
    await open_tab(page, "CheckIn")
    await expect(variables(page)).to_contain_text("THEIRS")
    await page.evaluate("ids.learn('ApprovePayments', {approvePayments: {decided: [{code: 'NEXT'}]}})")
    await expect(variables(page)).to_contain_text("NEXT")


async def test_what_is_in_the_tabs_outlives_a_reload_alone(page: Page, platform: RunningPlatform) -> None:
    await write(page, "Mine", "query Mine { __typename }")
    await wait_until(page, "sessionStorage['graphiql:query'].includes('Mine')")
    await open_page(page, platform)
    await expect(page.get_by_label("Query Editor")).to_contain_text("query Mine")
    another = await page.context.new_page()
    await open_page(another, platform)
    assert await another.get_by_role("tab").all_inner_texts() == NAMES


# Answers of other kinds -----------------------------------------------------------------------------------------


async def test_subscription_shows_each_answer_as_it_comes(page: Page) -> None:
    async def stream(route: Route) -> None:
        assert await route.request.header_value("accept") == "text/event-stream"
        await route.fulfill(content_type="text/event-stream; charset=utf-8", body=SSE)

    await write(page, "Live", 'subscription Live { eventStats(eventId: "1") { total } }')
    await page.route("**/graphql", stream)
    await page.keyboard.press("Control+Enter")
    await expect(answer(page)).to_contain_text('"total": 2')


async def test_subscription_that_is_refused_shows_why(page: Page) -> None:
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


async def test_platform_that_is_away_is_said(visit: Visit) -> None:
    await visit.page.route("**/graphql", lambda route: route.abort())
    await run(visit.page)
    await expect(answer(visit.page)).to_contain_text("Cannot reach the server")
    visit.complaints.clear()  # a browser notes what it cannot reach


async def test_answer_that_is_no_graphql_is_said(visit: Visit) -> None:
    await visit.page.route("**/graphql", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    await run(visit.page)
    await expect(answer(visit.page)).to_contain_text("The server responded with status 502")
    visit.complaints.clear()  # a browser notes each 502


async def test_spent_limit_is_said_with_when_to_try_again(profile: BrowserContext, operated: Deployment) -> None:
    page = await profile.new_page()
    with operated.serving(rate_limit_anonymous="3") as platform:
        await open_page(page, platform)
        await write(page, "Cheap", "query Cheap { __typename }")
        await run(page)
        await expect(answer(page)).to_contain_text('"__typename": "Query"')
        await run(page)
        await expect(answer(page)).to_contain_text(re.compile(r"Too many requests; try again in \d+ seconds"))
        await use_key(page, "ae_u_wrong")
        await expect(page.get_by_role("alert")).to_have_text(re.compile("Too many requests"))


# Room -----------------------------------------------------------------------------------------------------------


async def height_above(page: Page, locator: Locator) -> float:
    box = await locator.bounding_box()
    assert box is not None
    return box["y"]


async def test_problem_moves_nothing(page: Page, organizer_key: str) -> None:
    before = await height_above(page, page.locator("main"))
    await sign_in(page, password="wrong-password")
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await height_above(page, page.locator("main")) == before


async def test_tab_without_variables_leaves_their_room_to_the_operation(page: Page) -> None:
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
async def test_ways_to_sign_in_stand_in_one_line(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 768})
    fields = [page.get_by_label(label) for label in ("Email", "Password", "API key")]
    assert len({round(await height_above(page, field)) for field in fields}) == 1


# Narrow windows -------------------------------------------------------------------------------------------------


@pytest.fixture
async def phone(page: Page) -> Page:
    await page.set_viewport_size(PHONE)
    return page


async def test_nothing_is_wider_than_a_phone(phone: Page, organizer_key: str) -> None:
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


async def test_documentation_covers_a_phone_and_goes_away_again(phone: Page) -> None:
    await phone.get_by_label("Show Documentation Explorer").click()
    documentation = phone.get_by_role("region", name="Documentation Explorer")
    shown = await documentation.bounding_box()
    assert shown is not None
    assert shown["width"] > PHONE["width"] / 2
    await phone.get_by_label("Hide Documentation Explorer").click()
    await expect(documentation).to_be_hidden()
