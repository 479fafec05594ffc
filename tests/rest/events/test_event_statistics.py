"""The statistics of an event, compared with sums calculated by hand (decisions 4.8)."""

from decimal import Decimal
from typing import Any

import pytest
from tortoise import connections

from amarevents.models import Event, Ticket, TicketType
from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import KeyType, Privacy, TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import Caller, World

COUNTS = {"total", "approved", "pending", "failed", "refunded", "revenue"}
NO_TICKETS = dict.fromkeys(COUNTS, 0)

SOLD = {
    "VIP": "Success 499.50, Success 0.10, Success 0.20, Pending 499.50, Failed 499.50, Refunded 499.50",
    "Entry": "Success 0, Pending 100.25",
    None: "Success 15.05, Failed 3, Refunded 7",
}


async def stats(stage: Stage, event: Event | None = None, caller: Caller | None = None) -> Any:  # Any: JSON
    return data_of(await (caller or stage.organizer).get(f"/events/{(event or stage.event).id}/stats"))


async def sell(world: World, stage: Stage, ticket_type: TicketType | None, tickets: str) -> None:
    for ticket in tickets.split(", "):
        status, amount = ticket.split()
        values = {"status": TicketStatus(status), "amount": Decimal(amount)}
        await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, **values)


# Permissions ----------------------------------------------------------------------------------------------------


async def test_only_the_owner_and_admins_see_the_statistics(world: World, stage: Stage) -> None:
    path = f"/events/{stage.event.id}/stats"
    await refused(world.anonymous.get(path), 401, "UNAUTHENTICATED")
    await refused(stage.buyer.get(path), 403, "WRONG_KEY_TYPE")
    await refused(stage.rival.get(path), 403, "FORBIDDEN")
    await Event.filter(id=stage.event.id).update(privacy=Privacy.PRIVATE)
    await refused(stage.rival.get(path), 404, "NOT_FOUND")
    await refused(stage.admin.get("/events/999999/stats"), 404, "NOT_FOUND")


async def test_statistics_require_the_tickets_read_scope(world: World, stage: Stage) -> None:
    assert stage.organizer.user is not None
    reader = await world.key(stage.organizer.user, KeyType.ORGANIZER, permissions=["events:read", "events:write"])
    await refused(reader.get(f"/events/{stage.event.id}/stats"), 403, "MISSING_SCOPE")


# Counts ---------------------------------------------------------------------------------------------------------


async def test_event_without_tickets_has_zeros(stage: Stage) -> None:
    assert await stats(stage) == {**NO_TICKETS, "by_ticket_type": []}


@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_statistics_match_sums_calculated_by_hand(world: World, stage: Stage, caller_name: str) -> None:
    vip = await world.ticket_type(stage.event, name="VIP", price="499.50", capacity=10)
    entry = await world.ticket_type(stage.event, name="Entry")
    unsold = await world.ticket_type(stage.event, name="Unsold", price="20")
    for ticket_type, tickets in ((vip, SOLD["VIP"]), (entry, SOLD["Entry"]), (None, SOLD[None])):
        await sell(world, stage, ticket_type, tickets)
    assert await stats(stage, caller=getattr(stage, caller_name)) == {
        "total": 11, "approved": 5, "pending": 2, "failed": 2, "refunded": 2, "revenue": 514.85,
        "by_ticket_type": [
            {**NO_TICKETS, "ticket_type_id": unsold.id, "name": "Unsold", "price": 20, "capacity": 0},
            {"ticket_type_id": entry.id, "name": "Entry", "price": 0, "capacity": 0,
             "total": 2, "approved": 1, "pending": 1, "failed": 0, "refunded": 0, "revenue": 0},
            {"ticket_type_id": vip.id, "name": "VIP", "price": 499.5, "capacity": 10,
             "total": 6, "approved": 3, "pending": 1, "failed": 1, "refunded": 1, "revenue": 499.8},
            {"ticket_type_id": None, "name": None, "price": None, "capacity": None,
             "total": 3, "approved": 1, "pending": 0, "failed": 1, "refunded": 1, "revenue": 15.05},
        ],
    }  # fmt: skip


