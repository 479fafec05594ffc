"""At the door of an event: who scans, who holds tickets, and what they are told over GraphQL."""

from dataclasses import dataclass
from typing import Any

from amarevents.models import Event, Ticket
from tests.support.graphql_answers import refusal
from tests.support.world import Caller, World

# Any throughout: JSON, and models' fields as keyword arguments.

CHECK_IN = """mutation($code: String!, $gate: String, $scanId: String) {
    checkInTicket(code: $code, gate: $gate, scanId: $scanId) {
        outcome gate checkedInAt checkedInBy ticket { id status checkIn { gate } }
    }
}"""
UNDO = "mutation($id: ID!) { undoCheckIn(ticketId: $id) { id checkIn { gate } } }"


@dataclass
class Door:
    """A public event, its organizer's key, and the key of an attendee."""

    world: World
    event: Event
    organizer: Caller
    attendee: Caller

    async def ticket(self, **fields: Any) -> Ticket:
        assert self.attendee.user
        return await self.world.ticket(self.event, self.attendee.user, **fields)

    async def scan(self, ticket: Ticket, **arguments: Any) -> dict[str, Any]:
        """The whole answer to the organizer who scans a ticket."""
        return await self.organizer.graphql(CHECK_IN, code=ticket.code, **arguments)

    async def undo(self, ticket: Ticket) -> dict[str, Any]:
        return await self.organizer.graphql(UNDO, id=ticket.id)


async def open_door(world: World) -> Door:
    organizer = await world.organizer_key(username="gatekeeper")
    assert organizer.user
    return Door(world, await world.event(organizer.user), organizer, await world.user_key(username="guest"))


def admission(answer: dict[str, Any]) -> dict[str, Any]:
    """What a scan was answered, which must not have been refused."""
    assert "errors" not in answer, answer
    told: dict[str, Any] = answer["data"]["checkInTicket"]
    return told


def told(answer: dict[str, Any]) -> str:
    """What a scan has come to: its outcome, or the code of the refusal."""
    return refusal(answer)[0] if "errors" in answer else str(admission(answer)["outcome"])
