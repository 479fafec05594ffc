"""Updates of ticket types: the capacity never falls below the places held (decisions 6.2, 6.3)."""

import asyncio
from typing import Any

import pytest

from amarevents import errors
from amarevents.models import Event, Ticket, TicketType
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from amarevents.resolvers.events import ticket_types
from tests.rest.conftest import Stage
from tests.support.consistency import find_inconsistencies
from tests.support.pauses import Pause
from tests.support.rest_answers import TICKET_TYPE_FIELDS, Outcomes, data_of, outcomes, refused
from tests.support.world import World, snapshot

NEW: dict[str, Any] = {"name": "ভিআইপি", "price": 1200.25, "capacity": 40, "description": "সামনের সারি\nআসন"}  # Any: JSON


@pytest.fixture
async def ticket_type(world: World, stage: Stage) -> TicketType:
    """Create a type with ten places, three of them held."""
    ticket_type = await world.ticket_type(stage.event, price="250", capacity=10, name="Old", description="Old")
    for status in (*TicketStatus, TicketStatus.SUCCESS):
        await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status)
    return ticket_type


async def update(stage: Stage, ticket_type: TicketType, **fields: Any) -> Any:  # Any: JSON
    return data_of(await stage.organizer.put(f"/ticket-types/{ticket_type.id}", fields))


async def test_only_the_owner_and_admins_update_a_ticket_type(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    path, body = f"/ticket-types/{ticket_type.id}", {"price": 1}
    await refused(world.anonymous.put(path, body), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.put(path, body), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.put(path, body), 403, "FORBIDDEN")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    await refused(stage.rival.put(path, body), 404, "NOT_FOUND")
    await refused(stage.admin.put("/ticket-types/999999", body), 404, "NOT_FOUND")


async def test_update_requires_the_events_write_scope(world: World, stage: Stage, ticket_type: TicketType) -> None:
    assert stage.organizer.user is not None
    writer = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:read", "tickets:write"])
    await refused(writer.put(f"/ticket-types/{ticket_type.id}", {"price": 1}), 403, "MISSING_SCOPE")


@pytest.mark.parametrize("field", NEW)
async def test_only_the_sent_fields_change(stage: Stage, ticket_type: TicketType, field: str) -> None:
    before = await update(stage, ticket_type)
    shown = await update(stage, ticket_type, **{field: NEW[field]})
    expected = {**before, field: NEW[field]}
    if field == "capacity":
        expected["available"] = 37
    assert shown == expected
    assert shown.keys() == TICKET_TYPE_FIELDS
    assert data_of(await stage.buyer.get("/ticket-types", event_id=stage.event.id)) == [shown]


async def test_admin_updates_any_ticket_type(stage: Stage, ticket_type: TicketType) -> None:
    shown = data_of(await stage.admin.put(f"/ticket-types/{ticket_type.id}", NEW))
    assert {field: shown[field] for field in NEW} == NEW


@pytest.mark.parametrize("body", [{}, None, {"name": " ", "description": ""}])
async def test_empty_update_changes_nothing(stage: Stage, ticket_type: TicketType, body: dict[str, Any] | None) -> None:
    before = await snapshot()
    assert data_of(await stage.organizer.put(f"/ticket-types/{ticket_type.id}", body))["name"] == "Old"
    assert await snapshot() == before


async def test_null_clears_only_the_description(stage: Stage, ticket_type: TicketType) -> None:
    assert (await update(stage, ticket_type, description=None))["description"] is None
    for field in ("name", "price", "capacity"):
        request = stage.organizer.put(f"/ticket-types/{ticket_type.id}", {field: None})
        assert set(await refused(request, 400, "VALIDATION_ERROR")) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", -1), ("price", 0.001), ("price", "five"), ("capacity", -1), ("capacity", 1.5),
        ("capacity", "1.5"), ("capacity", True), ("capacity", 2**31), ("name", "x" * 201), ("places", 1),
    ],
)  # fmt: skip
async def test_invalid_field_is_refused_by_name(stage: Stage, ticket_type: TicketType, field: str, value: Any) -> None:
    request = stage.organizer.put(f"/ticket-types/{ticket_type.id}", {"description": "x", field: value})
    assert set(await refused(request, 400, "VALIDATION_ERROR")) == {field}


