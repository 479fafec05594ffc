"""Registrations for events: attendee, price and ticket type (decisions 6.1, 6.4, 6.7)."""

from typing import Any

import pytest

from amarevents.models import Ticket, TicketType
from amarevents.models.enums import KeyType
from tests.rest.conftest import Stage
from tests.support.rest_answers import INSTANT, TICKET_DETAIL_FIELDS, data_of, page_in, refused
from tests.support.world import Caller, World, in_days


def caller_named(stage: Stage, caller_name: str) -> Caller:
    caller: Caller = getattr(stage, caller_name)
    return caller


async def test_free_ticket_is_approved_at_once(world: World, stage: Stage) -> None:
    event = await world.event(stage.organization, name="Boi Mela", date=in_days(4))
    ticket_type = await world.ticket_type(event, name="Entry", capacity=2)
    created = data_of(await stage.buyer.post("/tickets", {"event_id": event.id}), 201)
    assert created.keys() == TICKET_DETAIL_FIELDS
    assert INSTANT.fullmatch(created.pop("created_at"))
    assert INSTANT.fullmatch(created.pop("updated_at"))
    assert len(created.pop("code")) > 20
    assert created.pop("id") > 0
    assert created == {
        "event_id": event.id, "event_name": "Boi Mela", "event_date": in_days(4).isoformat(),
        "user_id": stage.buyer_account.id, "ticket_type_id": ticket_type.id, "ticket_type_name": "Entry",
        "name": "buyer", "email": "buyer@example.com", "number": stage.buyer_account.number, "amount": 0,
        "due": 0, "status": "Success", "transaction_id": None, "transid": None, "payment_method": None, "note": None,
        "expires_at": None, "custom_fields": [],
    }  # fmt: skip
    assert (await TicketType.get(id=ticket_type.id)).sold == 1


async def test_paid_ticket_is_pending_until_its_approval(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, price="499.50")
    body = {
        "event_id": stage.event.id, "ticket_type_id": ticket_type.id, "transaction_id": " 8n7a6 ",
        "payment_method": "bkash", "note": "Two\nlines", "number": "+880 1700-000000",
    }  # fmt: skip
    created = data_of(await stage.buyer.post("/tickets", body), 201)
    assert (created["status"], created["amount"], created["transaction_id"]) == ("Pending", 499.5, "8n7a6")
    assert (created["payment_method"], created["note"], created["number"]) == (
        "bkash",
        "Two\nlines",
        "+880 1700-000000",
    )
    assert (await TicketType.get(id=ticket_type.id)).sold == 1


async def test_registration_returns_the_ticket_as_reading_does(world: World, stage: Stage) -> None:
    await world.ticket_type(stage.event, price="10")
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, "amount": 12.25}), 201)
    assert data_of(await stage.buyer.get(f"/tickets/{created['id']}")) == created


async def test_attendee_can_be_another_person(stage: Stage) -> None:
    guest = {"name": "  Karim Rahman ", "email": "Karim@Example.COM", "number": "01711111111"}
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, **guest}), 201)
    assert (created["name"], created["email"], created["number"]) == (
        "Karim Rahman",
        "karim@example.com",
        "01711111111",
    )
    assert created["user_id"] == stage.buyer_account.id


@pytest.mark.parametrize("blank", [None, "", " \t "])
async def test_blank_details_default_to_those_of_the_account(stage: Stage, blank: str | None) -> None:
    names = ("name", "email", "number", "note", "transaction_id", "transid", "payment_method")
    created = data_of(
        await stage.buyer.post("/tickets", {"event_id": stage.event.id, **dict.fromkeys(names, blank)}), 201
    )
    assert (created["name"], created["email"]) == ("buyer", "buyer@example.com")
    assert (created["note"], created["transaction_id"], created["payment_method"]) == (None, None, None)


async def test_one_account_can_hold_several_tickets(stage: Stage) -> None:
    created = [data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201) for _ in range(3)]
    assert len({ticket["code"] for ticket in created}) == 3
    assert page_in(await stage.buyer.get("/tickets"))[0] == [ticket["id"] for ticket in created[::-1]]


