"""Erasing an account waits for those who are busy with its rows, and they for it, but never in a circle."""

import asyncio

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents.models import Event, Organization, Ticket, TicketType, User
from amarevents.resolvers.accounts import deletion as account_deletion
from amarevents.resolvers.events import deletion as event_deletion
from amarevents.resolvers.tickets import updates
from tests.support.orphans import unbalanced
from tests.support.pauses import Pause
from tests.support.rest_answers import data_of
from tests.support.world import World


async def test_an_account_without_events_goes_with_its_tickets_alone(world: World) -> None:
    admin, user = await world.admin_key(), await world.user()
    event = await world.event(await world.organizer())
    kind = await world.ticket_type(event, capacity=5)
    await world.ticket(event, user, ticket_type=kind)
    kept = await world.ticket(event, await world.user(), ticket_type=kind)
    data_of(await admin.delete(f"/admin/users/{user.id}"))
    assert [ticket.id for ticket in await Ticket.all()] == [kept.id]
    assert await Event.all().count() == 1
    assert await unbalanced() == {}


async def test_who_changes_a_ticket_of_an_event_that_goes_with_its_owner_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner holds a ticket to the event, too: its place must not be given back before all tickets are locked."""
    organizer, admin = await world.organizer_key(), await world.admin_key()
    assert organizer.user is not None
    event = await world.event(organizer.user)
    kind = await world.ticket_type(event, capacity=5)
    await world.ticket(event, organizer.user, ticket_type=kind)
    ticket = await world.ticket(event, await world.user(), ticket_type=kind)
    pause = Pause(monkeypatch)
    pause.stop_after(updates, "lock_ticket")

    async def begin_erasing() -> asyncio.Task[httpx.Response]:
        task = asyncio.create_task(admin.delete(f"/admin/users/{event.organization.user_id}"))
        await asyncio.wait([task], timeout=0.5)
        return task

    failing = admin.put(f"/tickets/{ticket.id}", {"status": "Failed"})
    failed, erasing = await pause.during(failing, begin_erasing())
    data_of(await erasing)
    assert failed.status_code in {200, 404}
    assert [await model.all().count() for model in (Event, TicketType, Ticket)] == [0, 0, 0]
    assert await User.all().count() == 2
    assert await unbalanced() == {}


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