# Capacity -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("capacity", "available"), [(3, 0), (4, 1), (0, None), (2**31 - 1, 2**31 - 4)])
async def test_capacity_can_equal_or_exceed_the_places_held(
    stage: Stage, ticket_type: TicketType, capacity: int, available: int | None
) -> None:
    shown = await update(stage, ticket_type, capacity=capacity)
    assert (shown["capacity"], shown["sold"], shown["available"]) == (capacity, 3, available)
    assert shown["is_available"] is (available != 0)
    response = await stage.buyer.post("/tickets", {"event_id": stage.event.id})
    assert response.status_code == (400 if available == 0 else 201)


@pytest.mark.parametrize("capacity", [1, 2])
async def test_capacity_below_the_places_held_is_refused(stage: Stage, ticket_type: TicketType, capacity: int) -> None:
    body = {"capacity": capacity, "name": "x", "price": 1}
    for caller in (stage.organizer, stage.admin):
        request = caller.put(f"/ticket-types/{ticket_type.id}", body)
        assert set(await refused(request, 400, "CAPACITY_TOO_LOW")) == {"capacity"}


async def test_unlimited_type_can_be_limited_to_the_places_held(stage: Stage, ticket_type: TicketType) -> None:
    await update(stage, ticket_type, capacity=0)
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    await refused(stage.organizer.put(f"/ticket-types/{ticket_type.id}", {"capacity": 3}), 400, "CAPACITY_TOO_LOW")
    assert (await update(stage, ticket_type, capacity=4))["available"] == 0


async def test_new_price_does_not_change_existing_tickets(stage: Stage, ticket_type: TicketType) -> None:
    before = await Ticket.all().order_by("id").values()
    await update(stage, ticket_type, price=999.99)
    assert await Ticket.all().order_by("id").values() == before
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    assert (created["amount"], created["status"]) == (999.99, "Pending")


# Simultaneous requests ------------------------------------------------------------------------------------------


async def lower_capacity_during_registrations(stage: Stage, ticket_type: TicketType) -> Outcomes:
    await TicketType.filter(id=ticket_type.id).update(price=0, capacity=30)
    requests = [stage.buyer.post("/tickets", {"event_id": stage.event.id}) for _ in range(40)]
    for position, capacity in ((5, 20), (15, 12), (25, 8), (35, 25)):
        requests.insert(position, stage.organizer.put(f"/ticket-types/{ticket_type.id}", {"capacity": capacity}))
    return outcomes(await asyncio.gather(*requests))


async def test_lowering_the_capacity_during_registrations_never_oversells(
    stage: Stage, ticket_type: TicketType
) -> None:
    counts = await lower_capacity_during_registrations(stage, ticket_type)
    assert counts.keys() <= {(200, None), (201, None), (400, "CAPACITY_TOO_LOW"), (400, "SOLD_OUT")}
    await ticket_type.refresh_from_db()
    assert ticket_type.sold == 3 + counts[201, None] <= ticket_type.capacity
    assert await find_inconsistencies() == {}


async def lower_capacity_to_three(stage: Stage, ticket_type: TicketType, pause: Pause) -> tuple[int, str | None]:
    """Lower the capacity to three, and let a fourth place be taken while the request is paused."""
    await TicketType.filter(id=ticket_type.id).update(price=0)
    lowering = stage.organizer.put(f"/ticket-types/{ticket_type.id}", {"capacity": 3})
    response, registered = await pause.during(lowering, stage.buyer.post("/tickets", {"event_id": stage.event.id}))
    data_of(registered, 201)
    await ticket_type.refresh_from_db()
    assert (ticket_type.capacity, ticket_type.sold) == (10, 4)
    return response.status_code, response.json().get("code")


async def test_capacity_is_not_lowered_below_a_place_taken_by_another_request(
    stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_before(ticket_types, "_update")
    assert await lower_capacity_to_three(stage, ticket_type, pause) == (400, "CAPACITY_TOO_LOW")


async def test_checking_before_the_update_would_fail_with_an_internal_error(
    stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replace the conditional update by a check before it: the database constraint would cause an internal error."""
    pause = Pause(monkeypatch)

    async def check_and_update(ticket_type_id: int, changes: dict[str, Any]) -> None:  # Any: each column's own type
        row = await TicketType.get(id=ticket_type_id)
        await pause.stop()
        if row.sold > changes["capacity"]:
            raise errors.CapacityTooLow(1)
        await TicketType.filter(id=ticket_type_id).update(**changes)

    monkeypatch.setattr(ticket_types, "_update", check_and_update)
    assert await lower_capacity_to_three(stage, ticket_type, pause) == (500, "INTERNAL")
