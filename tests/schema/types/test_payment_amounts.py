"""Approval of payments whose amount is not what is due (decisions 6.1)."""

from decimal import Decimal

import pytest

from amarevents.models import Ticket
from amarevents.models.enums import TicketStatus
from tests.schema.types.payment_decisions import APPROVE, REJECT, decide, decided, statuses
from tests.support.check_in import CheckInScene, check_in_scene
from tests.support.graphql_answers import error_code_and_status
from tests.support.world import World, snapshot

DIFFERENT = [Decimal(0), Decimal("99.99"), Decimal(101)]


@pytest.fixture
async def scene(world: World) -> CheckInScene:
    return await check_in_scene(world)


async def unlike_due(scene: CheckInScene) -> list[Ticket]:
    """Create pending tickets: one whose amount is what is due, and then those whose amount is not."""
    amounts = [Decimal(100), *DIFFERENT]
    return [await scene.ticket(status=TicketStatus.PENDING, amount=amount, due=Decimal(100)) for amount in amounts]


async def test_approval_passes_over_amounts_that_are_not_due(scene: CheckInScene) -> None:
    """What buyers say does not count as paid (decisions 6.1)."""
    tickets = await unlike_due(scene)
    answer = await decide(scene.organizer, APPROVE, tickets)
    codes = [(ticket.id, "AMOUNT_DIFFERS") for ticket in tickets[1:]]
    assert decided(answer) == ([tickets[0].id], codes)
    assert "99.99 taka, but 100.00 taka are due" in answer["data"]["answer"]["failed"][1]["message"]
    assert set(await statuses(tickets[1:])) == {TicketStatus.PENDING}


async def test_approval_of_all_refuses_an_amount_that_is_not_due(scene: CheckInScene) -> None:
    tickets = await unlike_due(scene)
    before = await snapshot()
    answer = await decide(scene.organizer, APPROVE, tickets, mode="ALL", acceptDifferences=False)
    assert error_code_and_status(answer) == ("AMOUNT_DIFFERS", 400)
    assert answer["errors"][0]["extensions"]["fields"].keys() == {"ticketIds.1"}
    assert await snapshot() == before


@pytest.mark.parametrize("mode", ["EACH", "ALL"])
async def test_accepted_amounts_are_approved_and_count_as_revenue(scene: CheckInScene, mode: str) -> None:
    tickets = await unlike_due(scene)
    stats = f"/events/{scene.event.id}/stats"
    assert (await scene.organizer.get(stats)).json()["data"]["revenue"] == 0
    answer = await decide(scene.organizer, APPROVE, tickets, mode=mode, acceptDifferences=True)
    assert decided(answer) == ([ticket.id for ticket in tickets], [])
    assert (await scene.organizer.get(stats)).json()["data"]["revenue"] == 300.99


@pytest.mark.parametrize("mode", ["EACH", "ALL"])
async def test_rejection_needs_no_amount(scene: CheckInScene, mode: str) -> None:
    tickets = await unlike_due(scene)
    assert decided(await decide(scene.organizer, REJECT, tickets, mode=mode)) == ([row.id for row in tickets], [])
