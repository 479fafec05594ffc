"""What belongs to accounts, reached from other things: who sees it, and loading it for many accounts at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from amarevents.models import Organization, User
from amarevents.resolvers.accounts.admin_api_keys import list_all_api_keys
from amarevents.resolvers.accounts.api_keys import list_api_keys
from amarevents.resolvers.accounts.auth import AccountView, account_view
from amarevents.resolvers.accounts.profiles import get_profile
from amarevents.resolvers.accounts.users import get_user
from amarevents.resolvers.core.bulk_pages import PageRequest, load_pages
from amarevents.resolvers.core.pagination import Page
from amarevents.resolvers.core.permissions import tickets_of
from amarevents.resolvers.tickets.queries import (
    ListByStatus,
    TicketView,
    get_ticket,
    list_own_tickets,
    newest_first,
    tickets_in,
)
from amarevents.security.auth.principals import account_of
from amarevents.security.context import Context
from amarevents.security.policy import Policy, Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAccounts:
    """Who sees something of an account: the account itself by ``own``, and whoever meets all policies of ``anybodys``.

    Each is the policy of a route that shows the same, of one's own account or of anybody's.
    """

    own: Policy
    anybodys: tuple[Policy, ...]

    def check(self, principal: Principal, account_id: int) -> None:
        """Raises what the route would: the one of one's own account for oneself."""
        refusals = [refusal for policy in self.anybodys if (refusal := policy.refusal(principal))]
        if not refusals:
            return
        if principal.account is None or principal.account.id != account_id:
            raise refusals[0]
        self.own.check(principal)


ACCOUNT = OfAccounts(own=get_profile.policy, anybodys=(get_user.policy,))
"""The account itself, and its organizations."""
API_KEYS = OfAccounts(own=list_api_keys.policy, anybodys=(list_all_api_keys.policy,))
TICKETS = OfAccounts(own=list_own_tickets.policy, anybodys=(get_user.policy, get_ticket.policy))
"""Admins see everybody's tickets with the scope of tickets alone."""


async def load_accounts(ctx: Context, ids: Sequence[int]) -> dict[int, AccountView]:
    """The accounts by id, in one statement; for whom ACCOUNT lets in."""
    return {user.id: account_view(user) for user in await User.filter(id__in=list(ids))}


async def load_organization_owners(ctx: Context, organization_ids: Sequence[int]) -> dict[int, int]:
    """The ids of the accounts that own the organizations, by organization, in one statement."""
    return dict(await Organization.filter(id__in=list(organization_ids)).values_list("id", "user_id"))


async def load_account_tickets(
    ctx: Context, asked: Sequence[tuple[int, ListByStatus]]
) -> dict[tuple[int, ListByStatus], Page[TicketView]]:
    """Pages of accounts' own tickets, by account and what is asked of it; for whom TICKETS lets in. Four statements."""
    users = await User.filter(id__in=list({account_id for account_id, _ in asked}))
    own = {user.id: tickets_of(ctx, account_of(user)) for user in users}
    pages = {
        (account_id, data): PageRequest(rows=tickets_in(own[account_id], data), paging=data)
        for account_id, data in asked
        if account_id in own
    }
    return await load_pages(pages, prepare=newest_first, view=TicketView.from_model)
