"""The lists of an event's tickets and of the caller's own: filters and pages (decisions 1.6, 1.7, 6.7)."""

import pytest

from amarevents.models import Event
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import TICKET_FIELDS, data_of, error_in, page_in, refused
from tests.support.world import Caller, World


def both_lists(stage: Stage) -> list[tuple[Caller, str]]:
    """Return the caller and path of both lists, which contain the same tickets in these tests."""
    return [(stage.organizer, f"/events/{stage.event.id}/tickets"), (stage.buyer, "/users/me/tickets")]


async def test_other_callers_cannot_list_the_tickets_of_an_event(world: World, stage: Stage) -> None:
    path = f"/events/{stage.event.id}/tickets"
    await world.ticket(stage.event, stage.buyer_account)
    await refused(world.anonymous.get(path), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.get(path), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.get(path), 403, "FORBIDDEN")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    await refused(stage.rival.get(path), 404, "NOT_FOUND")
    await refused(stage.admin.get("/events/999999/tickets"), 404, "NOT_FOUND")


async def test_only_user_keys_and_sessions_list_own_tickets(world: World, stage: Stage) -> None:
    await world.ticket(stage.event, stage.buyer_account)
    await refused(world.anonymous.get("/users/me/tickets"), 401, "UNAUTHENTICATED")
    for caller in (stage.organizer, stage.admin):
        await refused(caller.get("/users/me/tickets"), 403, "WRONG_KEY_TYPE")
    assert page_in(await (await world.session(stage.buyer_account)).get("/users/me/tickets"))[1]["total"] == 1


@pytest.mark.parametrize("path", ["/events/{id}/tickets", "/users/me/tickets"])
async def test_both_lists_require_the_tickets_read_scope(world: World, stage: Stage, path: str) -> None:
    assert stage.organizer.user is not None
    organizer = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:read", "tickets:write"])
    user = await world.key(stage.buyer_account, permissions=["events:read", "users:read"])
    caller = user if path.startswith("/users") else organizer
    await refused(caller.get(path.format(id=stage.event.id)), 403, "MISSING_SCOPE")


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_list_of_an_event_contains_exactly_its_tickets(world: World, stage: Stage, caller_name: str) -> None:
    created = [(await world.ticket(stage.event, await world.user(), status=status)).id for status in TicketStatus]
    await world.ticket(await world.event(stage.organization), stage.buyer_account)
    response = await getattr(stage, caller_name).get(f"/events/{stage.event.id}/tickets")
    assert page_in(response) == (created[::-1], {"total": 4, "page": 1, "limit": 20, "pages": 1})
    assert {tuple(sorted(shown)) for shown in data_of(response)} == {tuple(sorted(TICKET_FIELDS))}


async def test_own_list_contains_the_callers_tickets_of_all_events(world: World, stage: Stage) -> None:
    assert stage.rival.user is not None
    first = await world.ticket(stage.event, stage.buyer_account)
    second = await world.ticket(await world.event(stage.organization), stage.buyer_account)
    in_email = await world.ticket(stage.event, stage.rival.user, email="buyer@example.com")
    await world.ticket(stage.event, stage.rival.user)
    response = await stage.buyer.get("/users/me/tickets")
    assert page_in(response)[0] == [in_email.id, second.id, first.id]
    assert data_of(response)[0].keys() == TICKET_FIELDS


async def test_lists_without_tickets_are_empty(stage: Stage) -> None:
    for caller, path in both_lists(stage):
        assert page_in(await caller.get(path)) == ([], {"total": 0, "page": 1, "limit": 20, "pages": 0})


@pytest.mark.parametrize("status", list(TicketStatus))
async def test_tickets_are_filtered_by_status_and_paginated(world: World, stage: Stage, status: TicketStatus) -> None:
    created = [
        await world.ticket(stage.event, stage.buyer_account, status=list(TicketStatus)[number % 4])
        for number in range(30)
    ]
    expected = [ticket.id for ticket in created[::-1] if ticket.status is status]
    for caller, path in both_lists(stage):
        pages = [page_in(await caller.get(path, status=status, page=page, limit=3)) for page in (1, 2, 3, 4)]
        assert [one for ids, _ in pages for one in ids] == expected
        assert pages[1][1] == {"total": len(expected), "page": 2, "limit": 3, "pages": 3}


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "succes"), ("status", "Approved"), ("page", "0"), ("limit", "0"), ("limit", "x")],
)
async def test_invalid_parameter_is_refused_by_name(stage: Stage, field: str, value: str) -> None:
    for caller, path in both_lists(stage):
        assert set(error_in(await caller.get(path, **{field: value}), 400, "VALIDATION_ERROR")) == {field}


async def test_unknown_and_blank_parameters_are_ignored(world: World, stage: Stage) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account)
    for caller, path in both_lists(stage):
        assert page_in(await caller.get(path, event_id=999_999, colour="red", status=""))[0] == [ticket.id]
