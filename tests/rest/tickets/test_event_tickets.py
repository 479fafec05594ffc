"""The tickets of one event, and of one's own: by status and in pages (decisions 1.6, 1.7, 6.7)."""

import pytest

from amarevents.models import Event
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import TICKET_FIELDS, data_of, error_in, page_in, refused
from tests.support.world import Caller, World


def tickets_of(stage: Stage) -> list[tuple[Caller, str]]:
    """Both lists; on the stage they hold the same tickets."""
    return [(stage.organizer, f"/events/{stage.event.id}/tickets"), (stage.buyer, "/users/me/tickets")]


async def test_nobody_else_lists_the_tickets_of_an_event(world: World, stage: Stage) -> None:
    path = f"/events/{stage.event.id}/tickets"
    await world.ticket(stage.event, stage.buyer_account)
    await refused(world.anonymous.get(path), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.get(path), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.get(path), 403, "FORBIDDEN")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    await refused(stage.rival.get(path), 404, "NOT_FOUND")
    await refused(stage.admin.get("/events/999999/tickets"), 404, "NOT_FOUND")


async def test_own_tickets_are_listed_for_user_keys_and_sessions(world: World, stage: Stage) -> None:
    await world.ticket(stage.event, stage.buyer_account)
    await refused(world.anonymous.get("/users/me/tickets"), 401, "UNAUTHENTICATED")
    for caller in (stage.organizer, stage.admin):
        await refused(caller.get("/users/me/tickets"), 403, "WRONG_KEY_TYPE")
    assert page_in(await (await world.session(stage.buyer_account)).get("/users/me/tickets"))[1]["total"] == 1


@pytest.mark.parametrize("path", ["/events/{id}/tickets", "/users/me/tickets"])
async def test_both_lists_need_tickets_read(world: World, stage: Stage, path: str) -> None:
    assert stage.organizer.user is not None
    organizer = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:read", "tickets:write"])
    user = await world.key(stage.buyer_account, permissions=["events:read", "users:read"])
    caller = user if path.startswith("/users") else organizer
    await refused(caller.get(path.format(id=stage.event.id)), 403, "MISSING_SCOPE")


@pytest.mark.parametrize("who", ["organizer", "admin"])
async def test_an_events_tickets_are_all_of_it_and_no_others(world: World, stage: Stage, who: str) -> None:
    made = [(await world.ticket(stage.event, await world.user(), status=status)).id for status in TicketStatus]
    await world.ticket(await world.event(stage.organization), stage.buyer_account)
    answer = await getattr(stage, who).get(f"/events/{stage.event.id}/tickets")
    assert page_in(answer) == (made[::-1], {"total": 4, "page": 1, "limit": 20, "pages": 1})
    assert {tuple(sorted(shown)) for shown in data_of(answer)} == {tuple(sorted(TICKET_FIELDS))}


async def test_own_tickets_are_those_of_all_events_and_of_nobody_else(world: World, stage: Stage) -> None:
    assert stage.rival.user is not None
    here = await world.ticket(stage.event, stage.buyer_account)
    there = await world.ticket(await world.event(stage.organization), stage.buyer_account)
    in_email = await world.ticket(stage.event, stage.rival.user, email="buyer@example.com")
    await world.ticket(stage.event, stage.rival.user)
    answer = await stage.buyer.get("/users/me/tickets")
    assert page_in(answer)[0] == [in_email.id, there.id, here.id]
    assert data_of(answer)[0].keys() == TICKET_FIELDS


async def test_no_tickets_are_an_empty_list(stage: Stage) -> None:
    for caller, path in tickets_of(stage):
        assert page_in(await caller.get(path)) == ([], {"total": 0, "page": 1, "limit": 20, "pages": 0})


@pytest.mark.parametrize("status", list(TicketStatus))
async def test_each_status_has_its_pages(world: World, stage: Stage, status: TicketStatus) -> None:
    made = [
        await world.ticket(stage.event, stage.buyer_account, status=list(TicketStatus)[number % 4])
        for number in range(30)
    ]
    expected = [ticket.id for ticket in made[::-1] if ticket.status is status]
    for caller, path in tickets_of(stage):
        pages = [page_in(await caller.get(path, status=status, page=page, limit=3)) for page in (1, 2, 3, 4)]
        assert [one for ids, _ in pages for one in ids] == expected
        assert pages[1][1] == {"total": len(expected), "page": 2, "limit": 3, "pages": 3}


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "success"), ("status", "Approved"), ("page", "0"), ("limit", "101"), ("limit", "x")],
)
async def test_what_does_not_fit_is_refused_by_name(stage: Stage, field: str, value: str) -> None:
    for caller, path in tickets_of(stage):
        assert set(error_in(await caller.get(path, **{field: value}), 400, "VALIDATION_ERROR")) == {field}


async def test_what_a_list_does_not_know_is_ignored(world: World, stage: Stage) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account)
    for caller, path in tickets_of(stage):
        assert page_in(await caller.get(path, event_id=999_999, colour="red", status=""))[0] == [ticket.id]
