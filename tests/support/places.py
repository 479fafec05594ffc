"""The places that tickets hold, counted for each ticket type."""

from amarevents.models import Ticket, TicketType
from amarevents.models.enums import TicketStatus

HOLDING = [TicketStatus.PENDING, TicketStatus.SUCCESS]
"""The statuses in which a ticket holds a place."""


async def places_held() -> dict[int, int]:
    """Return the number of places held per ticket type, which must equal the number that the type stores."""
    stored = {ticket_type.id: ticket_type.sold for ticket_type in await TicketType.all()}
    tickets = await Ticket.filter(status__in=HOLDING, ticket_type_id__isnull=False)
    counted = {type_id: len([ticket for ticket in tickets if ticket.ticket_type_id == type_id]) for type_id in stored}
    assert counted == stored
    return counted