@pytest.mark.parametrize("event_id", [999_999, 2**31 - 1])
async def test_unknown_event_is_not_found(stage: Stage, event_id: int) -> None:
    for caller in (stage.buyer, stage.admin):
        await refused(caller.post("/tickets", {"event_id": event_id}), 404, "NOT_FOUND")


async def test_registration_requires_authentication(world: World, stage: Stage) -> None:
    await refused(world.anonymous.post("/tickets", {"event_id": stage.event.id}), 401, "UNAUTHENTICATED")


# Price ----------------------------------------------------------------------------------------------------------

PRICE = "500"
AMOUNTS = [
    ("buyer", {}, 500, "Pending"),
    ("buyer", {"amount": None}, 500, "Pending"),
    ("buyer", {"amount": 500}, 500, "Pending"),
    ("buyer", {"amount": 500.5}, 500.5, "Pending"),
    ("rival", {"amount": 600}, 600, "Pending"),
    ("organizer", {}, 500, "Pending"),
    ("organizer", {"amount": 0}, 0, "Success"),
    ("organizer", {"amount": 120.25}, 120.25, "Pending"),
    ("admin", {"amount": 0}, 0, "Success"),
    ("admin", {"amount": 700}, 700, "Pending"),
]


@pytest.mark.parametrize(("caller_name", "body", "amount", "status"), AMOUNTS)
async def test_amount_and_status_depend_on_the_price_and_the_caller(
    world: World, stage: Stage, caller_name: str, body: dict[str, Any], amount: float, status: str
) -> None:
    await world.ticket_type(stage.event, price=PRICE)
    created = data_of(
        await caller_named(stage, caller_name).post("/tickets", {"event_id": stage.event.id, **body}), 201
    )
    assert (created["amount"], created["status"]) == (amount, status)


@pytest.mark.parametrize("caller_name", ["buyer", "rival"])
@pytest.mark.parametrize("amount", [0, 1, 499.99, 600])
async def test_amount_of_a_buyer_changes_neither_the_price_nor_the_status(
    world: World, stage: Stage, caller_name: str, amount: float
) -> None:
    await world.ticket_type(stage.event, price=PRICE, capacity=1)
    body = {"event_id": stage.event.id, "amount": amount}
    created = data_of(await caller_named(stage, caller_name).post("/tickets", body), 201)
    assert (created["amount"], created["due"], created["status"]) == (amount, 500, "Pending")


async def test_user_keys_of_owner_and_admins_owe_the_full_price(world: World, stage: Stage) -> None:
    await world.ticket_type(stage.event, price=PRICE)
    body = {"event_id": stage.event.id, "amount": 0}
    for account in (stage.organizer.user, stage.admin.user):
        assert account is not None
        created = data_of(await (await world.key(account, KeyType.USER)).post("/tickets", body), 201)
        assert (created["amount"], created["due"], created["status"]) == (0, 500, "Pending")


async def test_claim_to_have_paid_for_a_free_ticket_awaits_its_approval(stage: Stage) -> None:
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, "amount": 1_000_000}), 201)
    assert (created["amount"], created["due"], created["status"]) == (1_000_000, 0, "Pending")


# Ticket type ----------------------------------------------------------------------------------------------------


async def test_event_without_ticket_types_gives_tickets_without_one(stage: Stage) -> None:
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)
    assert (created["ticket_type_id"], created["ticket_type_name"], created["amount"]) == (None, None, 0)


async def test_ticket_type_of_another_event_is_refused(world: World, stage: Stage) -> None:
    other = await world.ticket_type(await world.event(stage.organization))
    await world.ticket_type(stage.event)
    for invalid in (other.id, 999_999):
        body = {"event_id": stage.event.id, "ticket_type_id": invalid}
        assert set(await refused(stage.buyer.post("/tickets", body), 400, "VALIDATION_ERROR")) == {"ticket_type_id"}


@pytest.mark.parametrize("caller_name", ["buyer", "organizer", "admin"])
async def test_sold_out_type_refuses_every_caller(world: World, stage: Stage, caller_name: str) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=1)
    await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type)
    await refused(caller_named(stage, caller_name).post("/tickets", {"event_id": stage.event.id}), 400, "SOLD_OUT")
    assert await Ticket.all().count() == 1
