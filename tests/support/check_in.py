"""An event with an organizer who scans tickets and an attendee who holds them, over GraphQL."""

from dataclasses import dataclass
from typing import Any

from amarevents.models import Event, Ticket
from tests.support.graphql_answers import error_code_and_status
from tests.support.world import Caller, World

# Any throughout: JSON, and models' fields as keyword arguments.

CHECK_IN = """mutation($code: String!, $gate: String, $scanId: String) {
    checkInTicket(code: $code, gate: $gate, scanId: $scanId) {
        outcome gate checkedInAt checkedInBy ticket { id status checkIn { gate } }
    }
}"""
UNDO = "mutation($id: ID!) { undoCheckIn(ticketId: $id) { id checkIn { gate } } }"


@dataclass
class CheckInScene:
    """A public event, its organizer's key, and the key of an attendee."""

    world: World
    event: Event
    organizer: Caller
    attendee: Caller

    async def ticket(self, **fields: Any) -> Ticket:
        assert self.attendee.user
        return await self.world.ticket(self.event, self.attendee.user, **fields)

    async def scan(self, ticket: Ticket, **arguments: Any) -> dict[str, Any]:
        """Scan a ticket as the organizer, and return the whole response."""
        return await self.organizer.graphql(CHECK_IN, code=ticket.code, **arguments)

    async def undo(self, ticket: Ticket) -> dict[str, Any]:
        return await self.organizer.graphql(UNDO, id=ticket.id)


async def check_in_scene(world: World) -> CheckInScene:
    organizer = await world.organizer_key(username="gatekeeper")
    assert organizer.user
    return CheckInScene(world, await world.event(organizer.user), organizer, await world.user_key(username="guest"))


def check_in_result(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a scan that must succeed."""
    assert "errors" not in answer, answer
    result: dict[str, Any] = answer["data"]["checkInTicket"]
    return result


def outcome_or_code(answer: dict[str, Any]) -> str:
    """Return the outcome of a scan, or the code of its error."""
    return error_code_and_status(answer)[0] if "errors" in answer else str(check_in_result(answer)["outcome"])
