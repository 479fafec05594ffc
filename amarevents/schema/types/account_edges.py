"""Edges from other objects to the accounts that they belong to."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.types.field import StrawberryField

from amarevents.resolvers.accounts.related import ACCOUNT, load_accounts
from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.edges import Batch, Parent, edge, not_found

if TYPE_CHECKING:
    from amarevents.schema.types.users import User


def account_edge(
    account_id: str | Callable[[Parent, GraphQLContext], Awaitable[int | None]], description: str
) -> StrawberryField:
    """Return an edge to an account, which is null without one. Visible to the account itself and to admins.

    ``account_id`` is the attribute with the ID of the account, or a function that finds it.
    """
    attribute = account_id if isinstance(account_id, str) else "id"
    batch = Batch(load=load_accounts, key=attribute, missing=not_found("User"), require_access=ACCOUNT.check)

    async def find(parent: Parent, context: GraphQLContext) -> object:
        assert callable(account_id)  # noqa: S101 - for the type checker
        return await batch.find_by(await account_id(parent, context), context)

    returns = Annotated["User", strawberry.lazy("amarevents.schema.types.users")] | None
    load = batch if isinstance(account_id, str) else find
    return edge(load, returns, f"{description} Visible to that account and to admins.")
