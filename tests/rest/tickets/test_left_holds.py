"""Ends of holds that are left in the rows of paid and decided tickets, such as by a statement of an operator."""

from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents.models import Ticket, TicketType
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.tickets import holds
from tests.rest.conftest import Stage
from tests.support.graphql_answers import answer_of
from tests.support.holds import HOUR, end_holds, unpaid_ticket
from tests.support.places import places_held
from tests.support.rest_answers import data_of, refused
from tests.support.statements import counted_statements
from tests.support.world import World

APPROVED: dict[str, Any] = {"status": TicketStatus.SUCCESS}
PAID: dict[str, Any] = {"transaction_id": "8N7A6"}
LEFT = pytest.mark.parametrize("values", [APPROVED, PAID])

ADD_PAYMENT = (
    'mutation($id: ID!) { addPayment(input: {ticketId: $id, transactionId: "8N7A6"}) { transactionId expiresAt } }'
)


@pytest.fixture
async def ticket_type(world: World, stage: Stage) -> TicketType:
    return await world.ticket_type(stage.event, price="500", capacity=4)


async def left_hold(world: World, stage: Stage, ticket_type: TicketType, values: dict[str, Any]) -> Ticket:
    """Create a ticket that was paid or approved, in whose row the end of its hold is left."""
    ticket = await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-2 * HOUR)
    await Ticket.filter(id=ticket.id).update(**values)
    return await Ticket.get(id=ticket.id)


@LEFT
async def test_ticket_without_a_hold_does_not_expire(
    world: World, stage: Stage, app: Starlette, ticket_type: TicketType, values: dict[str, Any]
) -> None:
    left = await left_hold(world, stage, ticket_type, values)
    await end_holds(app)
    shown = data_of(await stage.buyer.get(f"/tickets/{left.id}"))
    assert (shown["status"], shown["expires_at"]) == (left.status, None)
    query = "query($id: ID!) { ticket(id: $id) { expiresAt } }"
    assert await answer_of(stage.buyer, query, id=left.id) == {"expiresAt": None}
    assert await places_held() == {ticket_type.id: 1}


@LEFT
async def test_ticket_without_a_hold_counts_as_a_place_of_its_account(
    world: World, stage: Stage, ticket_type: TicketType, values: dict[str, Any]
) -> None:
    await left_hold(world, stage, ticket_type, values)
    data_of(await stage.organizer.put(f"/events/{stage.event.id}", {"places_per_account": 1}))
    await refused(stage.buyer.post("/tickets", {"event_id": stage.event.id}), 400, "TOO_MANY_PLACES")


async def test_repeated_payment_of_a_ticket_without_a_hold_is_accepted(
    world: World, stage: Stage, ticket_type: TicketType
) -> None:
    left = await left_hold(world, stage, ticket_type, PAID)
    repeated = await answer_of(stage.buyer, ADD_PAYMENT, id=left.id)
    assert repeated == {"transactionId": "8N7A6", "expiresAt": None}


# The maintenance --------------------------------------------------------------------------------------------------


@pytest.fixture
async def overdue_after_left(
    world: World, stage: Stage, ticket_type: TicketType, monkeypatch: pytest.MonkeyPatch
) -> Ticket:
    """Return a ticket whose hold is overdue, but ended later than those of two tickets without a hold: a batch."""
    monkeypatch.setattr(holds, "BATCH_SIZE", 2)
    for values in (APPROVED, PAID):
        await left_hold(world, stage, ticket_type, values)
    return await unpaid_ticket(world, stage.event, stage.buyer_account, ticket_type, ends_in=-HOUR)


async def test_holds_behind_those_that_are_left_end(app: Starlette, overdue_after_left: Ticket) -> None:
    await end_holds(app)
    [failed] = await Ticket.filter(status=TicketStatus.FAILED)
    assert failed.id == overdue_after_left.id


async def test_found_by_the_time_alone_they_would_not(
    app: Starlette, overdue_after_left: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = holds._find
    monkeypatch.setattr(holds, "_find", lambda _holds: find(Ticket.filter(hold_expires_at__isnull=False)))
    await end_holds(app)
    assert (await Ticket.get(id=overdue_after_left.id)).status is TicketStatus.PENDING


@LEFT
async def test_holds_that_are_left_start_no_transaction(
    world: World, stage: Stage, app: Starlette, ticket_type: TicketType, values: dict[str, Any]
) -> None:
    await left_hold(world, stage, ticket_type, values)
    with counted_statements() as statements:
        await end_holds(app)
    assert [statement.split()[0] for statement in statements] == ["SELECT"]
