"""Listing and creating ticket types over REST (decisions 6.3)."""

from typing import Any

import pytest

from amarevents.models.enums import TicketStatus
from amarevents.resolvers.events import ticket_types
from tests.rest.conftest import Stage
from tests.support.rest_answers import INSTANT, TICKET_TYPE_FIELDS, data_of, error_in, page_in, refused
from tests.support.world import World


async def test_all_ticket_types_are_listed_newest_first(world: World, stage: Stage) -> None:
    created = [(await world.ticket_type(stage.event)).id for _ in range(25)]
    await world.ticket_type(await world.event(stage.organization))
    response = await world.anonymous.get("/ticket-types", event_id=stage.event.id)
    assert page_in(response) == (created[::-1], {"total": 25, "page": 1, "limit": 100, "pages": 1})


async def test_list_without_ticket_types_is_empty(world: World, stage: Stage) -> None:
    assert data_of(await world.anonymous.get("/ticket-types", event_id=stage.event.id)) == []


@pytest.mark.parametrize(("capacity", "available", "is_available"), [(0, None, True), (3, 1, True), (2, 0, False)])
async def test_available_places_exclude_the_places_held(
    world: World, stage: Stage, capacity: int, available: int | None, is_available: bool
) -> None:
    ticket_type = await world.ticket_type(
        stage.event, price="499.50", capacity=capacity, name="VIP", description="Front"
    )
    for status in TicketStatus:
        await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status)
    [shown] = data_of(await world.anonymous.get("/ticket-types", event_id=stage.event.id))
    assert shown.keys() == TICKET_TYPE_FIELDS
    assert INSTANT.fullmatch(shown.pop("created_at"))
    assert shown == {
        "id": ticket_type.id, "event_id": stage.event.id, "name": "VIP", "price": 499.5, "capacity": capacity,
        "description": "Front", "sold": 2, "available": available, "is_available": is_available,
    }  # fmt: skip


@pytest.mark.parametrize("query", [{}, {"event_id": ""}, {"event_id": "x"}, {"event_id": "0"}, {"event_id": "1.5"}])
async def test_event_id_is_required(stage: Stage, query: dict[str, str]) -> None:
    assert set(error_in(await stage.buyer.get("/ticket-types", **query), 400, "VALIDATION_ERROR")) == {"event_id"}


async def test_unknown_event_is_not_found(stage: Stage) -> None:
    error_in(await stage.buyer.get("/ticket-types", event_id=999_999), 404, "NOT_FOUND")
    body = {"event_id": 999_999, "name": "VIP"}
    for caller in (stage.organizer, stage.admin):
        await refused(caller.post("/ticket-types", body), 404, "NOT_FOUND")


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_owner_and_admins_create_ticket_types(stage: Stage, caller_name: str) -> None:
    body = {"event_id": stage.event.id, "name": " VIP ", "price": 1200.25, "capacity": 40, "description": "Front"}
    created = data_of(await getattr(stage, caller_name).post("/ticket-types", body), 201)
    assert INSTANT.fullmatch(created.pop("created_at"))
    assert created.pop("id") > 0
    assert created == {**body, "name": "VIP", "sold": 0, "available": 40, "is_available": True}


async def test_ticket_type_is_free_and_unlimited_by_default(stage: Stage) -> None:
    created = data_of(await stage.organizer.post("/ticket-types", {"event_id": stage.event.id, "name": "Entry"}), 201)
    assert (created["price"], created["capacity"], created["description"], created["available"]) == (0, 0, None, None)


@pytest.mark.parametrize(
    ("price", "shown"),
    [(0, "0"), (5, "5"), (0.1, "0.1"), (19.99, "19.99"), (5.50, "5.5"), (999_999_999_999.99, "999999999999.99")],
)
async def test_price_is_a_number_with_at_most_two_decimals(stage: Stage, price: Any, shown: str) -> None:
    body = {"event_id": stage.event.id, "name": "Entry", "price": price}
    response = await stage.organizer.post("/ticket-types", body)
    assert data_of(response, 201)["price"] == price
    assert f'"price":{shown},' in response.text


async def test_other_callers_cannot_create_ticket_types(stage: Stage) -> None:
    body = {"event_id": stage.event.id, "name": "VIP"}
    await refused(stage.rival.post("/ticket-types", body), 403, "FORBIDDEN")
    await refused(stage.buyer.post("/ticket-types", body), 403, "WRONG_KEY_TYPE")


async def test_number_of_ticket_types_of_an_event_is_limited(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_types, "MAX_TICKET_TYPES", 2)
    for name in ("Floor", "Balcony"):
        data_of(await stage.organizer.post("/ticket-types", {"event_id": stage.event.id, "name": name}), 201)
    request = stage.organizer.post("/ticket-types", {"event_id": stage.event.id, "name": "Box"})
    await refused(request, 400, "TOO_MANY_TICKET_TYPES")
