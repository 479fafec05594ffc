"""Simultaneous operations of every kind on one event, without deadlocks and with correct counts afterwards."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.models import Ticket, TicketType
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.events import ticket_types
from amarevents.resolvers.tickets import updates
from tests.rest.conftest import Stage
from tests.support.booking import changed_booking
from tests.support.consistency import find_inconsistencies
from tests.support.rest_answers import Outcomes, outcomes
from tests.support.world import World

DOCUMENTED = {
    (200, None), (201, None), (400, "SOLD_OUT"), (400, "CAPACITY_TOO_LOW"), (400, "HAS_APPROVED_TICKETS"),
    (400, "LAST_TICKET_TYPE"), (400, "DUPLICATE_TRANSACTION"), (400, "VALIDATION_ERROR"), (404, "NOT_FOUND"),
}  # fmt: skip


@pytest.fixture(autouse=True)
async def slow_moves(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Keep rows locked long enough for other requests to wait for them."""
    monkeypatch.setattr(updates, "claim_place", _slowly(ticket_types.claim_place))
    monkeypatch.setattr(updates, "release_place", _slowly(ticket_types.release_place))
    booked = "RETURN _ticket_id;"
    async with changed_booking({booked: f"PERFORM pg_sleep(0.01); {booked}"}):
        yield


def _slowly(step: Any) -> Any:  # Any: a coroutine function, passed through
    async def slow(ticket_type_id: int) -> None:
        await step(ticket_type_id)
        await asyncio.sleep(0.01)

    return slow


class RandomRequests:
    """Random requests about one event with its ticket types and tickets."""

    def __init__(self, stage: Stage, types: list[TicketType], tickets: list[Ticket], seed: int) -> None:
        self._stage, self._kinds, self._tickets = stage, types, tickets
        self._random = random.Random(seed)

    def request(self) -> Coroutine[Any, Any, httpx.Response]:
        changes = [self._approve, self._move, self._delete, self._resize, self._rename]
        payments = [self._pay, self._correct_payment, self._donate]
        create = self._random.choice([self._register, self._register, *changes, *payments])
        request: Coroutine[Any, Any, httpx.Response] = create()
        return request

    def delete_ticket_type(self) -> Coroutine[Any, Any, httpx.Response]:
        return self._stage.organizer.delete(f"/ticket-types/{self._kind}")

    # Any below: coroutines of responses.

    def _register(self) -> Any:
        return self._stage.buyer.post("/tickets", {"event_id": self._stage.event.id, "ticket_type_id": self._kind})

    def _approve(self) -> Any:
        return self._change({"status": self._random.choice(list(TicketStatus))})

    def _move(self) -> Any:
        return self._change({"ticket_type_id": self._kind, "status": self._random.choice(list(TicketStatus))})

    def _pay(self) -> Any:
        body = {"event_id": self._stage.event.id, "ticket_type_id": self._kind, "transid": self._transaction}
        return self._stage.buyer.post("/tickets", body)

    def _correct_payment(self) -> Any:
        return self._change({"transid": self._transaction, "status": self._random.choice(list(TicketStatus))})

    def _donate(self) -> Any:
        gift = {"email": "giver@example.com", "number": "01700000000", "amount": 5, "type": "bkash"}
        to = {"organization_id": self._stage.organization.id, "transaction_id": self._transaction}
        return self._stage.buyer.post("/donations", {**gift, **to})

    def _change(self, body: dict[str, Any]) -> Any:
        return self._stage.organizer.put(f"/tickets/{self._ticket}", body)

    def _delete(self) -> Any:
        return self._stage.organizer.delete(f"/tickets/{self._ticket}")

    def _resize(self) -> Any:
        return self._stage.organizer.put(f"/ticket-types/{self._kind}", {"capacity": self._random.randint(3, 9)})

    def _rename(self) -> Any:
        return self._stage.organizer.put(f"/events/{self._stage.event.id}", {"name": f"Name {self._random.random()}"})

    @property
    def _kind(self) -> int:
        return self._random.choice(self._kinds).id

    @property
    def _transaction(self) -> str:
        return self._random.choice(["PAID1", "PAID2", "PAID3", "PAID4"])

    @property
    def _ticket(self) -> int:
        return self._random.choice(self._tickets).id


