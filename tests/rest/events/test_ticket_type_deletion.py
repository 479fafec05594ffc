"""A ticket type goes only while none of its tickets is approved, whoever approves meanwhile (decisions 6.3)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from amarevents.models import Event, Ticket, TicketType
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from amarevents.resolvers.events import ticket_types
from amarevents.resolvers.tickets import registration
from tests.rest.conftest import Stage
from tests.rest.tickets.test_capacity import outcomes
from tests.support.orphans import unbalanced
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, refused
from tests.support.world import World, snapshot

# For who has looked at the type before it went, and for who comes later.
TOO_LATE = {(404, "NOT_FOUND"), (400, "VALIDATION_ERROR")}
NOT_APPROVED = [status for status in TicketStatus if status is not TicketStatus.SUCCESS]


@pytest.fixture
async def kind(world: World, stage: Stage) -> TicketType:
    return await world.ticket_type(stage.event, price="250", capacity=10)


# Who ------------------------------------------------------------------------------------------------------------


async def test_nobody_else_deletes_a_ticket_type(world: World, stage: Stage, kind: TicketType) -> None:
    path = f"/ticket-types/{kind.id}"
    await refused(world.anonymous.delete(path), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.delete(path), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.delete(path), 403, "FORBIDDEN")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    await refused(stage.rival.delete(path), 404, "NOT_FOUND")
    await refused(stage.admin.delete("/ticket-types/999999"), 404, "NOT_FOUND")


async def test_the_owner_needs_events_write(world: World, stage: Stage, kind: TicketType) -> None:
    assert stage.organizer.user is not None
    deleter = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:delete", "tickets:delete"])
    await refused(deleter.delete(f"/ticket-types/{kind.id}"), 403, "MISSING_SCOPE")


# What goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["organizer", "admin"])
async def test_a_ticket_type_goes_and_nothing_else(world: World, stage: Stage, kind: TicketType, who: str) -> None:
    before = await snapshot()
    doomed = await world.ticket_type(stage.event)
    answer = await getattr(stage, who).delete(f"/ticket-types/{doomed.id}")
    assert data_of(answer) == {"id": doomed.id, "deleted": True}
    assert await snapshot() == before
    await refused(stage.organizer.delete(f"/ticket-types/{doomed.id}"), 404, "NOT_FOUND")


async def test_a_type_with_an_approved_ticket_stays(world: World, stage: Stage, kind: TicketType) -> None:
    for status in TicketStatus:
        await world.ticket(stage.event, stage.buyer_account, ticket_type=kind, status=status)
    for caller in (stage.organizer, stage.admin):
        await refused(caller.delete(f"/ticket-types/{kind.id}"), 400, "HAS_APPROVED_TICKETS")


@pytest.mark.parametrize("status", NOT_APPROVED)
async def test_its_other_tickets_go_on_without_a_type(
    world: World, stage: Stage, kind: TicketType, status: TicketStatus
) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=kind, status=status)
    before = data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))
    data_of(await stage.organizer.delete(f"/ticket-types/{kind.id}"))
    shown = data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))
    assert shown == {**before, "ticket_type_id": None, "ticket_type_name": None}
    assert shown["amount"] == 250
    assert await unbalanced() == {}


async def test_an_approved_ticket_of_another_type_is_no_reason_to_stay(
    world: World, stage: Stage, kind: TicketType
) -> None:
    other = await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=other)
    await world.ticket(stage.event, stage.buyer_account)
    data_of(await stage.organizer.delete(f"/ticket-types/{kind.id}"))
    assert data_of(await stage.buyer.get(f"/tickets/{ticket.id}"))["ticket_type_id"] == other.id


async def test_a_refunded_ticket_lets_its_type_go(world: World, stage: Stage, kind: TicketType) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=kind)
    await refused(stage.organizer.delete(f"/ticket-types/{kind.id}"), 400, "HAS_APPROVED_TICKETS")
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Refunded"}))
    data_of(await stage.organizer.delete(f"/ticket-types/{kind.id}"))


# At the same time -----------------------------------------------------------------------------------------------

# Any: what a coroutine sends and yields is between it and the event loop.
Request = Coroutine[Any, Any, httpx.Response]


async def head_start(request: Request) -> asyncio.Task[httpx.Response]:
    """Begin the request, and give it the time that it needs unless it has to wait for somebody."""
    task = asyncio.create_task(request)
    await asyncio.wait([task], timeout=0.5)
    return task


async def amid_deletion(stage: Stage, kind: TicketType, pause: Pause, request: Request) -> tuple[int, Any]:
    """The deletion has found no approved ticket when ``request`` comes: its status, and the answer to the request."""
    pause.stop_after(ticket_types, "_require_none_approved")
    deletion, task = await pause.during(stage.organizer.delete(f"/ticket-types/{kind.id}"), head_start(request))
    return deletion.status_code, data_of(await task)


async def test_who_approves_amid_the_deletion_approves_a_ticket_without_a_type(
    world: World, stage: Stage, kind: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=kind, status=TicketStatus.PENDING)
    approving = stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"})
    status, approved = await amid_deletion(stage, kind, Pause(monkeypatch), approving)
    assert (status, approved["status"], approved["ticket_type_id"]) == (200, "Success", None)
    assert await unbalanced() == {}


async def test_who_moves_in_amid_the_deletion_is_too_late(
    world: World, stage: Stage, kind: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=other)
    pause = Pause(monkeypatch)
    pause.stop_after(ticket_types, "_require_none_approved")
    moving = head_start(stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": kind.id}))
    deletion, moved = await pause.during(stage.organizer.delete(f"/ticket-types/{kind.id}"), moving)
    data_of(deletion)
    assert outcomes([await moved]).keys() <= TOO_LATE
    assert (await Ticket.get(id=ticket.id)).ticket_type_id == other.id
    assert await unbalanced() == {}


async def test_who_registers_once_the_deletion_has_begun_is_too_late(
    stage: Stage, kind: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the new ticket could be approved between the look for such tickets and the deletion."""
    pause = Pause(monkeypatch)
    pause.stop_after(ticket_types, "lock_in_order")
    registering = head_start(stage.buyer.post("/tickets", {"event_id": stage.event.id, "ticket_type_id": kind.id}))
    deletion, registered = await pause.during(stage.organizer.delete(f"/ticket-types/{kind.id}"), registering)
    data_of(deletion)
    assert outcomes([await registered]).keys() <= TOO_LATE
    assert await Ticket.all().count() == 0


