"""The tabs of GraphiQL: example operations, and the IDs that one answer provides to the next."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.schema.explorer.example_operations import NAMES
from tests.support.explorer_page import (
    account_status,
    answer,
    open_page,
    open_tab,
    run,
    sent_operations,
    sign_in,
    variables,
    wait_until,
    write,
)
from tests.support.platforms import RunningPlatform

pytestmark = pytest.mark.backend("sqlite")  # the page does not depend on the database


async def test_every_tab_runs_after_the_other_without_changes(page: Page, organizer_key: str) -> None:
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


async def test_published_event_stays_selected(page: Page) -> None:
    assert await page.evaluate(LEARN, ["MyEvents", LISTED]) == ["2", "20"]
    assert await page.evaluate(LEARN, ["PublishEvent", PUBLISHED]) == ["7", "71"]
    assert await page.evaluate(LEARN, ["MyEvents", LISTED]) == ["7", "71"]


async def test_answer_without_an_id_keeps_known_ids(page: Page) -> None:
    await page.evaluate(LEARN, ["RegisterGuest", {"registerForEvent": {"id": "447"}}])
    nothing = {"event": {"pending": {"items": []}, "newest": {"items": [{"status": "PENDING", "code": "X"}]}}}
    await page.evaluate(LEARN, ["Registrations", nothing])
    assert await page.evaluate("ids.known") == {"ticketIds": "447"}
    await open_tab(page, "ApprovePayments")
    await expect(variables(page)).to_contain_text(re.compile(r'"ticketIds": \[.*"447".*\]', re.DOTALL))


async def test_tab_without_a_needed_id_names_the_tab_to_run_first(page: Page) -> None:
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


async def test_signing_in_fills_in_the_organization(page: Page, organizer_key: str) -> None:
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await open_tab(page, "MyEvents")
    await expect(variables(page)).to_contain_text(re.compile(r'"organizationId": "\d+"'))


async def test_ids_are_shared_with_other_windows(page: Page, platform: RunningPlatform, organizer_key: str) -> None:
    await sign_in(page)
    await expect(account_status(page)).to_contain_text("You are signed in")
    await page.evaluate(LEARN, ["PublishEvent", PUBLISHED])
    second_window = await page.context.new_page()
    await open_page(second_window, platform)
    await expect(account_status(second_window)).to_contain_text("You are signed in")
    await open_tab(second_window, "RegisterGuest")
    await expect(variables(second_window)).to_contain_text('"eventId": "7"')
    await second_window.evaluate(LEARN, ["PublishEvent", {"createEvent": {"id": "8", "ticketTypes": []}}])
    await second_window.evaluate(LEARN, ["RegisterGuest", {"registerForEvent": {"id": "447"}}])
    await wait_until(page, "ids.known.ticketIds === '447'")
    assert await page.evaluate("ids.known.eventId") == "7"


async def test_invalid_enum_value_is_marked(page: Page) -> None:
    await open_tab(page, "PublishEvent")
    await variables(page).click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text('{"input": {"category": "CONCERTO"}}')
    await expect(page.locator(".CodeMirror-lint-mark-error").first).to_be_visible()


async def test_variables_that_were_edited_are_not_overwritten(page: Page, organizer_key: str) -> None:
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


async def test_tabs_survive_a_reload_but_are_not_shared_with_other_windows(
    page: Page, platform: RunningPlatform
) -> None:
    await write(page, "Mine", "query Mine { __typename }")
    await wait_until(page, "sessionStorage['graphiql:query'].includes('Mine')")
    await open_page(page, platform)
    await expect(page.get_by_label("Query Editor")).to_contain_text("query Mine")
    second_window = await page.context.new_page()
    await open_page(second_window, platform)
    assert await second_window.get_by_role("tab").all_inner_texts() == NAMES
