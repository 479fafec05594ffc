"""Pages of the registrations for many events at once, in as many statements as for one."""

from collections.abc import Sequence

from tortoise.expressions import Q

from amarevents.resolvers.base import Context, Page
from amarevents.resolvers.ownership import managed_event_ids
from amarevents.resolvers.pages import Asked, load_pages
from amarevents.resolvers.tickets import ListByStatus, TicketView, newest_first, ticket_view, tickets_in


async def load_event_tickets(
    ctx: Context, asked: Sequence[tuple[int, ListByStatus]]
) -> dict[tuple[int, ListByStatus], Page[TicketView]]:
    """Pages of registrations, by event and what is asked of it; for events that the caller manages. Four statements."""
    managed_ids = set(await managed_event_ids(ctx, {event_id for event_id, _ in asked}))
    pages = {
        (event_id, data): Asked(rows=tickets_in(Q(event_id=event_id), data), paging=data)
        for event_id, data in asked
        if event_id in managed_ids
    }
    return await load_pages(pages, shown=newest_first, view=ticket_view)
