"""A deleted ticket gives its place back, at once and only once (decisions 6.2)."""

import asyncio

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents.models import CustomValue, OutgoingMail, Ticket, TicketType
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, MailKind, TicketStatus
from amarevents.resolvers.tickets import updates
from tests.rest.conftest import Stage
from tests.rest.tickets.test_capacity import Outcomes, outcomes
from tests.support.orphans import unbalanced
from tests.support.rest_answers import data_of, error_in, page_in, refused
from tests.support.world import World, snapshot


@pytest.fixture
async def kind(world: World, stage: Stage) -> TicketType:
    return await world.ticket_type(stage.event, capacity=5)


@pytest.fixture
async def ticket(world: World, stage: Stage, kind: TicketType) -> Ticket:
    return await world.ticket(stage.event, stage.buyer_account, ticket_type=kind)


async def test_nobody_else_deletes_a_ticket(world: World, stage: Stage, ticket: Ticket) -> None:
    assert stage.rival.user is not None
    own = await world.ticket(stage.event, stage.rival.user)
    await refused(world.anonymous.delete(f"/tickets/{ticket.id}"), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.delete(f"/tickets/{ticket.id}"), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.delete(f"/tickets/{ticket.id}"), 404, "NOT_FOUND")
    await refused(stage.rival.delete(f"/tickets/{own.id}"), 403, "FORBIDDEN")
    await refused(stage.admin.delete("/tickets/999999"), 404, "NOT_FOUND")


async def test_the_owner_needs_tickets_delete(world: World, stage: Stage, ticket: Ticket) -> None:
    assert stage.organizer.user is not None
    writer = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["tickets:read", "tickets:write"])
    await refused(writer.delete(f"/tickets/{ticket.id}"), 403, "MISSING_SCOPE")


@pytest.mark.parametrize("who", ["organizer", "admin"])
async def test_a_ticket_goes_with_its_answers_and_mails(
    world: World, stage: Stage, kind: TicketType, ticket: Ticket, who: str
) -> None:
    question = await world.custom_field(stage.event, "Size")
    before = await snapshot()
    doomed = await world.ticket(stage.event, stage.buyer_account, ticket_type=kind)
    await CustomValue.create(ticket=doomed, field=question, value="M")
    await OutgoingMail.create(
        kind=MailKind.TICKET_CONFIRMED, ticket=doomed, recipient="x@example.com", subject="x", body="x",
        next_attempt_at=utc_now(),
    )  # fmt: skip
    answer = await getattr(stage, who).delete(f"/tickets/{doomed.id}")
    assert data_of(answer) == {"id": doomed.id, "deleted": True}
    assert await snapshot() == before
    error_in(await stage.buyer.get(f"/tickets/{doomed.id}"), 404, "NOT_FOUND")
    await refused(stage.organizer.delete(f"/tickets/{doomed.id}"), 404, "NOT_FOUND")
    assert page_in(await stage.buyer.get("/tickets"))[0] == [ticket.id]


@pytest.mark.parametrize("status", list(TicketStatus))
async def test_only_who_held_a_place_gives_one_back(
    world: World, stage: Stage, kind: TicketType, ticket: Ticket, status: TicketStatus
) -> None:
    doomed = await world.ticket(stage.event, stage.buyer_account, ticket_type=kind, status=status)
    data_of(await stage.organizer.delete(f"/tickets/{doomed.id}"))
    await kind.refresh_from_db()
    assert kind.sold == 1
    assert await unbalanced() == {}


async def test_a_ticket_without_a_type_goes(world: World, stage: Stage, kind: TicketType, ticket: Ticket) -> None:
    doomed = await world.ticket(stage.event, stage.buyer_account)
    data_of(await stage.organizer.delete(f"/tickets/{doomed.id}"))
    assert await unbalanced() == {}


async def test_the_place_is_sold_again_at_once(stage: Stage, kind: TicketType, ticket: Ticket) -> None:
    await TicketType.filter(id=kind.id).update(capacity=1)
    await refused(stage.rival.post("/tickets", {"event_id": stage.event.id}), 400, "SOLD_OUT")
    data_of(await stage.organizer.delete(f"/tickets/{ticket.id}"))
    data_of(await stage.rival.post("/tickets", {"event_id": stage.event.id}), 201)


async def test_its_transaction_id_is_free_again(world: World, stage: Stage) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account, transaction_id="8N7A6B")
    body = {"event_id": stage.event.id, "transaction_id": "8N7A6B"}
    await refused(stage.buyer.post("/tickets", body), 400, "DUPLICATE_TRANSACTION")
    data_of(await stage.organizer.delete(f"/tickets/{ticket.id}"))
    data_of(await stage.buyer.post("/tickets", body), 201)


# At the same time -----------------------------------------------------------------------------------------------


async def delete_five_times(stage: Stage, ticket: Ticket) -> Outcomes:
    path = f"/tickets/{ticket.id}"
    return outcomes(await asyncio.gather(*(stage.organizer.delete(path) for _ in range(5))))


async def sold_after(world: World, stage: Stage, kind: TicketType, ticket: Ticket) -> tuple[Outcomes, int]:
    """Four others hold a place of the type as well."""
    await kind.refresh_from_db()
    for _ in range(4):
        await world.ticket(stage.event, stage.buyer_account, ticket_type=kind)
    happened = await delete_five_times(stage, ticket)
    await kind.refresh_from_db()
    return happened, kind.sold


async def test_of_five_deletions_at_once_one_gives_the_place_back(
    world: World, stage: Stage, kind: TicketType, ticket: Ticket
) -> None:
    happened, sold = await sold_after(world, stage, kind, ticket)
    assert (happened, sold) == ({(200, None): 1, (404, "NOT_FOUND"): 4}, 4)
    assert await unbalanced() == {}


@pytest.mark.backend("postgres")
async def test_without_the_lock_it_would_be_given_back_several_times(
    world: World, stage: Stage, kind: TicketType, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = updates.lock_ticket

    async def look_early(ticket_id: int) -> Ticket:
        found = await lock(ticket_id)
        await asyncio.sleep(0.3)
        return found

    monkeypatch.setattr(updates, "lock_ticket", look_early)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    happened, sold = await sold_after(world, stage, kind, ticket)
    assert happened[200, None] > 1
    assert sold < 4


async def test_deletion_and_refund_at_once_give_one_place_back(world: World, stage: Stage, kind: TicketType) -> None:
    tickets = [await world.ticket(stage.event, stage.buyer_account, ticket_type=kind) for _ in range(5)]

    async def change(ticket: Ticket) -> tuple[httpx.Response, httpx.Response]:
        path = f"/tickets/{ticket.id}"
        return await asyncio.gather(stage.organizer.put(path, {"status": "Refunded"}), stage.organizer.delete(path))

    for refund, deletion in await asyncio.gather(*(change(ticket) for ticket in tickets)):
        assert refund.status_code in {200, 404}
        data_of(deletion)
    await kind.refresh_from_db()
    assert kind.sold == 0
    assert await unbalanced() == {}