@pytest.fixture
async def types(world: World, stage: Stage) -> list[TicketType]:
    return [await world.ticket_type(stage.event, price="5", capacity=8) for _ in range(3)]


@pytest.fixture
async def tickets(world: World, stage: Stage, types: list[TicketType]) -> list[Ticket]:
    return [
        await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type, status=status)
        for ticket_type in types
        for status in TicketStatus
        for _ in range(2)
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_hundred_mixed_requests_keep_all_counts_correct(
    stage: Stage, types: list[TicketType], tickets: list[Ticket], seed: int
) -> None:
    randomly = RandomRequests(stage, types, tickets, seed)
    counts = outcomes(await asyncio.gather(*(randomly.request() for _ in range(100))))
    assert counts.keys() <= DOCUMENTED
    assert counts[200, None] > 20
    assert counts[201, None] > 0
    assert await find_inconsistencies() == {}
    assert all(ticket_type.sold <= ticket_type.capacity for ticket_type in await TicketType.all())


@pytest.mark.parametrize("position", [5, 30, 60])
async def test_mixed_requests_with_deleted_types_keep_all_counts_correct(
    stage: Stage, types: list[TicketType], tickets: list[Ticket], position: int
) -> None:
    await Ticket.filter(status=TicketStatus.SUCCESS).update(status=TicketStatus.PENDING)
    randomly = RandomRequests(stage, types, tickets, position)
    requests = [randomly.request() for _ in range(70)]
    requests[position:position] = [randomly.delete_ticket_type() for _ in range(3)]
    assert outcomes(await asyncio.gather(*requests)).keys() <= DOCUMENTED
    assert await find_inconsistencies() == {}


async def test_mixed_requests_during_the_deletion_of_the_event_leave_no_rows(
    stage: Stage, types: list[TicketType], tickets: list[Ticket]
) -> None:
    randomly = RandomRequests(stage, types, tickets, 4)
    requests = [randomly.request() for _ in range(70)]
    requests.insert(35, stage.organizer.delete(f"/events/{stage.event.id}"))
    assert outcomes(await asyncio.gather(*requests)).keys() <= DOCUMENTED
    assert [await model.all().count() for model in (TicketType, Ticket)] == [0, 0]
    assert await find_inconsistencies() == {}


# Lock order -----------------------------------------------------------------------------------------------------


async def swap_types(world: World, stage: Stage) -> Outcomes:
    """Move twelve tickets between two types, and delete every fifth one simultaneously."""
    types = [await world.ticket_type(stage.event) for _ in range(2)]
    requests = []
    for number in range(12):
        ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=types[number % 2])
        requests.append(stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": types[number % 2 - 1].id}))
        if number % 5 == 0:
            requests.append(stage.organizer.delete(f"/tickets/{ticket.id}"))
    return outcomes(await asyncio.gather(*requests))


async def test_moves_and_deletions_do_not_deadlock(world: World, stage: Stage) -> None:
    counts = await swap_types(world, stage)
    assert counts.keys() <= {(200, None), (404, "NOT_FOUND")}
    assert await Ticket.all().count() == 9
    assert await find_inconsistencies() == {}


@pytest.mark.backend("postgres")
async def test_without_a_fixed_order_of_locks_they_would_deadlock(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsorted(steps: list[Any], key: object) -> list[Any]:  # Any: the items of sorted
        return steps

    monkeypatch.setattr(updates, "sorted", unsorted, raising=False)
    assert (await swap_types(world, stage))[500, "UNAVAILABLE"] > 0
    assert await find_inconsistencies() == {}
