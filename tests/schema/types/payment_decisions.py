"""Bulk decisions on payments over GraphQL, and what came of them."""

from typing import Any

from amarevents.models import Ticket
from amarevents.models.enums import TicketStatus
from tests.support.check_in import CheckInScene
from tests.support.world import Caller

# Any throughout: JSON, and models' fields as keyword arguments.

FIELDS = "decided { id status decision { reason decidedAt } } failed { ticketId code message }"
DECIDE = "mutation($input: %s!) { answer: %s(input: $input) { %s } }"
APPROVE, REJECT = "approvePayments", "rejectPayments"
INPUTS = {APPROVE: "ApprovePaymentsInput", REJECT: "DecidePaymentsInput"}


async def decide(caller: Caller, field: str, tickets: list[Ticket], **options: Any) -> dict[str, Any]:
    """Decide the payments, and return the whole response."""
    data = {"ticketIds": [ticket.id for ticket in tickets], **options}
    return await caller.graphql(DECIDE % (INPUTS[field], field, FIELDS), input=data)


def decided(answer: dict[str, Any]) -> tuple[list[int], list[tuple[int, str]]]:
    """Return the IDs of the decided tickets, and those of the failed ones with their error codes."""
    assert "errors" not in answer, answer
    result = answer["data"]["answer"]
    failed = [(int(one["ticketId"]), one["code"]) for one in result["failed"]]
    return [int(one["id"]) for one in result["decided"]], failed


async def pending(scene: CheckInScene, count: int, **fields: Any) -> list[Ticket]:
    return [await scene.ticket(status=TicketStatus.PENDING, **fields) for _ in range(count)]


async def statuses(tickets: list[Ticket]) -> list[TicketStatus]:
    return [(await Ticket.get(id=ticket.id)).status for ticket in tickets]
