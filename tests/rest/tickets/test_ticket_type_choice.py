"""The ticket type of a registration that names none: the first one that has a place (decisions 6.4)."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import OutgoingMail, Ticket, TicketType
from amarevents.models.enums import MailKind, TicketStatus
from amarevents.resolvers.tickets import registration
from amarevents.resolvers.tickets.offers import Offer, load_offer
from amarevents.security.context import Context
from tests.rest.conftest import Stage
from tests.support.graphql_answers import answer_of, error_code_and_status
from tests.support.holds import HOUR, end_holds, unpaid_ticket
from tests.support.pauses import Pause
from tests.support.places import places_held
from tests.support.rest_answers import Outcomes, data_of, outcomes, refused
from tests.support.world import World

REGISTER = "mutation($input: RegisterForEventInput!) { registerForEvent(input: $input) { ticketTypeId amount due } }"


async def three_types(world: World, stage: Stage, *capacities: int) -> list[TicketType]:
    """Create types with these capacities, which cost 100, 200, … taka."""
    return [
        await world.ticket_type(stage.event, capacity=capacity, price=str(100 * number))
        for number, capacity in enumerate(capacities, 1)
    ]


@pytest.mark.parametrize("omitted", [{}, {"ticket_type_id": None}])
async def test_first_type_is_the_default(world: World, stage: Stage, omitted: dict[str, Any]) -> None:
    first, _ = await three_types(world, stage, 1, 1)
    created = data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id, **omitted}), 201)
    assert (created["ticket_type_id"], created["due"]) == (first.id, 100)


@pytest.mark.parametrize("omitted", [{}, {"ticketTypeId": None}])
async def test_graphql_has_the_same_default(world: World, stage: Stage, omitted: dict[str, Any]) -> None:
    first, _ = await three_types(world, stage, 1, 1)
    created = await answer_of(stage.buyer, REGISTER, input={"eventId": stage.event.id, **omitted})
    assert created == {"ticketTypeId": str(first.id), "amount": "100.00", "due": "100.00"}


async def test_type_that_is_sold_out_is_passed_over(world: World, stage: Stage) -> None:
    first, second, third = await three_types(world, stage, 1, 1, 0)
    created = [data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201) for _ in range(4)]
    chosen = [(ticket["ticket_type_id"], ticket["amount"]) for ticket in created]
    assert chosen == [(first.id, 100), (second.id, 200), (third.id, 300), (third.id, 300)]


async def test_event_without_a_place_is_sold_out(world: World, stage: Stage) -> None:
    await three_types(world, stage, 1, 1)
    body = {"event_id": stage.event.id}
    for _ in range(2):
        data_of(await stage.buyer.post("/tickets", body), 201)
    for caller in (stage.buyer, stage.organizer):
        await refused(caller.post("/tickets", body), 400, "SOLD_OUT")
        answer = await caller.graphql(REGISTER, input={"eventId": stage.event.id})
        assert error_code_and_status(answer) == ("SOLD_OUT", 400)


async def test_requested_type_is_not_replaced_by_another_one(world: World, stage: Stage) -> None:
    first, second = await three_types(world, stage, 1, 1)
    body = {"event_id": stage.event.id, "ticket_type_id": second.id}
    data_of(await stage.buyer.post("/tickets", body), 201)
    await refused(stage.buyer.post("/tickets", body), 400, "SOLD_OUT")
    assert await places_held() == {first.id: 0, second.id: 1}


# Simultaneous registrations ---------------------------------------------------------------------------------------


async def register_simultaneously(stage: Stage, count: int) -> Outcomes:
    body = {"event_id": stage.event.id}
    return outcomes(await asyncio.gather(*(stage.buyer.post("/tickets", body) for _ in range(count))))


async def test_nobody_is_refused_while_a_place_is_left(world: World, stage: Stage) -> None:
    first, second, third = await three_types(world, stage, 10, 1, 15)
    assert await register_simultaneously(stage, 60) == {(201, None): 26, (400, "SOLD_OUT"): 34}
    assert await places_held() == {first.id: 10, second.id: 1, third.id: 15}


async def test_next_type_is_taken_if_the_first_sells_out_in_the_meantime(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await three_types(world, stage, 1, 1)
    pause = Pause(monkeypatch)
    pause.stop_after(registration, "load_offer")
    body = {"event_id": stage.event.id}
    late, early = await pause.during(stage.buyer.post("/tickets", body), stage.rival.post("/tickets", body))
    assert (data_of(early, 201)["ticket_type_id"], data_of(late, 201)["ticket_type_id"]) == (first.id, second.id)
    assert data_of(late, 201)["due"] == 200
    assert await places_held() == {first.id: 1, second.id: 1}


async def test_without_a_second_choice_it_would_be_refused(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await three_types(world, stage, 1, 1)
    have_chosen = set[int]()

    async def load_once(ctx: Context, event_id: int) -> Offer:
        if id(ctx) in have_chosen:
            raise errors.SoldOut
        have_chosen.add(id(ctx))
        return await load_offer(ctx, event_id)

    monkeypatch.setattr(registration, "load_offer", load_once)
    pause = Pause(monkeypatch)
    pause.stop_after(registration, "load_offer")
    body = {"event_id": stage.event.id}
    late, early = await pause.during(stage.buyer.post("/tickets", body), stage.rival.post("/tickets", body))
    assert (early.status_code, late.status_code) == (201, 400)


# Places of overdue holds ------------------------------------------------------------------------------------------


async def hold_all_places(world: World, stage: Stage, ticket_type: TicketType) -> list[Ticket]:
    """Create an overdue hold for each place of the type."""
    return [
        await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
        for _ in range(ticket_type.capacity)
    ]


async def test_place_of_an_overdue_hold_is_free_at_once(world: World, stage: Stage) -> None:
    first, second = await three_types(world, stage, 1, 1)
    [overdue] = await hold_all_places(world, stage, first)
    created = data_of(await stage.rival.post("/tickets", {"event_id": stage.event.id}), 201)
    assert created["ticket_type_id"] == first.id
    ended = await Ticket.get(id=overdue.id)
    assert (ended.status, ended.decision_reason) == (TicketStatus.FAILED, "expired")
    assert await places_held() == {first.id: 1, second.id: 0}


async def test_requested_type_has_the_places_of_overdue_holds(world: World, stage: Stage) -> None:
    [only] = await three_types(world, stage, 1)
    await hold_all_places(world, stage, only)
    created = await answer_of(stage.rival, REGISTER, input={"eventId": stage.event.id, "ticketTypeId": only.id})
    assert created["ticketTypeId"] == str(only.id)
    assert await places_held() == {only.id: 1}


async def test_simultaneous_registrations_get_the_places_of_overdue_holds(
    world: World, stage: Stage, app: Starlette
) -> None:
    """While two processes end holds too."""
    [only] = await three_types(world, stage, 10)
    held = await hold_all_places(world, stage, only)
    counts, *_ = await asyncio.gather(register_simultaneously(stage, 40), end_holds(app), end_holds(app))
    assert counts == {(201, None): 10, (400, "SOLD_OUT"): 30}
    assert await places_held() == {only.id: 10}
    ended = Ticket.filter(id__in=[ticket.id for ticket in held], status=TicketStatus.FAILED)
    assert await ended.count() == await OutgoingMail.filter(kind=MailKind.HOLD_EXPIRED).count() == 10


async def test_hold_of_a_ticket_that_was_approved_elsewhere_frees_no_place(world: World, stage: Stage) -> None:
    """Such as by a statement of an operator, which leaves the end of the hold in the row."""
    [only] = await three_types(world, stage, 1)
    await hold_all_places(world, stage, only)
    await Ticket.all().update(status=TicketStatus.SUCCESS)
    await refused(stage.rival.post("/tickets", {"event_id": stage.event.id}), 400, "SOLD_OUT")
    assert await places_held() == {only.id: 1}


async def test_place_of_a_hold_that_is_ended_during_the_choice_is_free(
    world: World, stage: Stage, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    [only] = await three_types(world, stage, 1)
    await hold_all_places(world, stage, only)
    pause = Pause(monkeypatch)
    pause.stop_before(registration, "_book_overdue_place")
    response, _ = await pause.during(stage.rival.post("/tickets", {"event_id": stage.event.id}), end_holds(app))
    data_of(response, 201)
    assert await places_held() == {only.id: 1}


@pytest.mark.backend("postgres")
async def test_without_the_lock_of_an_overdue_hold_its_place_would_be_taken_twice(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_options: rows)
    [only] = await three_types(world, stage, 10)
    await hold_all_places(world, stage, only)
    assert (await register_simultaneously(stage, 40))[201, None] > 10


async def test_registrations_with_idempotency_keys_get_the_places_of_overdue_holds(world: World, stage: Stage) -> None:
    [only] = await three_types(world, stage, 5)
    await hold_all_places(world, stage, only)
    body = {"event_id": stage.event.id}
    requests = [stage.rival.post("/tickets", body, Idempotency_Key=f"key-{number % 10}") for number in range(20)]
    counts = outcomes(await asyncio.gather(*requests))
    assert counts[201, None] >= 5
    assert counts.keys() == {(201, None), (400, "SOLD_OUT")}
    assert await places_held() == {only.id: 5}
