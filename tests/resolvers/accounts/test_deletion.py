"""The deletion of accounts: the tickets it includes, and its order of locks."""

import asyncio

import httpx
import pytest

from amarevents.models import Event, Ticket, TicketType, User
from amarevents.resolvers.tickets import updates
from tests.support.consistency import find_inconsistencies
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of
from tests.support.world import World


async def test_account_without_events_is_deleted_with_its_own_tickets(world: World) -> None:
    admin, user = await world.admin_key(), await world.user()
    event = await world.event(await world.organizer())
    ticket_type = await world.ticket_type(event, capacity=5)
    await world.ticket(event, user, ticket_type=ticket_type)
    kept = await world.ticket(event, await world.user(), ticket_type=ticket_type)
    data_of(await admin.delete(f"/admin/users/{user.id}"))
    assert [ticket.id for ticket in await Ticket.all()] == [kept.id]
    assert await Event.all().count() == 1
    assert await find_inconsistencies() == {}


async def test_deletion_waits_for_an_update_of_a_ticket_of_the_owners_event(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner also holds a ticket of the event, whose place must not be released before all tickets are locked."""
    organizer, admin = await world.organizer_key(), await world.admin_key()
    assert organizer.user is not None
    event = await world.event(organizer.user)
    ticket_type = await world.ticket_type(event, capacity=5)
    await world.ticket(event, organizer.user, ticket_type=ticket_type)
    ticket = await world.ticket(event, await world.user(), ticket_type=ticket_type)
    pause = Pause(monkeypatch)
    pause.stop_after(updates, "lock_ticket")

    async def start_deletion() -> asyncio.Task[httpx.Response]:
        task = asyncio.create_task(admin.delete(f"/admin/users/{event.organization.user_id}"))
        await asyncio.wait([task], timeout=0.5)
        return task

    failing = admin.put(f"/tickets/{ticket.id}", {"status": "Failed"})
    failed, deletion = await pause.during(failing, start_deletion())
    data_of(await deletion)
    assert failed.status_code in {200, 404}
    assert [await model.all().count() for model in (Event, TicketType, Ticket)] == [0, 0, 0]
    assert await User.all().count() == 2
    assert await find_inconsistencies() == {}
