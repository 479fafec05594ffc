"""Holds that end while payments, approvals and other processes need the same tickets (decisions 6.2a)."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from tortoise.queryset import QuerySet

from amarevents.models import OutgoingMail, Ticket, TicketType
from amarevents.models.enums import MailKind, TicketStatus
from amarevents.resolvers.tickets import holds, payments
from tests.rest.conftest import Stage
from tests.support.graphql_answers import error_code_and_status
from tests.support.holds import HOUR, end_holds, unpaid_ticket
from tests.support.pauses import Pause
from tests.support.places import places_held
from tests.support.world import World

Change = Callable[[Stage, Ticket], Coroutine[Any, Any, httpx.Response]]

ADD_PAYMENT = 'mutation($id: ID!) { addPayment(input: {ticketId: $id, transactionId: "8N7A6"}) { status } }'


def add_payment(stage: Stage, ticket: Ticket) -> Coroutine[Any, Any, httpx.Response]:
    return stage.buyer.graphql_response(ADD_PAYMENT, id=ticket.id)


def enter_transaction_id(stage: Stage, ticket: Ticket) -> Coroutine[Any, Any, httpx.Response]:
    return stage.organizer.put(f"/tickets/{ticket.id}", {"transaction_id": "8N7A6"})


def approve(stage: Stage, ticket: Ticket) -> Coroutine[Any, Any, httpx.Response]:
    return stage.organizer.put(f"/tickets/{ticket.id}", {"status": "Success"})


async def lock_without_condition(_holds: QuerySet[Ticket], ids: Sequence[int], *, skip_locked: bool) -> list[Ticket]:
    """Return the tickets as if nothing had happened since they were found: the negative control."""
    return await Ticket.filter(id__in=list(ids))


@pytest.fixture
async def ticket_type(world: World, stage: Stage) -> TicketType:
    return await world.ticket_type(stage.event, price="500", capacity=3)


@pytest.fixture
async def ticket(world: World, stage: Stage, ticket_type: TicketType) -> Ticket:
    """Return an unpaid ticket whose hold ends in an hour."""
    return await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=HOUR)


async def change_while_ending(
    change: Change, stage: Stage, app: Starlette, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> Ticket:
    """Change a ticket after another process has found its hold overdue, and return it when that process is done."""
    pause = Pause(monkeypatch)
    pause.stop_after(holds, "_find")
    _, response = await pause.during(end_holds(app, after=2 * HOUR), change(stage, ticket))
    assert "errors" not in response.json()
    return await Ticket.get(id=ticket.id)


CHANGES = pytest.mark.parametrize("change", [add_payment, enter_transaction_id, approve])


@CHANGES
async def test_change_before_the_hold_is_ended_keeps_the_ticket(
    stage: Stage, app: Starlette, ticket: Ticket, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    kept = await change_while_ending(change, stage, app, ticket, monkeypatch)
    assert kept.status is (TicketStatus.SUCCESS if change is approve else TicketStatus.PENDING)
    assert kept.decision_reason is None
    assert not await OutgoingMail.filter(kind=MailKind.HOLD_EXPIRED).exists()
    assert set((await places_held()).values()) == {1}


@CHANGES
async def test_without_the_second_check_the_ticket_would_fail_nevertheless(
    stage: Stage, app: Starlette, ticket: Ticket, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    monkeypatch.setattr(holds, "_lock", lock_without_condition)
    lost = await change_while_ending(change, stage, app, ticket, monkeypatch)
    assert lost.status is TicketStatus.FAILED


async def test_payment_after_the_hold_has_been_ended_is_refused(
    stage: Stage, app: Starlette, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch)
    pause.stop_after(payments, "_require_own")
    response, _ = await pause.during(add_payment(stage, ticket), end_holds(app, after=2 * HOUR))
    assert error_code_and_status(response.json()) == ("TICKET_EXPIRED", 400)
    failed = await Ticket.get(id=ticket.id)
    assert (failed.status, failed.transaction_id) == (TicketStatus.FAILED, None)
    assert set((await places_held()).values()) == {0}


async def test_payment_that_is_late_is_refused_even_before_the_hold_is_ended(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    overdue = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
    answer = (await add_payment(stage, overdue)).json()
    assert error_code_and_status(answer) == ("TICKET_EXPIRED", 400)
    assert "register again" in answer["errors"][0]["message"]
    assert (await Ticket.get(id=overdue.id)).transaction_id is None


async def test_organizer_gets_the_place_of_the_next_hold_if_another_takes_the_first(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "BATCH_SIZE", 1)
    full = await world.ticket_type(stage.event, price="500", capacity=2)
    failed = await world.ticket(stage.event, stage.buyer_account, ticket_type=full, status=TicketStatus.FAILED)
    for ends_in in (-2 * HOUR, -HOUR):
        await unpaid_ticket(world, stage.event, stage.buyer_account, full, ends_in=ends_in)
    pause = Pause(monkeypatch)
    pause.stop_after(holds, "_find")
    approved, registered = await pause.during(
        approve(stage, failed), stage.rival.post("/tickets", {"event_id": stage.event.id})
    )
    assert (approved.status_code, registered.status_code) == (200, 201)
    assert await places_held() == {full.id: 2}


# Several processes ------------------------------------------------------------------------------------------------


async def fifty_overdue_tickets(world: World, stage: Stage) -> TicketType:
    ticket_type = await world.ticket_type(stage.event, price="500", capacity=60)
    for _ in range(50):
        await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)
    return ticket_type


async def end_in_five_processes(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    """End holds five times at once: each time finds the same first holds, twenty in a transaction."""
    monkeypatch.setattr(holds, "BATCH_SIZE", 20)
    all_have_found = asyncio.Barrier(5)
    find = holds._find
    seen: list[list[int]] = []

    async def find_together(overdue: QuerySet[Ticket]) -> list[int]:
        ids = await find(overdue)
        if len(seen) < 5:
            seen.append(ids)
            await all_have_found.wait()
        return ids

    monkeypatch.setattr(holds, "_find", find_together)
    await asyncio.gather(*(end_holds(app) for _ in range(5)))
    assert seen[0] == seen[4]


async def test_each_hold_is_ended_once_by_several_processes(
    world: World, stage: Stage, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_type = await fifty_overdue_tickets(world, stage)
    await end_in_five_processes(app, monkeypatch)
    assert await Ticket.filter(status=TicketStatus.FAILED).count() == 50
    assert len(set(await OutgoingMail.all().values_list("ticket_id", flat=True))) == 50
    assert await OutgoingMail.all().count() == 50
    assert await places_held() == {ticket_type.id: 0}


async def test_without_the_second_check_holds_would_be_ended_repeatedly(
    world: World, stage: Stage, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fifty_overdue_tickets(world, stage)
    monkeypatch.setattr(holds, "_lock", lock_without_condition)
    monkeypatch.setattr(holds, "_release", _release_nothing)
    await end_in_five_processes(app, monkeypatch)
    assert await OutgoingMail.all().count() > 50


async def _release_nothing(_tickets: Sequence[Ticket]) -> None: ...