async def test_tickets_of_other_events_do_not_count(world: World, stage: Stage) -> None:
    other = await world.event(stage.organization)
    await world.ticket(other, stage.buyer_account, ticket_type=await world.ticket_type(other, price="5"))
    await world.ticket(other, stage.buyer_account, amount=Decimal(5))
    assert await stats(stage) == {**NO_TICKETS, "by_ticket_type": []}
    assert (await stats(stage, other))["total"] == 2


async def test_entry_without_a_type_exists_only_for_tickets_without_one(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event)
    ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=TicketStatus.PENDING)
    assert [one["ticket_type_id"] for one in (await stats(stage))["by_ticket_type"]] == [ticket_type.id]
    data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": None}))
    _, entry = (await stats(stage))["by_ticket_type"]
    assert (entry["ticket_type_id"], entry["pending"]) == (None, 1)
    data_of(await stage.organizer.delete(f"/tickets/{ticket.id}"))
    assert [one["ticket_type_id"] for one in (await stats(stage))["by_ticket_type"]] == [ticket_type.id]


async def test_what_people_say_to_have_paid_is_no_revenue(world: World, stage: Stage) -> None:
    """Only what the organizer has approved is revenue (decisions 4.8)."""
    await world.ticket_type(stage.event, price="250")
    for amount in (0, 250, 999_999):
        data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, "amount": amount}), 201)
    shown = await stats(stage)
    assert (shown["pending"], shown["revenue"], shown["by_ticket_type"][0]["revenue"]) == (3, 0, 0)
    for path in ("/admin/stats", "/users/me"):
        caller = stage.admin if path == "/admin/stats" else stage.buyer
        shown = data_of(await caller.get(path))
        assert shown.get("total_revenue", shown.get("stats", {}).get("total_spent")) == 0


async def test_statistics_follow_each_change_of_status(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, price="250")
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    seen = []
    for status in ("Success", "Refunded", "Failed", "Pending"):
        data_of(await stage.organizer.put(f"/tickets/{created['id']}", {"status": status}))
        shown = await stats(stage)
        [entry] = shown["by_ticket_type"]
        assert (entry["ticket_type_id"], entry["revenue"], entry["total"]) == (ticket_type.id, shown["revenue"], 1)
        seen.append([shown[name] for name in ("approved", "refunded", "failed", "pending", "revenue")])
    assert seen == [[1, 0, 0, 0, 250], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]


# Revenue --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "revenue"),
    [
        (["0.10", "0.20"], "0.3"),
        (["0.01"] * 1000, "10"),
        (["19.99"] * 333, "6656.67"),
        (["1.10", "2.20", "3.30"], "6.6"),
        (["999999999999.99"] * 50, "49999999999999.5"),
        (["0.29", "0.57", "0.58", "1.13", "1.15", "4.35", "8.03", "16.08"], "32.18"),
    ],
)
async def test_revenue_is_exact(stage: Stage, amounts: list[str], revenue: str) -> None:
    await Ticket.bulk_create(
        Ticket(
            code=f"AEMONEY{number}", event=stage.event, user=stage.buyer_account, name="x", email="x@example.com",
            status=TicketStatus.SUCCESS, amount=Decimal(amount),
        )
        for number, amount in enumerate(amounts)
    )  # fmt: skip
    response = await stage.organizer.get(f"/events/{stage.event.id}/stats")
    assert data_of(response)["revenue"] == float(revenue)
    assert response.text.count(f'"revenue":{revenue},') == 2  # for the event and for its tickets without a type


MANY = 100_000
MONEY = {"sqlite": "TEXT", "postgres": "NUMERIC"}


async def test_revenue_of_a_hundred_thousand_tickets_is_exact(stage: Stage, backend: str) -> None:
    await connections.get(CONNECTION).execute_query(
        f"""
        INSERT INTO tickets (code, event_id, user_id, name, email, email_key, amount, status, created_at,
            updated_at)
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY})
        SELECT 'AE' || n, {stage.event.id}, {stage.buyer_account.id}, 'x', 'x@example.com', 'x@example.com',
            CAST('999999999999.99' AS {MONEY[backend]}), 'Success', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP FROM numbers
        """
    )
    response = await stage.organizer.get(f"/events/{stage.event.id}/stats")
    assert '"revenue":99999999999999000,' in response.text
