"""The deletion of tickets, which releases the place exactly once (decisions 6.2)."""

import asyncio

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents.models import CustomValue, OutgoingMail, Ticket, TicketType
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, MailKind, TicketStatus
from amarevents.resolvers.tickets import updates
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.rest_answers import Outcomes, data_of, error_in, outcomes, page_in, refused
from tests.support.world import World, snapshot


@pytest.fixture
async def ticket_type(world: World, stage: Stage) -> TicketType:
    return await world.ticket_type(stage.event, capacity=5)


@pytest.fixture
async def ticket(world: World, stage: Stage, ticket_type: TicketType) -> Ticket:
    return await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)


async def test_other_callers_cannot_delete_a_ticket(world: World, stage: Stage, ticket: Ticket) -> None:
    assert stage.rival.user is not None
    own = await world.ticket(stage.event, stage.rival.user)
    await refused(world.anonymous.delete(f"/tickets/{ticket.id}"), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.delete(f"/tickets/{ticket.id}"), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.delete(f"/tickets/{ticket.id}"), 404, "NOT_FOUND")
    await refused(stage.rival.delete(f"/tickets/{own.id}"), 403, "FORBIDDEN")
    await refused(stage.admin.delete("/tickets/999999"), 404, "NOT_FOUND")


async def test_deletion_requires_the_tickets_delete_scope(world: World, stage: Stage, ticket: Ticket) -> None:
    assert stage.organizer.user is not None
    writer = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["tickets:read", "tickets:write"])
    await refused(writer.delete(f"/tickets/{ticket.id}"), 403, "MISSING_SCOPE")


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_ticket_is_deleted_with_its_answers_and_emails(
    world: World, stage: Stage, ticket_type: TicketType, ticket: Ticket, caller_name: str
) -> None:
    question = await world.custom_field(stage.event, "Size")
    before = await snapshot()
    deleted = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    await CustomValue.create(ticket=deleted, field=question, value="M")
    await OutgoingMail.create(
        kind=MailKind.TICKET_CONFIRMED, ticket=deleted, recipient="x@example.com", subject="x", body="x",
        next_attempt_at=utc_now(),
    )  # fmt: skip
    response = await getattr(stage, caller_name).delete(f"/tickets/{deleted.id}")
    assert data_of(response) == {"id": deleted.id, "deleted": True}
    assert await snapshot() == before
    error_in(await stage.buyer.get(f"/tickets/{deleted.id}"), 404, "NOT_FOUND")
    await refused(stage.organizer.delete(f"/tickets/{deleted.id}"), 404, "NOT_FOUND")
    assert page_in(await stage.buyer.get("/tickets"))[0] == [ticket.id]


@pytest.mark.parametrize("status", list(TicketStatus))
async def test_deletion_releases_a_place_only_if_the_ticket_held_one(
    world: World, stage: Stage, ticket_type: TicketType, ticket: Ticket, status: TicketStatus
) -> None:
    deleted = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status)
    data_of(await stage.organizer.delete(f"/tickets/{deleted.id}"))
    await ticket_type.refresh_from_db()
    assert ticket_type.sold == 1
    assert await find_inconsistencies() == {}


async def test_ticket_without_a_type_can_be_deleted(
    world: World, stage: Stage, ticket_type: TicketType, ticket: Ticket
) -> None:
    deleted = await world.ticket(stage.event, stage.buyer_account)
    data_of(await stage.organizer.delete(f"/tickets/{deleted.id}"))
    assert await find_inconsistencies() == {}


async def test_released_place_is_available_at_once(stage: Stage, ticket_type: TicketType, ticket: Ticket) -> None:
    await TicketType.filter(id=ticket_type.id).update(capacity=1)
    await refused(stage.rival.post("/tickets", {"event_id": stage.event.id}), 400, "SOLD_OUT")
    data_of(await stage.organizer.delete(f"/tickets/{ticket.id}"))
    data_of(await stage.rival.post("/tickets", {"event_id": stage.event.id}), 201)


async def test_transaction_id_of_a_deleted_ticket_can_be_reused(world: World, stage: Stage) -> None:
    await world.ticket_type(stage.event, price="500")
    body = {"event_id": stage.event.id, "transaction_id": "8N7A6B"}
    paid = data_of(await stage.buyer.post("/tickets", body), 201)
    await refused(stage.buyer.post("/tickets", body), 400, "DUPLICATE_TRANSACTION")
    data_of(await stage.organizer.delete(f"/tickets/{paid['id']}"))
    data_of(await stage.buyer.post("/tickets", body), 201)


# Simultaneous requests ------------------------------------------------------------------------------------------


async def delete_five_times(stage: Stage, ticket: Ticket) -> Outcomes:
    path = f"/tickets/{ticket.id}"
    return outcomes(await asyncio.gather(*(stage.organizer.delete(path) for _ in range(5))))


async def delete_among_others(
    world: World, stage: Stage, ticket_type: TicketType, ticket: Ticket
) -> tuple[Outcomes, int]:
    """Delete the ticket in five requests while four others hold places; return the outcomes and the places sold."""
    await ticket_type.refresh_from_db()
    for _ in range(4):
        await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    counts = await delete_five_times(stage, ticket)
    await ticket_type.refresh_from_db()
    return counts, ticket_type.sold


async def test_five_simultaneous_deletions_release_one_place(
    world: World, stage: Stage, ticket_type: TicketType, ticket: Ticket
) -> None:
    counts, sold = await delete_among_others(world, stage, ticket_type, ticket)
    assert (counts, sold) == ({(200, None): 1, (404, "NOT_FOUND"): 4}, 4)
    assert await find_inconsistencies() == {}


@pytest.mark.backend("postgres")
async def test_without_the_lock_several_places_would_be_released(
    world: World, stage: Stage, ticket_type: TicketType, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = updates.lock_ticket

    async def lock_and_wait(ticket_id: int) -> Ticket:
        found = await lock(ticket_id)
        await asyncio.sleep(0.3)
        return found

    monkeypatch.setattr(updates, "lock_ticket", lock_and_wait)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    counts, sold = await delete_among_others(world, stage, ticket_type, ticket)
    assert counts[200, None] > 1
    assert sold < 4


async def test_simultaneous_deletion_and_refund_release_one_place(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    tickets = [await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type) for _ in range(5)]

    async def change(ticket: Ticket) -> tuple[httpx.Response, httpx.Response]:
        path = f"/tickets/{ticket.id}"
        return await asyncio.gather(stage.organizer.put(path, {"status": "Refunded"}), stage.organizer.delete(path))

    for refund, deletion in await asyncio.gather(*(change(ticket) for ticket in tickets)):
        assert refund.status_code in {200, 404}
        data_of(deletion)
    await ticket_type.refresh_from_db()
    assert ticket_type.sold == 0
    assert await find_inconsistencies() == {}
