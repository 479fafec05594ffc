"""The deletion of accounts: the tickets it includes, and its order of locks."""

import asyncio

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents.models import Event, Organization, Ticket, TicketType, User
from amarevents.resolvers.accounts import deletion as account_deletion
from amarevents.resolvers.events import deletion as event_deletion
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


async def delete_an_event_and_its_owner(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Delete an account while the second of its events is locked, but not its organization; return both statuses."""
    admin, owner = await world.admin_key(), await world.organizer()
    organization = await world.organization(owner)
    _, event = [await world.event(organization) for _ in range(2)]
    pause = Pause(monkeypatch)
    pause.stop_before(event_deletion, "delete_tickets")

    async def begin_deletion() -> asyncio.Task[httpx.Response]:
        task = asyncio.create_task(admin.delete(f"/admin/users/{owner.id}"))
        await asyncio.wait([task], timeout=0.5)
        return task

    event_deleted, deleting = await pause.during(admin.delete(f"/events/{event.id}"), begin_deletion())
    return [event_deleted.status_code, (await deleting).status_code]


async def test_account_and_one_of_its_events_are_deleted_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await delete_an_event_and_its_owner(world, monkeypatch) == [200, 200]
    assert await Event.all().count() == await Organization.all().count() == 0


@pytest.mark.backend("postgres")
async def test_locking_the_organization_with_the_events_would_deadlock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lock_all_joined_tables(rows: QuerySet[Event]) -> list[Event]:
        return await rows.order_by("id").select_for_update().only("id")

    monkeypatch.setattr(account_deletion, "lock_in_order", lock_all_joined_tables)
    assert sorted(await delete_an_event_and_its_owner(world, monkeypatch)) == [200, 500]
