"""The examples of the contract, with the values of its text."""

import datetime
from collections.abc import Callable
from decimal import Decimal

import pytest

from amarevents.models import Event, Ticket, TicketType, User
from amarevents.models.enums import KeyType, TicketStatus
from tests.contract.contract import examples
from tests.support.rest_answers import data_of, page_in
from tests.support.world import World

ERROR = {"success": False, "error": "Human-readable error message"}
LIST = {"success": True, "data": [], "pagination": {"total": 142, "page": 1, "limit": 20, "pages": 8}}
REGISTER = {"username": "john", "email": "john@email.com", "password": "secret123", "number": "01700000000"}
STATS = {
    "total": 150,
    "approved": 120,
    "pending": 20,
    "failed": 10,
    "revenue": 36000.00,
    "by_ticket_type": [],
}
VERIFICATION = {
    "ticket_id": 42,
    "name": "Karim Rahman",
    "email": "karim@email.com",
    "status": "Success",
    "event": "Tech Summit 2025",
    "event_date": "2025-06-10",
    "valid": True,
}
KEY = {
    "name": "My App",
    "key_type": "organizer",
    "permissions": ["events:read", "tickets:read", "tickets:write"],
    "expires_at": "2027-01-01",
}
CREATED_KEY = {"id": 12, "key": "ae_o_4f8a…", "key_type": "organizer", "permissions": [], "rate_limit": 120}


def test_these_are_all_the_examples_of_the_contract() -> None:
    assert examples() == [ERROR, LIST, REGISTER, STATS, VERIFICATION, KEY, CREATED_KEY]


async def test_an_error_has_the_structure_of_the_example(world: World) -> None:
    answer = (await world.anonymous.get("/auth/me")).json()
    assert answer.keys() - {"code"} == ERROR.keys()
    assert answer["success"] is False


async def test_a_list_has_the_structure_of_the_example(world: World) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    await Event.bulk_create([Event(organization_id=organization.id, name=f"Event {number}") for number in range(142)])
    answer = await world.anonymous.get("/events")
    assert answer.json().keys() == LIST.keys()
    ids, pagination = page_in(answer)
    assert (len(ids), pagination) == (20, LIST["pagination"])


async def test_the_account_of_the_example_registers_and_logs_in(world: World) -> None:
    account = data_of(await world.anonymous.post("/auth/register", REGISTER), 201)
    credentials = {name: REGISTER[name] for name in ("email", "password")}
    assert data_of(await world.anonymous.post("/auth/login", credentials)) == {**account, "token": None}
    assert account | {name: REGISTER[name] for name in ("username", "email", "number")} == account
    assert (account["type"], account["admin"]) == ("user", False)
    assert "secret123" not in str(account)


async def test_an_organizer_creates_the_api_key_of_the_example(
    world: World, configure: Callable[..., None], set_clock: Callable[[datetime.datetime], None]
) -> None:
    configure(rate_limit_organizer=120)
    set_clock(datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC))
    caller = await world.session(await world.organizer())
    created = data_of(await caller.post("/keys", KEY), 201)
    assert created.keys() >= CREATED_KEY.keys()
    assert created["key"].startswith("ae_o_")
    assert created["permissions"] == KEY["permissions"]
    assert (created["key_type"], created["rate_limit"]) == ("organizer", 120)
    assert (created["name"], created["expires_at"]) == ("My App", "2027-01-01T00:00:00Z")
    [listed] = data_of(await caller.get("/keys"))
    assert listed == {name: value for name, value in created.items() if name != "key"}


async def _issue(event: Event, ticket_type: TicketType, user: User, statuses: dict[TicketStatus, int]) -> None:
    await Ticket.bulk_create(
        Ticket(
            code=f"AE{status}{number}",
            event_id=event.id,
            user_id=user.id,
            ticket_type_id=ticket_type.id,
            name="Karim Rahman",
            email="karim@email.com",
            status=status,
            amount=Decimal(300),
        )
        for status, count in statuses.items()
        for number in range(count)
    )


async def test_statistics_equal_those_of_the_example(world: World) -> None:
    """With 120 approved tickets at 300 taka."""
    owner = await world.organizer()
    event = await world.event(owner)
    ticket_type = await world.ticket_type(event, price="300", capacity=200, sold=140)
    counts = {TicketStatus.SUCCESS: 120, TicketStatus.PENDING: 20, TicketStatus.FAILED: 10}
    await _issue(event, ticket_type, await world.user(), counts)
    stats = data_of(await (await world.key(owner, KeyType.ORGANIZER)).get(f"/events/{event.id}/stats"))
    [of_type] = stats["by_ticket_type"]
    totals = {name: value for name, value in STATS.items() if name != "by_ticket_type"} | {"refunded": 0}
    assert stats == {**totals, "by_ticket_type": [of_type]}
    assert of_type == {
        **totals,
        "ticket_type_id": ticket_type.id,
        "name": ticket_type.name,
        "price": 300,
        "capacity": 200,
    }


@pytest.mark.parametrize("reference", ["42", "AEKARIM"])
async def test_the_ticket_of_the_example_is_verified(world: World, reference: str) -> None:
    """By its ID or its code (decisions 6.10)."""
    owner = await world.organizer()
    event = await world.event(owner, name="Tech Summit 2025", date=datetime.date(2025, 6, 10))
    await world.ticket(event, await world.user(), id=42, code="AEKARIM", name="Karim Rahman", email="karim@email.com")
    answer = await (await world.key(owner, KeyType.ORGANIZER)).post(f"/tickets/{reference}/verify")
    assert data_of(answer) == {**VERIFICATION, "reason": None}
