"""No overselling, however many registrations are simultaneous (decisions 6.2)."""

import asyncio
import random
from typing import Any

import httpx
import pytest
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import Ticket, TicketType
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.events import ticket_types
from amarevents.resolvers.tickets import registration, updates
from amarevents.resolvers.tickets.booking import Values, book
from amarevents.resolvers.tickets.offers import Offer, load_offer
from amarevents.security.context import Context
from tests.rest.conftest import Stage
from tests.support.booking import changed_booking
from tests.support.places import HOLDING, places_held
from tests.support.rest_answers import Outcomes, outcomes
from tests.support.world import World


async def register_simultaneously(stage: Stage, count: int) -> Outcomes:
    body = {"event_id": stage.event.id}
    return outcomes(await asyncio.gather(*(stage.buyer.post("/tickets", body) for _ in range(count))))


async def test_three_hundred_simultaneous_registrations_get_twenty_places(world: World, stage: Stage) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=20)
    assert await register_simultaneously(stage, 300) == {(201, None): 20, (400, "SOLD_OUT"): 280}
    assert await places_held() == {ticket_type.id: 20}
    assert await Ticket.all().count() == 20


async def test_conditional_update_alone_prevents_overselling(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delay the registrations after they have read the type, so that what they have read is outdated."""

    async def load_early(ctx: Context, event_id: int) -> Offer:
        offer = await load_offer(ctx, event_id)
        await asyncio.sleep(0.3)
        return offer

    monkeypatch.setattr(registration, "load_offer", load_early)
    ticket_type = await world.ticket_type(stage.event, capacity=20)
    assert await register_simultaneously(stage, 60) == {(201, None): 20, (400, "SOLD_OUT"): 40}
    assert await places_held() == {ticket_type.id: 20}


async def test_counting_instead_of_claiming_would_oversell(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replace the conditional update by a count of the tickets."""

    async def count_and_book(values: Values) -> RecordId:
        if await Ticket.filter(ticket_type_id=values["ticket_type_id"], status__in=HOLDING).count() >= 18:
            raise errors.RegistrationClosed  # not SoldOut, after which registration looks for another place
        await asyncio.sleep(0.1)
        return await book({**values, "takes_place": False})

    monkeypatch.setattr(registration, "book", count_and_book)
    await world.ticket_type(stage.event, capacity=18)
    await register_simultaneously(stage, 60)
    assert await Ticket.all().count() > 18


@pytest.mark.parametrize("capacity", [0, 1])
async def test_database_constraint_prevents_overselling(world: World, stage: Stage, capacity: int) -> None:
    ticket_type = await world.ticket_type(stage.event, capacity=capacity)
    async with changed_booking({"sold + 1": "sold + 2"}):
        [(status, _)] = await register_simultaneously(stage, 1)
    await ticket_type.refresh_from_db()
    assert (status, ticket_type.sold, await Ticket.all().count()) == ((201, 2, 1) if capacity == 0 else (500, 0, 0))


# Simultaneous changes -------------------------------------------------------------------------------------------


async def test_fifty_simultaneous_changes_keep_the_counts_of_places_correct(world: World, stage: Stage) -> None:
    rng = random.Random(7)
    types = [await world.ticket_type(stage.event, capacity=4) for _ in range(3)]
    tickets = [await world.ticket(stage.event, stage.buyer_account, ticket_type=types[n % 3]) for n in range(9)]

    async def change() -> httpx.Response:
        body = {"status": rng.choice(list(TicketStatus)), "ticket_type_id": rng.choice(types).id}
        return await stage.organizer.put(f"/tickets/{rng.choice(tickets).id}", body)

    counts = outcomes(await asyncio.gather(*(change() for _ in range(50))))
    assert counts.keys() <= {(200, None), (400, "SOLD_OUT")}
    assert counts[200, None] > 0
    assert max((await places_held()).values()) <= 4


async def fail_ten_times(stage: Stage, ticket: Ticket) -> Outcomes:
    body = {"status": "Failed"}
    path = f"/tickets/{ticket.id}"
    return outcomes(await asyncio.gather(*(stage.organizer.put(path, body) for _ in range(10))))


async def one_of_twenty_tickets(world: World, stage: Stage) -> Ticket:
    ticket_type = await world.ticket_type(stage.event)
    first, *_ = [await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type) for _ in range(20)]
    return first


async def test_ten_simultaneous_failures_release_one_place(world: World, stage: Stage) -> None:
    ticket = await one_of_twenty_tickets(world, stage)
    assert await fail_ten_times(stage, ticket) == {(200, None): 10}
    assert await places_held() == {ticket.ticket_type_id: 19}


@pytest.mark.backend("postgres")
async def test_without_the_lock_several_places_would_be_released(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = updates._save

    async def save_late(ticket: Ticket, fields: list[str]) -> None:
        await asyncio.sleep(0.1)
        await save(ticket, fields)

    monkeypatch.setattr(updates, "_save", save_late)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
    ticket = await one_of_twenty_tickets(world, stage)
    await fail_ten_times(stage, ticket)
    assert (await TicketType.get(id=ticket.ticket_type_id)).sold < 19


async def swap_types(world: World, stage: Stage) -> Outcomes:
    """Move two tickets simultaneously, each to the ticket type of the other."""
    types = [await world.ticket_type(stage.event, capacity=9) for _ in range(2)]
    tickets = [await world.ticket(stage.event, stage.buyer_account, ticket_type=ticket_type) for ticket_type in types]
    moves = zip(tickets, types[::-1], strict=True)
    return outcomes(
        await asyncio.gather(
            *(
                stage.organizer.put(f"/tickets/{ticket.id}", {"ticket_type_id": ticket_type.id})
                for ticket, ticket_type in moves
            )
        )
    )


async def _release_slowly(ticket_type_id: int) -> None:
    await ticket_types.release_place(ticket_type_id)
    await asyncio.sleep(0.3)


async def _claim_slowly(ticket_type_id: int) -> None:
    await ticket_types.claim_place(ticket_type_id)
    await asyncio.sleep(0.3)


@pytest.fixture
def slow_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "release_place", _release_slowly)
    monkeypatch.setattr(updates, "claim_place", _claim_slowly)


@pytest.mark.usefixtures("slow_moves")
async def test_two_tickets_that_swap_types_do_not_deadlock(world: World, stage: Stage) -> None:
    assert await swap_types(world, stage) == {(200, None): 2}
    assert set((await places_held()).values()) == {1}


@pytest.mark.backend("postgres")
@pytest.mark.usefixtures("slow_moves")
async def test_without_a_fixed_order_of_locks_they_would_deadlock(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsorted(steps: list[Any], key: object) -> list[Any]:  # Any: the items of sorted
        return steps

    monkeypatch.setattr(updates, "sorted", unsorted, raising=False)
    assert (await swap_types(world, stage))[200, None] < 2
