"""Transaction IDs of tickets, normalized and unique among tickets that have not failed (decisions 6.6)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tortoise import connections

from amarevents.models import Ticket
from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import World, empty_tables

UNIQUE_INDEX = "uq_tickets_transaction_id"


@pytest.mark.parametrize(
    "names",
    [
        {"transaction_id": "8n7a6b"}, {"transid": " 8N7a6B "}, {"transaction_id": "8N7A6B", "transid": "8n7a6b"},
        {"transaction_id": "8n7a6b", "transid": ""}, {"transaction_id": None, "transid": "8n7a6b"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_both_parameter_names_are_accepted_and_the_id_is_normalized(
    world: World, stage: Stage, method: str, names: dict[str, Any]
) -> None:
    if method == "POST":
        shown = data_of(await stage.organizer.post("/tickets", {"event_id": stage.event.id, **names}), 201)
    else:
        ticket = await world.ticket(stage.event, stage.buyer_account)
        shown = data_of(await stage.organizer.put(f"/tickets/{ticket.id}", names))
    assert shown["transaction_id"] == "8N7A6B"
    assert "transid" not in shown


async def test_different_ids_under_the_two_names_are_refused(world: World, stage: Stage) -> None:
    names = {"transaction_id": "8N7A6B", "transid": "8N7A6C"}
    ticket = await world.ticket(stage.event, stage.buyer_account)
    created = stage.organizer.post("/tickets", {"event_id": stage.event.id, **names})
    assert set(await refused(created, 400, "VALIDATION_ERROR")) == {"transid"}
    assert set(await refused(stage.organizer.put(f"/tickets/{ticket.id}", names), 400, "VALIDATION_ERROR")) == {
        "transid"
    }


@pytest.mark.parametrize("status", [TicketStatus.PENDING, TicketStatus.SUCCESS, TicketStatus.REFUNDED])
@pytest.mark.parametrize("again", ["8N7A6B", "8n7a6b", " 8n7A6b "])
async def test_transaction_id_in_use_is_refused(world: World, stage: Stage, status: TicketStatus, again: str) -> None:
    elsewhere = await world.event(await world.organizer())
    await world.ticket(elsewhere, stage.buyer_account, transaction_id="8N7A6B", status=status)
    await world.ticket_type(stage.event, capacity=1)
    body = {"event_id": stage.event.id, "transid": again}
    assert set(await refused(stage.buyer.post("/tickets", body), 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}


async def test_transaction_id_of_a_failed_ticket_can_be_reused(world: World, stage: Stage) -> None:
    first = await world.ticket(stage.event, stage.buyer_account, transaction_id="8N7A6B")
    data_of(await stage.organizer.put(f"/tickets/{first.id}", {"status": "Failed"}))
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, "transid": "8N7A6B"}), 201)
    again = stage.organizer.put(f"/tickets/{first.id}", {"status": "Pending"})
    await refused(again, 400, "DUPLICATE_TRANSACTION")


async def test_update_to_a_transaction_id_in_use_is_refused(world: World, stage: Stage) -> None:
    await world.ticket(stage.event, stage.buyer_account, transaction_id="8N7A6B")
    ticket = await world.ticket(stage.event, stage.buyer_account, transaction_id="OTHER1")
    await refused(stage.organizer.put(f"/tickets/{ticket.id}", {"transid": "8n7a6b"}), 400, "DUPLICATE_TRANSACTION")
    assert data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"transid": "other1"}))["id"] == ticket.id


@pytest.mark.parametrize("name", ["transaction_id", "transid"])
async def test_null_clears_the_transaction_id(world: World, stage: Stage, name: str) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account, transaction_id="8N7A6B")
    assert data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {name: None}))["transaction_id"] is None
    data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, "transid": "8N7A6B"}), 201)


async def test_several_tickets_can_have_no_transaction_id(stage: Stage) -> None:
    for _ in range(3):
        data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)


# Simultaneous requests ------------------------------------------------------------------------------------------


async def pay_twenty_times(stage: Stage) -> Counter[tuple[int, str | None]]:
    body = {"event_id": stage.event.id, "transaction_id": "8N7A6B"}
    responses = await asyncio.gather(*(stage.buyer.post("/tickets", body) for _ in range(20)))
    return Counter((response.status_code, response.json().get("code")) for response in responses)


@pytest.fixture
async def without_unique_index(stage: Stage) -> AsyncIterator[None]:
    connection = connections.get(CONNECTION)
    await connection.execute_query(f"DROP INDEX {UNIQUE_INDEX}")
    yield
    await empty_tables()
    await connection.execute_query(
        f"CREATE UNIQUE INDEX {UNIQUE_INDEX} ON tickets (transaction_id) "
        "WHERE status <> 'Failed' AND transaction_id IS NOT NULL"
    )


async def test_one_of_twenty_simultaneous_payments_with_one_id_succeeds(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=30)
    assert await pay_twenty_times(stage) == {(201, None): 1, (400, "DUPLICATE_TRANSACTION"): 19}
    await ticket_type.refresh_from_db()
    assert (await Ticket.all().count(), ticket_type.sold) == (1, 1)


@pytest.mark.usefixtures("without_unique_index")
async def test_without_the_unique_index_all_twenty_would_succeed(stage: Stage) -> None:
    assert await pay_twenty_times(stage) == {(201, None): 20}


@pytest.mark.parametrize("variant", ["bk1", " BK1 ", "ＢＫ１"])
async def test_other_spelling_of_a_transaction_id_is_a_duplicate(world: World, variant: str) -> None:
    event = await world.event(await world.organizer())
    buyer = await world.user_key()
    assert (await buyer.post("/tickets", {"event_id": event.id, "transaction_id": "BK1"})).status_code == 201
    response = await buyer.post("/tickets", {"event_id": event.id, "transaction_id": variant})
    assert response.json()["code"] == "DUPLICATE_TRANSACTION"
    assert await Ticket.all().count() == 1


@pytest.mark.parametrize("look_alike", ["BK1\u200b", "BK 1", "\u0412K1"])
async def test_transaction_id_with_look_alike_characters_is_refused(world: World, look_alike: str) -> None:
    event = await world.event(await world.organizer())
    response = await (await world.user_key()).post("/tickets", {"event_id": event.id, "transaction_id": look_alike})
    assert (response.status_code, set(response.json()["fields"])) == (400, {"transaction_id"})
    assert not await Ticket.exists()
