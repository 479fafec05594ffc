"""Row locks in one order.

Every transaction locks rows in the same order: account, events, tickets by ID, then ticket types by ID. Transactions
that need the same rows therefore wait for each other and cannot deadlock.
"""

from typing import TypeVar

from tortoise.models import Model
from tortoise.queryset import QuerySet

M = TypeVar("M", bound=Model)


async def lock_in_order(rows: QuerySet[M]) -> list[M]:
    """Lock the rows in the order of their IDs until the transaction ends, and return them with only the ID loaded."""
    return await rows.order_by("id").select_for_update().only("id")
