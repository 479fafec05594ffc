"""Unpaid tickets whose hold ends at a time that the test chooses."""

import datetime

from starlette.applications import Starlette

from amarevents.models import Event, Ticket, TicketType, User
from amarevents.models.columns import utc_now
from amarevents.models.enums import TicketStatus
from amarevents.resolvers.tickets.holds import end_overdue_holds
from tests.support.world import World

HOUR = datetime.timedelta(hours=1)


async def unpaid_ticket(
    world: World, event: Event, user: User, ticket_type: TicketType, *, ends_in: datetime.timedelta
) -> Ticket:
    """Create a pending ticket whose hold ends after a time, which is negative for one that is overdue."""
    return await world.ticket(
        event,
        user,
        ticket_type=ticket_type,
        status=TicketStatus.PENDING,
        due=ticket_type.price,
        hold_expires_at=utc_now() + ends_in,
    )


async def end_holds(app: Starlette, *, after: datetime.timedelta = datetime.timedelta()) -> None:
    """End the holds that are overdue after a time, as the maintenance of a process does."""
    await end_overdue_holds(app.state.services, utc_now() + after)
