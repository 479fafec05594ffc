"""The deletion of events with all that belongs to them, also during other requests (decisions 4.5)."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from amarevents.models import CustomValue, Event, Organization, OutgoingMail, Ticket, TicketType
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, MailKind, Privacy, TicketStatus
from amarevents.resolvers.events import deletion, ticket_types
from amarevents.resolvers.tickets import registration, updates
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.pauses import Pause
from tests.support.rest_answers import Outcomes, data_of, error_in, outcomes, page_in, refused
from tests.support.world import World, snapshot

PARTS = {
    "events", "tickets", "ticket_types", "custom_fields", "custom_values", "gallery_images", "outgoing_mails",
    "payment_claims",
}  # fmt: skip


async def populated_event(world: World, stage: Stage, **fields: Any) -> Event:
    """Create an event with rows in every table of its parts."""
    event = await world.event(stage.organization, **fields)
    types = [await world.ticket_type(event, capacity=10) for _ in range(2)]
    question = await world.custom_field(event, "Size")
    for number, status in enumerate([*TicketStatus, TicketStatus.SUCCESS]):
        ticket_type = [*types, None][number % 3]
        paid: dict[str, Any] = {"amount": Decimal(5), "transaction_id": f"PAID{event.id}-{number}"}
        ticket = await world.ticket(event, stage.buyer_account, ticket_type=ticket_type, status=status, **paid)
        await CustomValue.create(ticket=ticket, field=question, value="M")
        await OutgoingMail.create(
            kind=MailKind.TICKET_CONFIRMED, ticket=ticket, recipient=ticket.email, subject="x", body="x",
            next_attempt_at=utc_now(),
        )  # fmt: skip
    await world.gallery_image(event)
    return event


# Permissions ----------------------------------------------------------------------------------------------------


async def test_only_the_owner_and_admins_delete_an_event(world: World, stage: Stage) -> None:
    path = f"/events/{stage.event.id}"
    await refused(world.anonymous.delete(path), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.delete(path), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.delete(path), 403, "FORBIDDEN")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    await refused(stage.rival.delete(path), 404, "NOT_FOUND")
    await refused(stage.admin.delete("/events/999999"), 404, "NOT_FOUND")


async def test_deletion_requires_the_events_delete_scope(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    writer = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:read", "events:write"])
    await refused(writer.delete(f"/events/{stage.event.id}"), 403, "MISSING_SCOPE")


# Deleted rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_event_is_deleted_with_its_parts_and_nothing_else(world: World, stage: Stage, caller_name: str) -> None:
    await populated_event(world, stage)
    before = await snapshot()
    event = await populated_event(world, stage)
    populated = await snapshot()
    assert {table for table, rows in populated.items() if len(rows) > len(before[table])} == PARTS
    assert data_of(await getattr(stage, caller_name).delete(f"/events/{event.id}")) == {"id": event.id, "deleted": True}
    assert await snapshot() == before
    assert await find_inconsistencies() == {}


async def test_deleted_event_is_not_found(world: World, stage: Stage) -> None:
    event = await populated_event(world, stage)
    ticket = await Ticket.filter(event_id=event.id).order_by("id").first()
    assert ticket is not None
    data_of(await stage.organizer.delete(f"/events/{event.id}"))
    for path in ("", "/fields", "/gallery", "/stats", "/tickets"):
        error_in(await stage.organizer.get(f"/events/{event.id}{path}"), 404, "NOT_FOUND")
    error_in(await stage.buyer.get(f"/tickets/{ticket.id}"), 404, "NOT_FOUND")
    assert page_in(await stage.buyer.get("/tickets"))[1]["total"] == 0
    assert page_in(await stage.buyer.get("/events"))[0] == [stage.event.id]
    await refused(stage.organizer.delete(f"/events/{event.id}"), 404, "NOT_FOUND")


async def test_deletion_frees_one_event_slot(stage: Stage) -> None:
    await Organization.filter(id=stage.organization.id).update(eventcount=1)
    body = {"name": "x", "organization_id": stage.organization.id}
    await refused(stage.organizer.post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")
    data_of(await stage.organizer.delete(f"/events/{stage.event.id}"))
    data_of(await stage.organizer.post("/events", body), 201)
    await refused(stage.organizer.post("/events", body), 403, "EVENT_SLOTS_EXHAUSTED")
    assert await find_inconsistencies() == {}


# Simultaneous requests ------------------------------------------------------------------------------------------


@pytest.fixture
def slow_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    delete = deletion.delete_tickets

    async def delete_late(which: Q) -> None:
        await asyncio.sleep(0.1)
        await delete(which)

    monkeypatch.setattr(deletion, "delete_tickets", delete_late)


async def delete_simultaneously(stage: Stage, event: Event, count: int) -> Outcomes:
    path = f"/events/{event.id}"
    return outcomes(await asyncio.gather(*(stage.organizer.delete(path) for _ in range(count))))


@pytest.mark.usefixtures("slow_deletion")
async def test_one_of_five_simultaneous_deletions_succeeds(world: World, stage: Stage) -> None:
    event = await populated_event(world, stage)
    assert await delete_simultaneously(stage, event, 5) == {(200, None): 1, (404, "NOT_FOUND"): 4}
    assert await find_inconsistencies() == {}


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_deletion")
async def test_without_the_lock_two_deletions_would_free_two_slots(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await world.event(stage.organization)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    assert await delete_simultaneously(stage, event, 2) == {(200, None): 2}
    assert await find_inconsistencies() == {"organizations.events_used": [stage.organization.id]}


@pytest.mark.parametrize("position", [1, 10, 25])
async def test_deletion_during_registrations_leaves_no_rows(world: World, stage: Stage, position: int) -> None:
    event = await world.event(stage.organization)
    ticket_type = await world.ticket_type(event)
    await world.custom_field(event, "Size")
    body = {"event_id": event.id, "ticket_type_id": ticket_type.id, "custom_fields": {"Size": "M"}}
    requests = [stage.buyer.post("/tickets", body) for _ in range(40)]
    requests.insert(position, stage.organizer.delete(f"/events/{event.id}"))
    counts = outcomes(await asyncio.gather(*requests))
    no_type = (400, "VALIDATION_ERROR")  # for a request that has read the event, but not its ticket type
    assert counts.keys() <= {(200, None), (201, None), (404, "NOT_FOUND"), no_type}
    assert counts[200, None] == 1
    assert await find_inconsistencies() == {}
    assert await Ticket.all().count() == await CustomValue.all().count() == 0


async def test_deletion_during_other_changes_leaves_no_rows(world: World, stage: Stage) -> None:
    event = await populated_event(world, stage)
    tickets = await Ticket.filter(event_id=event.id)
    ticket_type, other = await TicketType.filter(event_id=event.id).order_by("id")
    requests = [
        *(stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Failed"}) for ticket in tickets),
        *(stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": other.id}) for ticket in tickets),
        *(stage.organizer.post("/ticket-types", {"event_id": event.id, "name": "x"}) for _ in range(5)),
        stage.organizer.delete(f"/events/{event.id}"),
        *(stage.organizer.delete(f"/tickets/{ticket.id}") for ticket in tickets),
        *(stage.organizer.put(f"/ticket-types/{ticket_type.id}", {"capacity": 20}) for _ in range(5)),
        stage.organizer.delete(f"/ticket-types/{other.id}"),
        *(stage.organizer.put(f"/events/{event.id}", {"name": "Late"}) for _ in range(5)),
        *(stage.organizer.get(f"/events/{event.id}/stats") for _ in range(5)),
    ]
    assert {response.status_code for response in await asyncio.gather(*requests)} <= {200, 201, 400, 404}
    assert (await stage.organizer.get(f"/events/{event.id}")).status_code == 404
    assert await find_inconsistencies() == {}
    assert await Ticket.all().count() == await TicketType.all().count() == 0


async def test_registration_overtaken_by_the_deletion_is_not_found(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ticket_type(stage.event)
    pause = Pause(monkeypatch)
    pause.stop_after(registration, "load_offer")
    registering = stage.buyer.post("/tickets", {"event_id": stage.event.id})
    response, other = await pause.during(registering, stage.organizer.delete(f"/events/{stage.event.id}"))
    data_of(other)
    error_in(response, 404, "NOT_FOUND")
    assert await find_inconsistencies() == {}


async def test_new_ticket_type_overtaken_by_the_deletion_is_not_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_before(ticket_types, "new_ticket_type")
    adding = stage.organizer.post("/ticket-types", {"event_id": stage.event.id, "name": "VIP"})
    response, other = await pause.during(adding, stage.organizer.delete(f"/events/{stage.event.id}"))
    data_of(other)
    error_in(response, 404, "NOT_FOUND")
    assert await TicketType.all().count() == 0


async def test_ticket_update_overtaken_by_the_deletion_is_not_found(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account)
    pause = Pause(monkeypatch)
    pause.stop_before(updates, "load_ticket")
    changing = stage.organizer.put(f"/tickets/{ticket.id}", {"note": "x"})
    response, other = await pause.during(changing, stage.organizer.delete(f"/events/{stage.event.id}"))
    data_of(other)
    error_in(response, 404, "NOT_FOUND")