@pytest.mark.backend("postgres")
async def test_without_the_locks_an_approved_ticket_would_lose_its_type(
    world: World, stage: Stage, kind: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lock_nothing(_rows: object) -> list[int]:
        return []

    monkeypatch.setattr(ticket_types, "lock_in_order", lock_nothing)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=kind, status=TicketStatus.PENDING)
    approving = stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"})
    status, approved = await amid_deletion(stage, kind, Pause(monkeypatch), approving)
    assert (status, approved["status"], approved["ticket_type_id"]) == (200, "Success", kind.id)
    assert (await Ticket.get(id=ticket.id)).ticket_type_id is None


async def test_approvals_and_deletions_at_once_agree(world: World, stage: Stage) -> None:
    """Whichever comes first, of each pair: an approval that was told of a type keeps it."""

    async def approve_and_delete(kind: TicketType, ticket: Ticket) -> None:
        approval, deletion = await asyncio.gather(
            stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"}),
            stage.organizer.delete(f"/ticket-types/{kind.id}"),
        )
        shown = data_of(approval)
        assert (deletion.status_code, shown["ticket_type_id"]) in {(200, None), (400, kind.id)}

    pairs = []
    for _ in range(15):
        kind = await world.ticket_type(stage.event)
        status = TicketStatus.PENDING
        pairs.append((kind, await world.ticket(stage.event, stage.buyer_account, ticket_type=kind, status=status)))
    await asyncio.gather(*(approve_and_delete(*pair) for pair in pairs))
    assert await unbalanced() == {}


async def test_registrations_amid_the_deletion_are_answered(
    world: World, stage: Stage, kind: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All have looked at the type before it goes, or come later."""
    choose = registration._choose_ticket_type

    async def choose_late(event: Event, ticket_type_id: int | None) -> TicketType | None:
        chosen = await choose(event, ticket_type_id)
        await asyncio.sleep(0.05)
        return chosen

    monkeypatch.setattr(registration, "_choose_ticket_type", choose_late)
    await TicketType.filter(id=kind.id).update(price=0, capacity=0)
    body = {"event_id": stage.event.id, "ticket_type_id": kind.id}
    crowd = [stage.buyer.post("/tickets", body) for _ in range(30)]
    deletions = [stage.organizer.delete(f"/ticket-types/{kind.id}") for _ in range(3)]
    happened = outcomes(await asyncio.gather(*deletions, *crowd))
    assert happened.keys() <= {
        (200, None), (201, None), (400, "HAS_APPROVED_TICKETS"), (400, "VALIDATION_ERROR"), (404, "NOT_FOUND")
    }  # fmt: skip
    typeless = await Ticket.filter(ticket_type_id=None).count()
    assert (happened[200, None], happened[201, None], typeless) in {(1, 0, 0), (0, 30, 0)}
    assert await unbalanced() == {}
