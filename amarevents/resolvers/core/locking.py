"""Row locks in one order.

Every transaction locks rows in the same order: account, events, tickets by ID, payment claims by key, ticket types by
ID, then organization. Transactions that need the same rows therefore wait for each other and cannot deadlock. Deleting
an account locks its organizations and their donations after the events, because it deletes the claims of both.
"""

from typing import TypeVar

from tortoise.models import Model
from tortoise.queryset import QuerySet

M = TypeVar("M", bound=Model)


async def lock_in_order(rows: QuerySet[M]) -> list[M]:
    """Lock the rows in the order of their IDs until the transaction ends, and return them with only the ID loaded.

    Rows of other tables, which the query joins for its condition, are not locked: that would break the order.
    """
    table = rows.model._meta.db_table  # noqa: SLF001 - Tortoise has no public name for it
    return await rows.order_by("id").select_for_update(of=(table,)).only("id")
