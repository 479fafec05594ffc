"""The last ticket type of an event, which stays once the event has tickets (decisions 6.3)."""

import asyncio

import httpx
import pytest

from amarevents.models import Ticket, TicketType
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.events import ticket_types
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of, outcomes, refused
from tests.support.world import World

NOT_APPROVED = [status for status in TicketStatus if status is not TicketStatus.SUCCESS]


@pytest.fixture
async def ticket_type(world: World, stage: Stage) -> TicketType:
    return await world.ticket_type(stage.event, price="250", capacity=10)


@pytest.mark.parametrize("status", NOT_APPROVED)
async def test_last_type_of_an_event_with_tickets_cannot_be_deleted(
    world: World, stage: Stage, ticket_type: TicketType, status: TicketStatus
) -> None:
    """The event would become free and unlimited (decisions 6.3)."""
    await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status)
    path = f"/ticket-types/{ticket_type.id}"
    for caller in (stage.organizer, stage.admin):
        await refused(caller.delete(path), 400, "LAST_TICKET_TYPE")
    await world.ticket_type(stage.event)
    data_of(await stage.organizer.delete(path))


async def test_last_type_cannot_be_deleted_because_of_tickets_without_a_type(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    await world.ticket(stage.event, stage.buyer_account)
    await refused(stage.organizer.delete(f"/ticket-types/{ticket_type.id}"), 400, "LAST_TICKET_TYPE")


async def test_last_type_of_an_event_without_tickets_can_be_deleted(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    await world.ticket(await world.event(stage.organization), stage.buyer_account)
    data_of(await stage.organizer.delete(f"/ticket-types/{ticket_type.id}"))


# Simultaneous requests ------------------------------------------------------------------------------------------


async def delete_both(stage: Stage, types: list[TicketType]) -> list[httpx.Response]:
    return await asyncio.gather(*(stage.organizer.delete(f"/ticket-types/{row.id}") for row in types))


async def test_one_of_two_types_that_are_deleted_at_once_stays(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=TicketStatus.PENDING)
    for _ in range(5):
        types = [await TicketType.get(event_id=stage.event.id), await world.ticket_type(stage.event)]
        assert outcomes(await delete_both(stage, types)) == {(200, None): 1, (400, "LAST_TICKET_TYPE"): 1}
    assert await find_inconsistencies() == {}


async def lock_nothing(_rows: object) -> list[int]:
    return []


@pytest.mark.backend("postgres")
async def test_without_the_locks_both_would_be_deleted(
    world: World, stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_another, both = ticket_types._require_another, asyncio.Barrier(2)

    async def require_at_once(event_id: int, ticket_type_id: int) -> None:
        await require_another(event_id, ticket_type_id)
        await both.wait()

    monkeypatch.setattr(ticket_types, "lock_in_order", lock_nothing)
    monkeypatch.setattr(ticket_types, "_require_another", require_at_once)
    await world.ticket(stage.event, stage.buyer_account)
    await delete_both(stage, [ticket_type, await world.ticket_type(stage.event)])
    assert not await TicketType.exists(event_id=stage.event.id)


async def test_registrations_and_the_deletion_of_the_last_type_agree(world: World, stage: Stage) -> None:
    """Either the type is deleted and the registrations for it are refused, or it stays."""
    for _ in range(5):
        event = await world.event(stage.organization)
        last = await world.ticket_type(event, price="250")
        body = {"event_id": event.id, "ticket_type_id": last.id}
        deletion, *registrations = await asyncio.gather(
            stage.organizer.delete(f"/ticket-types/{last.id}"), *(stage.buyer.post("/tickets", body) for _ in range(5))
        )
        registered = outcomes(registrations)[201, None]
        assert registered == await Ticket.filter(event_id=event.id, ticket_type_id=last.id).count()
        assert (deletion.status_code, registered) in {(200, 0), (400, 5)}, deletion.text


@pytest.mark.backend("postgres")
async def test_without_the_locks_a_new_ticket_would_lose_the_last_type(
    stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_types, "lock_in_order", lock_nothing)
    pause = Pause(monkeypatch)
    pause.stop_after(ticket_types, "_require_another")
    body = {"event_id": stage.event.id, "ticket_type_id": ticket_type.id}
    deletion, registered = await pause.during(
        stage.organizer.delete(f"/ticket-types/{ticket_type.id}"), stage.buyer.post("/tickets", body)
    )
    data_of(deletion)
    data_of(registered, 201)
    assert (await Ticket.get()).ticket_type_id is None
