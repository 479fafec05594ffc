"""Edges from other objects to the accounts that they belong to."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Protocol

import strawberry
from strawberry.types.field import StrawberryField

from amarevents.resolvers.accounts.related import ACCOUNT, load_accounts
from amarevents.resolvers.accounts.signup import AccountView
from amarevents.resolvers.core.inputs import RecordId
from amarevents.schema.core.context import Info
from amarevents.schema.core.edges import Parent, edge

if TYPE_CHECKING:
    from amarevents.schema.types.users import User


def account_edge(find_account_id: Callable[[Parent, Info], Awaitable[int | None]], description: str) -> StrawberryField:
    """Return an edge to an account, which is null without one. Visible to the account itself and to admins."""

    async def load(parent: Parent, info: Info) -> AccountView | None:
        account_id = await find_account_id(parent, info)
        if account_id is None:
            return None
        ACCOUNT.check(info.context.request.principal, account_id)
        return await info.context.require(load_accounts, account_id, "User")

    returns = Annotated["User", strawberry.lazy("amarevents.schema.types.users")] | None
    return edge(load, returns, f"{description} Visible to that account and to admins.")


class _Owned(Protocol):
    @property
    def user_id(self) -> RecordId | None: ...


async def get_user_id(owned: _Owned, _info: Info) -> int | None:
    """Return the ID of the account that a view contains."""
    return owned.user_id
