"""Pages of the registrations for many events at once, in as many statements as for one."""

from collections.abc import Iterable, Mapping, Sequence

from tortoise import connections
from tortoise.functions import Count

from amarevents.models import Event, Ticket
from amarevents.models.enums import TicketStatus
from amarevents.models.storage import CONNECTION
from amarevents.resolvers.base import Context, Page, page_of
from amarevents.resolvers.ownership import managed
from amarevents.resolvers.tickets import ListByStatus, TicketView, ticket_view, with_event

_PAGE_OF_TICKETS = """
    SELECT {number} AS page, id FROM (
        SELECT id FROM tickets WHERE event_id = {event_id} {status} ORDER BY id DESC LIMIT {limit} OFFSET {offset}
    ) AS page_{number}
"""


async def load_event_tickets(
    ctx: Context, asked: Sequence[tuple[int, ListByStatus]]
) -> dict[tuple[int, ListByStatus], Page[TicketView]]:
    """Pages of registrations, by event and what is asked of it; for events that the caller manages. Four statements."""
    event_ids = {event_id for event_id, _ in asked}
    rows = await Event.filter(managed(ctx, "organization__user_id"), id__in=list(event_ids)).values_list("id")
    managed_ids: set[int] = {event_id for (event_id,) in rows}
    pages = [(event_id, data) for event_id, data in asked if event_id in managed_ids]
    if not pages:
        return {}
    ids = await _ticket_ids(pages)
    shown = with_event(Ticket.filter(id__in=sorted({one for found in ids for one in found})))
    views = {ticket.id: ticket_view(ticket) for ticket in await shown}
    totals = await _ticket_totals(managed_ids)
    return {
        (event_id, data): page_of(
            [views[one] for one in found if one in views], _total(totals, event_id, data.status), data
        )
        for (event_id, data), found in zip(pages, ids, strict=True)
    }


async def _ticket_ids(pages: Sequence[tuple[int, ListByStatus]]) -> list[list[int]]:
    """The ids on each page, newest first, in one statement that reads no more rows than the pages have.

    Only integers and the names of statuses go into its text. The cost of a document bounds how many pages there are.
    """
    statement = " UNION ALL ".join(
        _PAGE_OF_TICKETS.format(
            number=number,
            event_id=int(event_id),
            status=f"AND status = '{TicketStatus(data.status)}'" if data.status else "",
            limit=int(data.limit),
            offset=int(data.offset),
        )
        for number, (event_id, data) in enumerate(pages)
    )
    found: list[list[int]] = [[] for _ in pages]
    for row in await connections.get(CONNECTION).execute_query_dict(statement):
        found[row["page"]].append(row["id"])
    return [sorted(ids, reverse=True) for ids in found]


async def _ticket_totals(event_ids: Iterable[int]) -> dict[tuple[int, str], int]:
    """How many tickets each event has in each status."""
    rows = (
        await Ticket.filter(event_id__in=list(event_ids))
        .annotate(tickets=Count("id"))
        .group_by("event_id", "status")
        .values_list("event_id", "status", "tickets")
    )
    return {(event_id, str(status)): tickets for event_id, status, tickets in rows}


def _total(totals: Mapping[tuple[int, str], int], event_id: int, status: TicketStatus | None) -> int:
    wanted = [status] if status else list(TicketStatus)
    return sum(totals.get((event_id, str(one)), 0) for one in wanted)
