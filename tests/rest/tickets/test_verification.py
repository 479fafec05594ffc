"""Verification of tickets, which changes nothing (decisions 6.10)."""

import pytest

from amarevents.models import Ticket
from amarevents.models.enums import TicketStatus
from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import World, in_days, snapshot


@pytest.fixture
async def ticket(world: World, stage: Stage) -> Ticket:
    return await world.ticket(stage.event, stage.buyer_account)


@pytest.mark.parametrize("status", list(TicketStatus))
@pytest.mark.parametrize("caller_name", ["organizer", "admin"])
async def test_verification_returns_whether_a_ticket_is_valid(
    world: World, stage: Stage, status: TicketStatus, caller_name: str
) -> None:
    event = await world.event(stage.organization, name="Tech Summit", date=in_days(1))
    ticket = await world.ticket(event, stage.buyer_account, status=status, name="Karim Rahman")
    for reference in (ticket.id, ticket.code):
        assert data_of(await getattr(stage, caller_name).post(f"/tickets/{reference}/verify")) == {
            "ticket_id": ticket.id, "name": "Karim Rahman", "email": "buyer@example.com", "status": status.value,
            "event": "Tech Summit", "event_date": in_days(1).isoformat(), "valid": status is TicketStatus.SUCCESS,
            "reason": None if status is TicketStatus.SUCCESS else "TICKET_NOT_VALID",
        }  # fmt: skip


async def test_repeated_verification_changes_nothing(stage: Stage, ticket: Ticket) -> None:
    before = await snapshot()
    responses = [data_of(await stage.organizer.post(f"/tickets/{ticket.id}/verify", {})) for _ in range(3)]
    assert responses[0] == responses[1] == responses[2]
    assert await snapshot() == before


async def test_only_the_owner_and_admins_verify_tickets(world: World, stage: Stage, ticket: Ticket) -> None:
    assert stage.rival.user is not None
    own = await world.ticket(stage.event, stage.rival.user)
    for reference in (ticket.id, ticket.code, "AEUNKNOWN", "0", "999999", "99999999999999999999"):
        await refused(stage.rival.post(f"/tickets/{reference}/verify"), 404, "NOT_FOUND")
    await refused(stage.rival.post(f"/tickets/{own.id}/verify"), 403, "FORBIDDEN")
    await refused(stage.buyer.post(f"/tickets/{ticket.id}/verify"), 403, "WRONG_KEY_TYPE")


async def test_body_of_a_verification_has_nothing_but_the_event(stage: Stage, ticket: Ticket) -> None:
    for body in ({"ticket": "1"}, {"id": 1}, {"code": ticket.code}, {"colour": "red"}):
        await refused(stage.organizer.post(f"/tickets/{ticket.id}/verify", body), 400, "VALIDATION_ERROR")
