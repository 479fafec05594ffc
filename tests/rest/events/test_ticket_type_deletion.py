"""The deletion of ticket types, refused once a ticket is approved, even by a simultaneous request (decisions 6.3)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from amarevents.models import Event, Ticket, TicketType
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from amarevents.resolvers.events import ticket_types
from amarevents.resolvers.tickets import registration
from amarevents.resolvers.tickets.offers import Offer, load_offer
from amarevents.security.context import Context
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, outcomes, refused
from tests.support.world import World, snapshot

# The errors of requests that have read the type before its deletion, and of later ones.
TOO_LATE = {(404, "NOT_FOUND"), (400, "VALIDATION_ERROR")}
NOT_APPROVED = [status for status in TicketStatus if status is not TicketStatus.SUCCESS]


@pytest.fixture
async def ticket_type(world: World, stage: Stage) -> TicketType:
    return await world.ticket_type(stage.event, price="250", capacity=10)


# Permissions ----------------------------------------------------------------------------------------------------


async def test_only_the_owner_and_admins_delete_a_ticket_type(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    path = f"/ticket-types/{ticket_type.id}"
    await refused(world.anonymous.delete(path), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.delete(path), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.delete(path), 403, "FORBIDDEN")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    await refused(stage.rival.delete(path), 404, "NOT_FOUND")
    await refused(stage.admin.delete("/ticket-types/999999"), 404, "NOT_FOUND")


async def test_deletion_requires_the_events_write_scope(world: World, stage: Stage, ticket_type: TicketType) -> None:
    assert stage.organizer.user is not None
    deleter = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:delete", "tickets:delete"])
    await refused(deleter.delete(f"/ticket-types/{ticket_type.id}"), 403, "MISSING_SCOPE")


# Deletion -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_only_the_ticket_type_is_deleted(
    world: World, stage: Stage, ticket_type: TicketType, caller_name: str
) -> None:
    before = await snapshot()
    deleted = await world.ticket_type(stage.event)
    response = await getattr(stage, caller_name).delete(f"/ticket-types/{deleted.id}")
    assert data_of(response) == {"id": deleted.id, "deleted": True}
    assert await snapshot() == before
    await refused(stage.organizer.delete(f"/ticket-types/{deleted.id}"), 404, "NOT_FOUND")


async def test_type_with_an_approved_ticket_cannot_be_deleted(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    for status in TicketStatus:
        await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status)
    for caller in (stage.organizer, stage.admin):
        await refused(caller.delete(f"/ticket-types/{ticket_type.id}"), 400, "HAS_APPROVED_TICKETS")


@pytest.mark.parametrize("status", NOT_APPROVED)
async def test_tickets_that_are_not_approved_remain_without_a_type(
    world: World, stage: Stage, ticket_type: TicketType, status: TicketStatus
) -> None:
    await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status)
    before = data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))
    data_of(await stage.organizer.delete(f"/ticket-types/{ticket_type.id}"))
    shown = data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))
    assert shown == {**before, "ticket_type_id": None, "ticket_type_name": None}
    assert (shown["amount"], shown["due"]) == (250, 250)
    assert await find_inconsistencies() == {}


async def test_approved_tickets_of_other_types_do_not_prevent_the_deletion(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    other = await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=other)
    await world.ticket(stage.event, stage.buyer_account)
    data_of(await stage.organizer.delete(f"/ticket-types/{ticket_type.id}"))
    assert data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))["ticket_type_id"] == other.id


async def test_type_can_be_deleted_after_a_refund(world: World, stage: Stage, ticket_type: TicketType) -> None:
    await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    await refused(stage.organizer.delete(f"/ticket-types/{ticket_type.id}"), 400, "HAS_APPROVED_TICKETS")
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Refunded"}))
    data_of(await stage.organizer.delete(f"/ticket-types/{ticket_type.id}"))


# Simultaneous requests ------------------------------------------------------------------------------------------

# Any: the types that a coroutine sends and yields.
Request = Coroutine[Any, Any, httpx.Response]


async def start(request: Request) -> asyncio.Task[httpx.Response]:
    """Start the request, and wait until it is done or, most likely, blocked by a lock."""
    task = asyncio.create_task(request)
    await asyncio.wait([task], timeout=0.5)
    return task


async def response_during_deletion(
    stage: Stage, ticket_type: TicketType, pause: Pause, request: Request
) -> tuple[int, Any]:
    """Send the request after the deletion has found no approved ticket; return the deletion's status and the data."""
    pause.stop_after(ticket_types, "_require_none_approved")
    deletion, task = await pause.during(stage.organizer.delete(f"/ticket-types/{ticket_type.id}"), start(request))
    return deletion.status_code, data_of(await task)


