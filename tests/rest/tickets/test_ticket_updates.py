"""Updates of tickets: status, ticket type and details, with correct counts of places (decisions 6.2)."""

import datetime
import itertools
from typing import Any

import pytest

from amarevents.models import Ticket
from amarevents.models.enums import TicketStatus
from tests.rest.conftest import Stage
from tests.support.places import HOLDING, places_held
from tests.support.rest_answers import TICKET_DETAIL_FIELDS, data_of, refused
from tests.support.world import World

EVERY_PAIR = list(itertools.product(TicketStatus, TicketStatus))


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR)
async def test_every_change_of_status_keeps_the_count_of_places_correct(
    world: World, stage: Stage, before: TicketStatus, after: TicketStatus
) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=2)
    await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=before)
    shown = data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"status": after}))
    assert shown.keys() == TICKET_DETAIL_FIELDS
    assert shown["status"] == after
    assert await places_held() == {ticket_type.id: 2 if after in HOLDING else 1}


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR)
async def test_sold_out_type_refuses_to_restore_a_ticket(
    world: World, stage: Stage, before: TicketStatus, after: TicketStatus
) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=before)
    if before not in HOLDING:
        await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    request = stage.organizer.put(f"/tickets/{ticket.id}", {"status": after, "note": "changed"})
    if after in HOLDING and before not in HOLDING:
        await refused(request, 400, "SOLD_OUT")
    else:
        data_of(await request)
    assert max((await places_held()).values()) <= 1


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR)
async def test_move_to_another_type_moves_the_place(
    world: World, stage: Stage, before: TicketStatus, after: TicketStatus
) -> None:
    left, entered = [await world.ticket_type(stage.event, capacity=1) for _ in range(2)]
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=left, status=before)
    body = {"status": after, "ticket_type_id": entered.id}
    assert data_of(await stage.organizer.put(f"/tickets/{ticket.id}", body))["ticket_type_id"] == entered.id
    assert await places_held() == {left.id: 0, entered.id: 1 if after in HOLDING else 0}


@pytest.mark.parametrize("upwards", [True, False])
async def test_sold_out_type_refuses_a_move_to_it(world: World, stage: Stage, upwards: bool) -> None:
    ticket_types = [await world.ticket_type(stage.event, capacity=1) for _ in range(2)]
    left, full = ticket_types if upwards else ticket_types[::-1]
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=left)
    await world.ticket(stage.event, stage.buyer_account, ticket_type=full)
    await refused(stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": full.id}), 400, "SOLD_OUT")
    assert await places_held() == {left.id: 1, full.id: 1}


async def test_removing_the_type_releases_the_place(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    shown = data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": None}))
    assert (shown["ticket_type_id"], shown["ticket_type_name"]) == (None, None)
    assert await places_held() == {ticket_type.id: 0}


@pytest.mark.parametrize("status", ["Failed", "Refunded"])
async def test_released_place_is_available_at_once(world: World, stage: Stage, status: str) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    await refused(stage.rival.post("/tickets", {"event_id": stage.event.id}), 400, "SOLD_OUT")
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"status": status}))
    data_of(await stage.rival.post("/tickets", {"event_id": stage.event.id}), 201)
    await refused(stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"}), 400, "SOLD_OUT")


async def test_ticket_type_of_another_event_is_refused(world: World, stage: Stage) -> None:
    other = await world.ticket_type(await world.event(stage.organization))
    ticket = await world.ticket(stage.event, stage.buyer_account)
    request = stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": other.id})
    assert set(await refused(request, 400, "VALIDATION_ERROR")) == {"ticket_type_id"}


# Details --------------------------------------------------------------------------------------------------------

DETAILS = {
    "name": "Karim Rahman", "email": "karim@example.com", "number": "01711111111", "note": "Row 3", "amount": 12.5,
    "payment_method": "nagad", "transaction_id": "8N7A6B", "status": "Refunded",
}  # fmt: skip


@pytest.fixture
async def detailed(world: World, stage: Stage) -> Ticket:
    values: dict[str, Any] = {  # Any: each column's own type
        "name": "Old", "email": "old@example.com", "number": "01722222222", "note": "Old", "transaction_id": "OLD",
        "payment_method": "bkash",
    }  # fmt: skip
    return await world.ticket(stage.event, stage.buyer_account, **values)


@pytest.mark.parametrize("field", DETAILS)
async def test_only_the_sent_fields_change(stage: Stage, detailed: Ticket, field: str) -> None:
    before = data_of(await stage.organizer.get(f"/tickets/{detailed.id}"))
    shown = data_of(await stage.organizer.put(f"/tickets/{detailed.id}", {field: DETAILS[field]}))
    alias = {"transid": DETAILS[field]} if field == "transaction_id" else {}
    assert shown == {**before, field: DETAILS[field], **alias, "updated_at": shown["updated_at"]}
    assert data_of(await stage.organizer.get(f"/tickets/{detailed.id}")) == shown


@pytest.mark.parametrize("field", ["number", "note", "transaction_id", "payment_method"])
async def test_null_clears_an_optional_field_and_a_blank_value_does_not(
    stage: Stage, detailed: Ticket, field: str
) -> None:
    kept = data_of(await stage.organizer.put(f"/tickets/{detailed.id}", {field: " "}))
    assert kept[field] is not None
    assert data_of(await stage.organizer.put(f"/tickets/{detailed.id}", {field: None}))[field] is None


@pytest.mark.parametrize("body", [{}, None])
async def test_empty_update_changes_no_field(stage: Stage, detailed: Ticket, body: dict[str, Any] | None) -> None:
    before = data_of(await stage.organizer.get(f"/tickets/{detailed.id}"))
    shown = data_of(await stage.organizer.put(f"/tickets/{detailed.id}", body))
    assert {**shown, "updated_at": ""} == {**before, "updated_at": ""}


async def test_update_changes_updated_at(stage: Stage, detailed: Ticket) -> None:
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    await Ticket.filter(id=detailed.id).update(created_at=long_ago, updated_at=long_ago)
    shown = data_of(await stage.organizer.put(f"/tickets/{detailed.id}", {"note": "x"}))
    assert shown["created_at"] == "2020-01-01T00:00:00Z"
    assert shown["updated_at"] > "2020-01-02"


async def test_only_the_owner_and_admins_update_tickets(world: World, stage: Stage, detailed: Ticket) -> None:
    assert stage.rival.user is not None
    own = await world.ticket(stage.event, stage.rival.user)
    body = {"status": "Failed"}
    await refused(stage.rival.put(f"/tickets/{detailed.id}", body), 404, "NOT_FOUND")
    await refused(stage.rival.put(f"/tickets/{own.id}", body), 403, "FORBIDDEN")
    await refused(stage.buyer.put(f"/tickets/{detailed.id}", body), 403, "WRONG_KEY_TYPE")
    assert data_of(await stage.admin.put(f"/tickets/{detailed.id}", body))["status"] == "Failed"
