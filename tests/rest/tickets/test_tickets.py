"""Reading and listing tickets (decisions 6.7, 6.9)."""

import datetime
from collections.abc import Callable

import pytest

from amarevents.models import Ticket, User
from amarevents.models.enums import KeyType, TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import INSTANT, TICKET_DETAIL_FIELDS, TICKET_FIELDS, data_of, error_in, page_in, refused
from tests.support.world import Caller, World


@pytest.fixture
async def ticket(world: World, stage: Stage) -> Ticket:
    return await world.ticket(stage.event, stage.buyer_account)


async def test_listed_ticket_has_exactly_the_documented_fields(stage: Stage, ticket: Ticket) -> None:
    [shown] = data_of(await stage.buyer.get("/tickets"))
    assert shown.keys() == TICKET_FIELDS
    assert INSTANT.fullmatch(shown["created_at"])
    assert (shown["id"], shown["code"], shown["event_name"]) == (ticket.id, ticket.code, stage.event.name)
    assert data_of(await stage.buyer.get(f"/tickets/{ticket.id}")).keys() == TICKET_DETAIL_FIELDS


async def test_own_tickets_include_those_with_the_accounts_email(world: World, stage: Stage) -> None:
    assert stage.rival.user is not None
    registered = await world.ticket(stage.event, stage.buyer_account, email="guest@example.com")
    await world.ticket(stage.event, stage.rival.user)
    in_email = await world.ticket(stage.event, stage.rival.user, email="buyer@example.com")
    assert page_in(await stage.buyer.get("/tickets"))[0] == [in_email.id, registered.id]
    assert data_of(await stage.buyer.get(f"/tickets/{in_email.id}"))["id"] == in_email.id


async def test_unconfirmed_email_does_not_count_where_confirmation_is_required(
    world: World, stage: Stage, configure: Callable[..., None]
) -> None:
    assert stage.rival.user is not None
    configure(confirm_email=True)
    registered = await world.ticket(stage.event, stage.buyer_account)
    in_email = await world.ticket(stage.event, stage.rival.user, email="buyer@example.com")
    assert page_in(await stage.buyer.get("/tickets"))[0] == [registered.id]
    error_in(await stage.buyer.get(f"/tickets/{in_email.id}"), 404, "NOT_FOUND")
    await User.filter(id=stage.buyer_account.id).update(email_confirmed_at=datetime.datetime.now(datetime.UTC))
    assert page_in(await stage.buyer.get("/tickets"))[0] == [in_email.id, registered.id]


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_organizers_and_admins_list_own_tickets_without_an_event(
    stage: Stage, ticket: Ticket, caller_name: str
) -> None:
    assert page_in(await getattr(stage, caller_name).get("/tickets"))[0] == []


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_owner_and_admins_list_the_tickets_of_an_event_newest_first(
    world: World, stage: Stage, caller_name: str
) -> None:
    created = [(await world.ticket(stage.event, stage.buyer_account)).id for _ in range(3)]
    await world.ticket(await world.event(stage.organization), stage.buyer_account)
    ids, pagination = page_in(await getattr(stage, caller_name).get("/tickets", event_id=stage.event.id, limit=2))
    assert (ids, pagination) == (created[:0:-1], {"total": 3, "page": 1, "limit": 2, "pages": 2})


@pytest.mark.parametrize("caller_name", ["buyer", "rival", "owner as a user"])
async def test_other_callers_cannot_list_the_tickets_of_an_event(
    world: World, stage: Stage, ticket: Ticket, caller_name: str
) -> None:
    assert stage.organizer.user is not None
    caller = await world.key(stage.organizer.user) if caller_name == "owner as a user" else getattr(stage, caller_name)
    await refused(caller.get("/tickets", event_id=stage.event.id), 403, "FORBIDDEN")
    await refused(caller.get("/tickets", event_id=999_999), 404, "NOT_FOUND")


@pytest.mark.parametrize("status", list(TicketStatus))
async def test_tickets_are_filtered_by_status_and_paginated(world: World, stage: Stage, status: TicketStatus) -> None:
    created = [
        await world.ticket(stage.event, stage.buyer_account, status=list(TicketStatus)[number % 4])
        for number in range(45)
    ]
    expected = [ticket.id for ticket in created[::-1] if ticket.status is status]
    for caller, query in ((stage.buyer, {}), (stage.organizer, {"event_id": stage.event.id})):
        pages = [
            page_in(await caller.get("/tickets", status=status, page=page, limit=5, **query)) for page in (1, 2, 3)
        ]
        assert [one for ids, _ in pages for one in ids] == expected
        assert {pagination["total"] for _, pagination in pages} == {len(expected)}


@pytest.mark.parametrize(
    ("caller_name", "status"),
    [("buyer", 200), ("organizer", 200), ("admin", 200), ("rival", 404), ("another account", 404)],
)
async def test_ticket_is_visible_to_its_holder_and_those_who_manage_the_event(
    world: World, stage: Stage, ticket: Ticket, caller_name: str, status: int
) -> None:
    caller = await world.user_key() if caller_name == "another account" else getattr(stage, caller_name)
    response = await caller.get(f"/tickets/{ticket.id}")
    assert response.status_code == status
    if status == 404:
        assert response.json() == (await caller.get("/tickets/999999")).json()


@pytest.mark.parametrize("id", ["999999", "0", "-1", "abc", "99999999999999999999"])
async def test_unknown_ticket_is_not_found(stage: Stage, id: str) -> None:
    for caller in (stage.buyer, stage.admin):
        error_in(await caller.get(f"/tickets/{id}"), 404, "NOT_FOUND")
    await refused(stage.admin.put(f"/tickets/{id}", {}), 404, "NOT_FOUND")


async def test_ticket_is_not_found_by_its_code(world: World, stage: Stage, ticket: Ticket) -> None:
    error_in(await stage.rival.get(f"/tickets/{ticket.code}"), 404, "NOT_FOUND")


async def session_of(world: World, caller: Caller) -> Caller:
    assert caller.user is not None
    return await world.session(caller.user)


async def test_session_has_the_rights_of_every_key_of_its_account(world: World, stage: Stage, ticket: Ticket) -> None:
    organizer = await session_of(world, stage.organizer)
    assert data_of(await organizer.post(f"/tickets/{ticket.id}/verify", {}))["valid"] is True
    buyer = await session_of(world, stage.buyer)
    await refused(buyer.post(f"/tickets/{ticket.id}/verify", {}), 403, "WRONG_KEY_TYPE")
    assert page_in(await buyer.get("/tickets"))[0] == [ticket.id]


async def test_organizer_key_of_an_admin_manages_only_own_events(world: World, stage: Stage, ticket: Ticket) -> None:
    assert stage.admin.user is not None
    organizer_key = await world.key(stage.admin.user, KeyType.ORGANIZER)
    await refused(organizer_key.get("/tickets", event_id=stage.event.id), 403, "FORBIDDEN")
    await refused(organizer_key.put(f"/tickets/{ticket.id}", {"status": "Failed"}), 404, "NOT_FOUND")