async def test_approval_during_the_deletion_approves_a_ticket_without_a_type(
    world: World, stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=TicketStatus.PENDING)
    approving = stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"})
    status, approved = await response_during_deletion(stage, ticket_type, Pause(monkeypatch), approving)
    assert (status, approved["status"], approved["ticket_type_id"]) == (200, "Success", None)
    assert await find_inconsistencies() == {}


async def test_move_to_the_type_during_its_deletion_is_refused(
    world: World, stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=other)
    pause = Pause(monkeypatch)
    pause.stop_after(ticket_types, "_require_none_approved")
    moving = start(stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": ticket_type.id}))
    deletion, moved = await pause.during(stage.organizer.delete(f"/ticket-types/{ticket_type.id}"), moving)
    data_of(deletion)
    assert outcomes([await moved]).keys() <= TOO_LATE
    assert (await Ticket.get(id=ticket.id)).ticket_type_id == other.id
    assert await find_inconsistencies() == {}


async def test_registration_during_the_deletion_is_refused(
    stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the new ticket could be approved between the check for approved tickets and the deletion."""
    pause = Pause(monkeypatch)
    pause.stop_after(ticket_types, "lock_in_order")
    registering = start(stage.buyer.post("/tickets", {"event_id": stage.event.id, "ticket_type_id": ticket_type.id}))
    deletion, registered = await pause.during(stage.organizer.delete(f"/ticket-types/{ticket_type.id}"), registering)
    data_of(deletion)
    assert outcomes([await registered]).keys() <= TOO_LATE
    assert await Ticket.all().count() == 0


@pytest.mark.backend("postgres")
async def test_without_the_locks_an_approved_ticket_would_lose_its_type(
    world: World, stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lock_nothing(_rows: object) -> list[int]:
        return []

    monkeypatch.setattr(ticket_types, "lock_in_order", lock_nothing)
    await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=TicketStatus.PENDING)
    approving = stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"})
    status, approved = await response_during_deletion(stage, ticket_type, Pause(monkeypatch), approving)
    assert (status, approved["status"], approved["ticket_type_id"]) == (200, "Success", ticket_type.id)
    assert (await Ticket.get(id=ticket.id)).ticket_type_id is None


async def test_simultaneous_approvals_and_deletions_agree(world: World, stage: Stage) -> None:
    """An approved ticket keeps the type that its response contains, in either order of approval and deletion."""

    async def approve_and_delete(ticket_type: TicketType, ticket: Ticket) -> None:
        approval, deletion = await asyncio.gather(
            stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"}),
            stage.organizer.delete(f"/ticket-types/{ticket_type.id}"),
        )
        shown = data_of(approval)
        assert (deletion.status_code, shown["ticket_type_id"]) in {(200, None), (400, ticket_type.id)}

    await world.ticket_type(stage.event)
    pairs = []
    for _ in range(15):
        ticket_type = await world.ticket_type(stage.event)
        status = TicketStatus.PENDING
        pairs.append(
            (ticket_type, await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status))
        )
    await asyncio.gather(*(approve_and_delete(*pair) for pair in pairs))
    assert await find_inconsistencies() == {}


async def test_registrations_during_deletions_are_refused_or_prevent_them(
    world: World, stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delay the registrations, so that all read the type before the deletion or begin after it."""

    async def load_early(ctx: Context, event_id: int) -> Offer:
        offer = await load_offer(ctx, event_id)
        await asyncio.sleep(0.05)
        return offer

    monkeypatch.setattr(registration, "load_offer", load_early)
    await TicketType.filter(id=ticket_type.id).update(price=0, capacity=0)
    body = {"event_id": stage.event.id, "ticket_type_id": ticket_type.id}
    registrations = [stage.buyer.post("/tickets", body) for _ in range(30)]
    deletions = [stage.organizer.delete(f"/ticket-types/{ticket_type.id}") for _ in range(3)]
    counts = outcomes(await asyncio.gather(*deletions, *registrations))
    assert counts.keys() <= {
        (200, None), (201, None), (400, "HAS_APPROVED_TICKETS"), (400, "VALIDATION_ERROR"), (404, "NOT_FOUND")
    }  # fmt: skip
    typeless = await Ticket.filter(ticket_type_id=None).count()
    assert (counts[200, None], counts[201, None], typeless) in {(1, 0, 0), (0, 30, 0)}
    assert await find_inconsistencies() == {}
