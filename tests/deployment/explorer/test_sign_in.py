"""Signing in to GraphiQL: sessions, API keys, and what remains after signing out."""

import json
import re

import pytest
from playwright.async_api import Page, expect

from tests.support.browser_pages import PageVisit
from tests.support.explorer_page import (
    ORGANIZER,
    account_status,
    answer,
    open_page,
    run,
    sent_operations,
    sign_in,
    use_key,
    wait_until,
    write,
)
from tests.support.platforms import RunningPlatform

pytestmark = pytest.mark.backend("sqlite")  # the page does not depend on the database


async def test_form_signs_in_and_out(page: Page, organizer_key: str) -> None:
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


async def test_signing_in_clears_the_answer_and_focuses_the_operation(page: Page, organizer_key: str) -> None:
    await run(page)
    await expect(answer(page)).to_contain_text("UNAUTHENTICATED")
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await expect(answer(page)).not_to_contain_text("UNAUTHENTICATED")
    await page.keyboard.press("Control+Enter")
    await expect(answer(page)).to_contain_text(ORGANIZER)


async def test_signing_out_clears_all_windows(page: Page, platform: RunningPlatform, organizer_key: str) -> None:
    second_window = await page.context.new_page()
    for window in (page, second_window):
        await open_page(window, platform)
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await open_page(second_window, platform)
    for window in (page, second_window):
        await run(window)
        await expect(answer(window)).to_contain_text(ORGANIZER)
        await wait_until(window, "JSON.stringify({...sessionStorage}).includes('StartHere')")
    await page.get_by_role("button", name="Sign out").click()
    for window in (page, second_window):
        await expect(account_status(window)).to_have_text("Not signed in")
        await expect(answer(window)).not_to_contain_text(ORGANIZER)
        assert ORGANIZER not in json.dumps(await window.evaluate("({...sessionStorage})"))
        assert await window.evaluate("[ids.account, ids.known]") == [None, {}]
        assert await window.get_by_label("Email").input_value() == ""


async def test_ended_session_is_detected(page: Page, organizer_key: str) -> None:
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


async def test_lost_connection_does_not_sign_out(visit: PageVisit, organizer_key: str) -> None:
    await use_key(visit.page, organizer_key)
    await expect(account_status(visit.page)).to_contain_text("You are using an API key")
    await visit.page.route("**/graphql", lambda route: route.abort())
    await visit.page.evaluate("checkIdentity()")
    await expect(account_status(visit.page)).to_contain_text("You are using an API key")
    assert await visit.page.evaluate("credentials.key") == organizer_key
    visit.problems.clear()  # browsers log failed requests


async def test_another_account_does_not_see_the_tabs_of_the_one_before(page: Page, organizer_key: str) -> None:
    await write(page, "Mine", "query Mine { __typename }")
    await wait_until(page, "sessionStorage['graphiql:query'].includes('Mine')")
    await page.evaluate("ids.belongsTo('other@example.com')")
    await sign_in(page)
    await expect(page.get_by_role("tab", name="StartHere")).to_be_visible()
    await expect(account_status(page)).to_contain_text("You are signed in")
    assert await page.evaluate("ids.account") == f"{ORGANIZER}@example.com"


async def test_session_survives_reopening_the_page(page: Page, platform: RunningPlatform, organizer_key: str) -> None:
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await open_page(page, platform)
    await expect(account_status(page)).to_contain_text("You are signed in")


async def test_wrong_password_shows_an_error(page: Page, organizer_key: str) -> None:
    await sign_in(page, password="wrong-password")
    await expect(page.get_by_role("alert")).to_have_text(re.compile("password", re.IGNORECASE))
    await expect(account_status(page)).to_have_text("Not signed in")
    assert await page.get_by_label("Password").input_value() == ""
    await sign_in(page)
    await expect(page.locator("#problem")).to_be_empty()
    await expect(account_status(page)).to_contain_text("You are signed in")


async def test_key_is_used_until_forget_key_is_pressed(page: Page, organizer_key: str) -> None:
    await use_key(page, organizer_key)
    await expect(account_status(page)).to_have_text(
        f"You are using an API key of {ORGANIZER}@example.com — organizer key"
    )
    async with page.expect_request("**/graphql") as sent:
        await run(page)
    assert await (await sent.value).header_value("authorization") == f"Bearer {organizer_key}"
    await page.get_by_role("button", name="Forget key").click()
    await expect(account_status(page)).to_have_text("Not signed in")


async def test_wrong_key_shows_an_error_and_is_not_used(visit: PageVisit, organizer_key: str) -> None:
    await use_key(visit.page, organizer_key[:-1])
    await expect(visit.page.get_by_role("alert")).to_have_text("This API key is not valid")
    await expect(account_status(visit.page)).to_have_text("Not signed in")
    [problem] = visit.problems  # browsers log each 401
    assert "401" in problem
    visit.problems.clear()


async def test_wrong_key_keeps_the_session(visit: PageVisit, organizer_key: str) -> None:
    await sign_in(visit.page)
    await expect(account_status(visit.page)).to_contain_text("You are signed in")
    await visit.page.evaluate(
        "key => { credentials.key = key; return withButtonsDisabled(showIdentity); }", "ae_u_wrong"
    )
    await expect(account_status(visit.page)).to_contain_text("You are signed in")
    await expect(visit.page.get_by_role("alert")).to_have_text("This API key is not valid")
    visit.problems.clear()


async def test_key_is_not_stored(page: Page, platform: RunningPlatform, organizer_key: str) -> None:
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
