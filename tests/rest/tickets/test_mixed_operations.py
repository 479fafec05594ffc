"""Everything at the same event at once: nobody waits in a circle, and the books are balanced afterwards."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from amarevents.models import Ticket, TicketType
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.events import ticket_types
from amarevents.resolvers.tickets import registration, updates
from tests.rest.conftest import Stage
from tests.rest.tickets.test_capacity import Outcomes, outcomes
from tests.support.orphans import unbalanced
from tests.support.world import World

DOCUMENTED = {
    (200, None), (201, None), (400, "SOLD_OUT"), (400, "CAPACITY_TOO_LOW"), (400, "HAS_APPROVED_TICKETS"),
    (400, "VALIDATION_ERROR"), (404, "NOT_FOUND"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def slow_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows stay locked for long enough that others meet at them."""
    monkeypatch.setattr(registration, "claim_place", _slowly(ticket_types.claim_place))
    monkeypatch.setattr(updates, "claim_place", _slowly(ticket_types.claim_place))
    monkeypatch.setattr(updates, "release_place", _slowly(ticket_types.release_place))


def _slowly(step: Any) -> Any:  # Any: a coroutine function, passed through
    async def slow(ticket_type_id: int) -> None:
        await step(ticket_type_id)
        await asyncio.sleep(0.01)

    return slow


class Chance:
    """Makes requests about an event with three types, two tickets of each in every status."""

    def __init__(self, stage: Stage, kinds: list[TicketType], tickets: list[Ticket], seed: int) -> None:
        self._stage, self._kinds, self._tickets = stage, kinds, tickets
        self._random = random.Random(seed)

    def request(self) -> Coroutine[Any, Any, httpx.Response]:
        make = self._random.choice(
            [self._register, self._register, self._approve, self._move, self._delete, self._resize, self._rename]
        )
        request: Coroutine[Any, Any, httpx.Response] = make()
        return request

    def delete_a_type(self) -> Coroutine[Any, Any, httpx.Response]:
        return self._stage.organizer.delete(f"/ticket-types/{self._kind}")

    # Any below: coroutines of answers.

    def _register(self) -> Any:
        return self._stage.buyer.post("/tickets", {"event_id": self._stage.event.id, "ticket_type_id": self._kind})

    def _approve(self) -> Any:
        return self._change({"status": self._random.choice(list(TicketStatus))})

    def _move(self) -> Any:
        return self._change({"ticket_type_id": self._kind, "status": self._random.choice(list(TicketStatus))})

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
    def _ticket(self) -> int:
        return self._random.choice(self._tickets).id


@pytest.fixture
async def kinds(world: World, stage: Stage) -> list[TicketType]:
    return [await world.ticket_type(stage.event, capacity=8) for _ in range(3)]


@pytest.fixture
async def tickets(world: World, stage: Stage, kinds: list[TicketType]) -> list[Ticket]:
    return [
        await world.ticket(stage.event, stage.buyer_account, ticket_type=kind, status=status)
        for kind in kinds
        for status in TicketStatus
        for _ in range(2)
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_hundred_mixed_requests_at_once_keep_the_books(
    stage: Stage, kinds: list[TicketType], tickets: list[Ticket], seed: int
) -> None:
    chance = Chance(stage, kinds, tickets, seed)
    happened = outcomes(await asyncio.gather(*(chance.request() for _ in range(100))))
    assert happened.keys() <= DOCUMENTED
    assert happened[200, None] > 20
    assert happened[201, None] > 0
    assert await unbalanced() == {}
    assert all(kind.sold <= kind.capacity for kind in await TicketType.all())


@pytest.mark.parametrize("position", [5, 30, 60])
async def test_they_keep_them_amid_deletions_of_types_too(
    stage: Stage, kinds: list[TicketType], tickets: list[Ticket], position: int
) -> None:
    await Ticket.filter(status=TicketStatus.SUCCESS).update(status=TicketStatus.PENDING)
    chance = Chance(stage, kinds, tickets, position)
    requests = [chance.request() for _ in range(70)]
    requests[position:position] = [chance.delete_a_type() for _ in range(3)]
    assert outcomes(await asyncio.gather(*requests)).keys() <= DOCUMENTED
    assert await unbalanced() == {}


async def test_they_leave_nothing_behind_when_the_event_goes(
    stage: Stage, kinds: list[TicketType], tickets: list[Ticket]
) -> None:
    chance = Chance(stage, kinds, tickets, 4)
    requests = [chance.request() for _ in range(70)]
    requests.insert(35, stage.organizer.delete(f"/events/{stage.event.id}"))
    assert outcomes(await asyncio.gather(*requests)).keys() <= DOCUMENTED
    assert [await model.all().count() for model in (TicketType, Ticket)] == [0, 0]
    assert await unbalanced() == {}


# Two types ------------------------------------------------------------------------------------------------------


async def change_places(world: World, stage: Stage) -> Outcomes:
    """Twelve tickets leave either type for the other one, and every fifth is deleted meanwhile."""
    kinds = [await world.ticket_type(stage.event) for _ in range(2)]
    requests = []
    for number in range(12):
        ticket = await world.ticket(stage.event, stage.buyer_account, ticket_type=kinds[number % 2])
        requests.append(stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": kinds[number % 2 - 1].id}))
        if number % 5 == 0:
            requests.append(stage.organizer.delete(f"/tickets/{ticket.id}"))
    return outcomes(await asyncio.gather(*requests))


async def test_moves_and_deletions_do_not_wait_for_each_other_in_a_circle(world: World, stage: Stage) -> None:
    happened = await change_places(world, stage)
    assert happened.keys() <= {(200, None), (404, "NOT_FOUND")}
    assert await Ticket.all().count() == 9
    assert await unbalanced() == {}


@pytest.mark.backend("postgres")
async def test_without_an_order_they_would(world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsorted(steps: list[Any], key: object) -> list[Any]:  # Any: what sorted is given
        return steps

    monkeypatch.setattr(updates, "sorted", unsorted, raising=False)
    assert (await change_places(world, stage))[500, "UNAVAILABLE"] > 0
    assert await unbalanced() == {}
