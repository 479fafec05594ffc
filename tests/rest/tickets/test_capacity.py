"""No place is sold twice, however many ask at once (decisions 6.2)."""

import asyncio
import random
from collections import Counter
from typing import Any

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import Event, Ticket, TicketType
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.events import ticket_types
from amarevents.resolvers.tickets import registration, updates
from tests.rest.conftest import Stage
from tests.rest.tickets.test_ticket_updates import places_held
from tests.support.world import World

HOLDING = [TicketStatus.PENDING, TicketStatus.SUCCESS]
Outcomes = Counter[tuple[int, str | None]]


def outcomes(answers: list[httpx.Response]) -> Outcomes:
    return Counter((answer.status_code, answer.json().get("code")) for answer in answers)


async def register_at_once(stage: Stage, count: int) -> Outcomes:
    body = {"event_id": stage.event.id}
    return outcomes(await asyncio.gather(*(stage.buyer.post("/tickets", body) for _ in range(count))))


async def test_three_hundred_at_once_get_twenty_places(world: World, stage: Stage) -> None:
    kind = await world.ticket_type(stage.event, capacity=20)
    assert await register_at_once(stage, 300) == {(201, None): 20, (400, "SOLD_OUT"): 280}
    assert await places_held() == {kind.id: 20}
    assert await Ticket.all().count() == 20


async def test_the_conditional_update_alone_keeps_to_the_capacity(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before the transaction only spares work: with what it read long out of date, nothing is oversold."""
    choose = registration._choose_ticket_type

    async def choose_late(event: Event, ticket_type_id: int | None) -> TicketType | None:
        chosen = await choose(event, ticket_type_id)
        await asyncio.sleep(0.3)
        return chosen

    monkeypatch.setattr(registration, "_choose_ticket_type", choose_late)
    kind = await world.ticket_type(stage.event, capacity=20)
    assert await register_at_once(stage, 60) == {(201, None): 20, (400, "SOLD_OUT"): 40}
    assert await places_held() == {kind.id: 20}


async def test_counting_first_would_oversell(world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the conditional update is for: the same sixty, let in by a count."""
    choose = registration._choose_ticket_type

    async def choose_by_count(event: Event, ticket_type_id: int | None) -> TicketType | None:
        chosen = await choose(event, ticket_type_id)
        if chosen and await Ticket.filter(ticket_type_id=chosen.id, status__in=HOLDING).count() >= chosen.capacity:
            raise errors.SoldOut
        await asyncio.sleep(0.3)
        return chosen

    async def claim_nothing(_ticket_type_id: int) -> None: ...

    monkeypatch.setattr(registration, "_choose_ticket_type", choose_by_count)
    monkeypatch.setattr(registration, "claim_place", claim_nothing)
    await world.ticket_type(stage.event, capacity=20)
    await register_at_once(stage, 60)
    assert await Ticket.all().count() > 20


@pytest.mark.parametrize("capacity", [0, 1])
async def test_the_database_itself_refuses_what_the_code_would_oversell(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, capacity: int
) -> None:
    async def claim_unconditionally(ticket_type_id: int) -> None:
        kind = await TicketType.get(id=ticket_type_id)
        await TicketType.filter(id=ticket_type_id).update(sold=kind.sold + 2)

    monkeypatch.setattr(registration, "claim_place", claim_unconditionally)
    kind = await world.ticket_type(stage.event, capacity=capacity)
    [(status, _)] = await register_at_once(stage, 1)
    await kind.refresh_from_db()
    assert (status, kind.sold, await Ticket.all().count()) == ((201, 2, 1) if capacity == 0 else (500, 0, 0))


# Changes at once ------------------------------------------------------------------------------------------------


async def test_fifty_random_changes_at_once_keep_the_books(world: World, stage: Stage) -> None:
    chance = random.Random(7)
    kinds = [await world.ticket_type(stage.event, capacity=4) for _ in range(3)]
    tickets = [await world.ticket(stage.event, stage.buyer_account, ticket_type=kinds[n % 3]) for n in range(9)]

    async def change() -> httpx.Response:
        body = {"status": chance.choice(list(TicketStatus)), "ticket_type_id": chance.choice(kinds).id}
        return await stage.organizer.put(f"/tickets/{chance.choice(tickets).id}", body)

    happened = outcomes(await asyncio.gather(*(change() for _ in range(50))))
    assert happened.keys() <= {(200, None), (400, "SOLD_OUT")}
    assert happened[200, None] > 0
    assert max((await places_held()).values()) <= 4


async def fail_ten_times(stage: Stage, ticket: Ticket) -> Outcomes:
    body = {"status": "Failed"}
    path = f"/tickets/{ticket.id}"
    return outcomes(await asyncio.gather(*(stage.organizer.put(path, body) for _ in range(10))))


async def ticket_among_twenty(world: World, stage: Stage) -> Ticket:
    kind = await world.ticket_type(stage.event)
    first, *_ = [await world.ticket(stage.event, stage.buyer_account, ticket_type=kind) for _ in range(20)]
    return first


async def test_a_place_is_given_back_once(world: World, stage: Stage) -> None:
    ticket = await ticket_among_twenty(world, stage)
    assert await fail_ten_times(stage, ticket) == {(200, None): 10}
    assert await places_held() == {ticket.ticket_type_id: 19}


@pytest.mark.backend("postgres")
async def test_without_the_lock_it_would_be_given_back_several_times(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = updates._save

    async def save_late(ticket: Ticket, fields: list[str]) -> None:
        await asyncio.sleep(0.1)
        await save(ticket, fields)

    monkeypatch.setattr(updates, "_save", save_late)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    ticket = await ticket_among_twenty(world, stage)
    await fail_ten_times(stage, ticket)
    assert (await TicketType.get(id=ticket.ticket_type_id)).sold < 19


async def swap_at_once(world: World, stage: Stage) -> Outcomes:
    """Two tickets change places: each leaves the type that the other enters."""
    kinds = [await world.ticket_type(stage.event, capacity=9) for _ in range(2)]
    tickets = [await world.ticket(stage.event, stage.buyer_account, ticket_type=kind) for kind in kinds]
    moves = zip(tickets, kinds[::-1], strict=True)
    return outcomes(
        await asyncio.gather(
            *(stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": kind.id}) for ticket, kind in moves)
        )
    )


async def _give_back_slowly(ticket_type_id: int) -> None:
    await ticket_types.release_place(ticket_type_id)
    await asyncio.sleep(0.3)


async def _claim_slowly(ticket_type_id: int) -> None:
    await ticket_types.claim_place(ticket_type_id)
    await asyncio.sleep(0.3)


@pytest.fixture
def slow_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "release_place", _give_back_slowly)
    monkeypatch.setattr(updates, "claim_place", _claim_slowly)


@pytest.mark.usefixtures("slow_moves")
async def test_two_who_swap_types_do_not_wait_for_each_other(world: World, stage: Stage) -> None:
    assert await swap_at_once(world, stage) == {(200, None): 2}
    assert set((await places_held()).values()) == {1}


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_moves")
async def test_without_an_order_two_who_swap_would_deadlock(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsorted(steps: list[Any], key: object) -> list[Any]:  # Any: what sorted is given
        return steps

    monkeypatch.setattr(updates, "sorted", unsorted, raising=False)
    assert (await swap_at_once(world, stage))[200, None] < 2
