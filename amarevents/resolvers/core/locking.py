"""Deleting events and accounts with all that hangs on them, giving places and slots back (decisions 4.5, 8.6).

All of it runs in the caller's transaction. Rows are locked in one order everywhere (account, events, tickets by id,
then ticket types by id), so that a deletion and a registration wait for each other instead of for ever.
"""

from typing import TypeVar

from tortoise.expressions import F, Q
from tortoise.functions import Count
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents.models import Ticket, TicketType
from amarevents.models.enums import HOLDING

M = TypeVar("M", bound=Model)


async def _erase_tickets(which: Q) -> None:
    await lock_in_order(Ticket.filter(which))
    held = Ticket.filter(which, status__in=HOLDING, ticket_type_id__isnull=False)
    counts = await held.annotate(places=Count("id")).group_by("ticket_type_id").values_list("ticket_type_id", "places")
    await Ticket.filter(which).delete()
    for ticket_type_id, places in sorted(counts):
        await TicketType.filter(id=ticket_type_id).update(sold=F("sold") - places)


async def lock_in_order(rows: QuerySet[M]) -> list[M]:
    """Keep everybody else from changing the rows until the transaction ends. Of them no more is loaded than the id."""
    return await rows.order_by("id").select_for_update().only("id")
