"""Data of accounts that other objects link to: who may see it, and loading it for many accounts at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from amarevents.models import User
from amarevents.models.db.sql import Sql, fetch, is_in, sql
from amarevents.resolvers.accounts.admin_api_keys import list_all_api_keys
from amarevents.resolvers.accounts.api_keys import ApiKeyView, list_api_keys, load_api_keys
from amarevents.resolvers.accounts.profiles import get_profile
from amarevents.resolvers.accounts.signup import ACCOUNTS, AccountView
from amarevents.resolvers.accounts.users import get_user
from amarevents.resolvers.core.bulk_pages import PageRequest, load_pages
from amarevents.resolvers.core.pagination import Page
from amarevents.resolvers.core.permissions import tickets_of
from amarevents.resolvers.core.select import by_id
from amarevents.resolvers.tickets.queries import (
    NEWEST_FIRST,
    ListTicketsByStatus,
    TicketView,
    get_ticket,
    list_own_tickets,
    tickets_in,
)
from amarevents.security.auth.principals import account_of
from amarevents.security.context import Context
from amarevents.security.policy import Policy, Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAccess:
    """Who may see data of an account: the account itself, and principals that may see it of any account.

    ``own`` is the policy of the operation that returns the data of the caller's own account; ``any_account`` are the
    policies of the operations that return it for any account, and all of them apply.
    """

    own: Policy
    any_account: tuple[Policy, ...]

    def check(self, principal: Principal, account_id: int) -> None:
        """Raise what the operation for the caller's own account or the one for any account would raise."""
        refusals = [refusal for policy in self.any_account if (refusal := policy.refusal(principal))]
        if not refusals:
            return
        if principal.account is None or principal.account.id != account_id:
            raise refusals[0]
        self.own.check(principal)


ACCOUNT = AccountAccess(own=get_profile.policy, any_account=(get_user.policy,))
"""Access to an account and its organizations."""
API_KEYS = AccountAccess(own=list_api_keys.policy, any_account=(list_all_api_keys.policy,))
TICKETS = AccountAccess(own=list_own_tickets.policy, any_account=(get_user.policy, get_ticket.policy))
"""Access to an account's tickets: admins also need the scope that reading a ticket requires."""


async def load_accounts(ctx: Context, ids: Sequence[int]) -> dict[int, AccountView]:
    """Return accounts by ID, in one statement, for callers whom ACCOUNT permits."""
    return by_id(await ACCOUNTS.where(is_in("users.id", ids)).fetch(ctx.fields))


async def load_keys(ctx: Context, ids: Sequence[int]) -> dict[int, ApiKeyView]:
    """Return API keys by ID, in one statement: those of the caller's account, and all to callers who may list them."""
    condition = is_in("api_keys.id", ids)
    if list_all_api_keys.policy.refusal(ctx.principal):
        condition &= sql("api_keys.user_id = ?", ctx.principal.require_account().id)
    return by_id(await load_api_keys(ctx, condition))


async def load_organization_owners(ctx: Context, organization_ids: Sequence[int]) -> dict[int, int]:
    """Return the IDs of the accounts that own the organizations, by organization ID, in one statement."""
    condition = is_in("id", organization_ids)
    rows = await fetch(Sql(f"SELECT id, user_id FROM organizations WHERE {condition.text}", condition.values))
    return {row[0]: row[1] for row in rows}


async def load_account_tickets(
    ctx: Context, requests: Sequence[tuple[int, ListTicketsByStatus]]
) -> dict[tuple[int, ListTicketsByStatus], Page[TicketView]]:
    """Return pages of accounts' own tickets, by account ID and request, in four statements.

    For callers whom TICKETS permits.
    """
    users = await User.filter(id__in=list({account_id for account_id, _ in requests}))
    own = {user.id: tickets_of(ctx, account_of(user)) for user in users}
    pages = {
        (account_id, data): PageRequest(rows=tickets_in(own[account_id], data), order=NEWEST_FIRST, paging=data)
        for account_id, data in requests
        if account_id in own
    }
    return await load_pages(pages)
