"""Overdue holds are found by an index, however many unpaid tickets there are."""

import re

import pytest
from starlette.applications import Starlette
from tortoise import connections

from amarevents.models import Ticket
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import CONNECTION
from amarevents.models.enums import TicketStatus
from tests.rest.conftest import Stage
from tests.support.holds import HOUR, end_holds
from tests.support.rest_answers import refused
from tests.support.selection import Backend
from tests.support.statements import Statement, counted_statements
from tests.support.world import World


@pytest.fixture
async def unpaid_tickets(world: World, stage: Stage, backend: Backend) -> None:
    """Fill the event with unpaid tickets that are not overdue."""
    ticket_type = await world.ticket_type(stage.event, price="500", capacity=4000, sold=4000)
    await Ticket.bulk_create(
        (
            Ticket(
                code=f"AE{number}",
                event=stage.event,
                user=stage.buyer_account,
                ticket_type=ticket_type,
                name="x",
                email="x@example.com",
                due=500,
                status=TicketStatus.PENDING,
                hold_expires_at=utc_now() + HOUR,
            )
            for number in range(4000)
        ),
        batch_size=500,
    )
    if backend == "postgres":
        await connections.get(CONNECTION).execute_query("ANALYZE")


async def plan_of(statement: Statement, backend: Backend) -> str:
    explain = "EXPLAIN" if backend == "postgres" else "EXPLAIN QUERY PLAN"
    steps = await connections.get(CONNECTION).execute_query_dict(f"{explain} {statement}", statement.values)
    return "\n".join(str(step) for step in steps)


@pytest.mark.usefixtures("unpaid_tickets")
async def test_overdue_holds_are_found_by_an_index(stage: Stage, app: Starlette, backend: Backend) -> None:
    with counted_statements() as statements:
        await end_holds(app)
        await refused(stage.buyer.post("/tickets", {"event_id": stage.event.id}), 400, "SOLD_OUT")
    searches = [statement for statement in statements if re.search('hold_expires_at"? ?<=', statement)]
    assert len(searches) == 2
    assert "ix_tickets_hold_expires_at" in await plan_of(searches[0], backend)
    assert "_hold" in await plan_of(searches[1], backend)
