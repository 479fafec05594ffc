"""Accounts with what belongs to them: the caller's own account, and every account for admins.

All views of an account are one type. What a view lacks is loaded, for callers who may see it.
"""

from typing import Protocol

import strawberry

from amarevents.resolvers.accounts import profiles
from amarevents.resolvers.accounts import users as operations
from amarevents.resolvers.accounts.api_keys import ApiKeyView, load_account_keys
from amarevents.resolvers.accounts.auth import AuthView, IdentityView, LoggedInAccountView
from amarevents.resolvers.accounts.profiles import (
    OwnedOrganizationView,
    OwningAccountView,
    ProfileStatsView,
    ProfileView,
    load_account_organizations,
    load_profile_stats,
)
from amarevents.resolvers.accounts.related import ACCOUNT, API_KEYS, TICKETS, load_account_tickets, load_accounts
from amarevents.resolvers.accounts.signup import AccountView
from amarevents.resolvers.accounts.users import UserView, get_user
from amarevents.resolvers.core import pagination
from amarevents.resolvers.core.descriptions import description_of
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.tickets.queries import ListTicketsByStatus, TicketView, list_own_tickets
from amarevents.schema.core.context import Info
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.edges import detail, edge, nothing, paged_edge
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Page
from amarevents.schema.types.api_keys import ApiKey
from amarevents.schema.types.organizations import Organization
from amarevents.schema.types.tickets import Ticket
from amarevents.security.policy import Principal

_FOR_THE_ACCOUNT = "Visible to the account itself and to admins."


class _AnyAccountView(Protocol):
    """Any view of an account."""

    @property
    def id(self) -> RecordId: ...


async def _account(account: _AnyAccountView, info: Info) -> AccountView:
    return await info.context.require(load_accounts, account.id, "User")


async def _tickets(account: _AnyAccountView, info: Info, data: ListTicketsByStatus) -> pagination.Page[TicketView]:
    return await info.context.require(load_account_tickets, (account.id, data), "User")


async def _ticket_count(account: _AnyAccountView, info: Info) -> int:
    return (await _tickets(account, info, ListTicketsByStatus(limit=1))).pagination.total


async def _api_keys(account: _AnyAccountView, info: Info) -> list[ApiKeyView]:
    return await info.context.require(load_account_keys, account.id, "User")


async def _organizations(account: _AnyAccountView, info: Info) -> list[OwnedOrganizationView]:
    return await info.context.require(load_account_organizations, account.id, "User")


async def _organization(account: _AnyAccountView, info: Info) -> OwnedOrganizationView | None:
    return next(iter(await _organizations(account, info)), None)


async def _stats(account: _AnyAccountView, info: Info) -> ProfileStatsView | None:
    caller = info.context.request.principal
    if caller.account is None or caller.account.id != account.id:
        return None
    profiles.get_profile.policy.check(caller)
    return await info.context.load(load_profile_stats, account.id)


async def _auth(account: _AnyAccountView, info: Info) -> AuthView | None:
    request = info.context.request
    if request.principal.account is None or request.principal.account.id != account.id:
        return None
    return AuthView.from_principal(request.principal, request.services.settings)


@object_type
class Auth(AuthView):
    pass


@object_type
class ProfileStats(profiles.ProfileStatsView):
    pass


def _require_account_access(principal: Principal, account_id: int) -> None:
    ACCOUNT.check(principal, account_id)


@node_type(load_accounts, require_access=_require_account_access)
@object_type
class User(Node, AccountView):
    """An account. Visible to the account itself and to admins."""

    number = detail(_account, AccountView, "number", str | None, visible_to=ACCOUNT)
    pfp = detail(_account, AccountView, "pfp", str | None, visible_to=ACCOUNT)
    country = detail(_account, AccountView, "country", str | None, visible_to=ACCOUNT)
    created_at = detail(_account, AccountView, "created_at", DateTime | None, visible_to=ACCOUNT)
    auth = edge(
        _auth,
        Auth | None,
        f"{description_of(IdentityView, 'auth')} Null for accounts other than the caller's own.",
        attribute="auth",
    )
    token = detail(nothing, LoggedInAccountView, "token", str | None)
    organization = edge(
        _organization,
        Organization | None,
        f"{description_of(OwningAccountView, 'organization')} {_FOR_THE_ACCOUNT}",
        visible_to=ACCOUNT,
        attribute="organization",
    )
    organizations = edge(
        _organizations,
        list[Organization] | None,
        f"{description_of(OwningAccountView, 'organizations')} {_FOR_THE_ACCOUNT}",
        visible_to=ACCOUNT,
        attribute="organizations",
    )
    tickets = paged_edge(
        list_own_tickets,
        _tickets,
        Page[Ticket],
        f"The account's tickets, newest first. {_FOR_THE_ACCOUNT}",
        visible_to=TICKETS,
    )
    ticket_count = edge(
        _ticket_count,
        int | None,
        f"{description_of(UserView, 'ticket_count')} Visible to admins.",
        policy_of=get_user,
        attribute="ticket_count",
    )
    api_keys = edge(
        _api_keys,
        list[ApiKey] | None,
        f"The account's API keys, newest first, including revoked ones. {_FOR_THE_ACCOUNT}",
        visible_to=API_KEYS,
        attribute="api_keys",
    )
    stats = edge(
        _stats,
        ProfileStats | None,
        f"{description_of(ProfileView, 'stats')} Null for accounts other than the caller's own.",
        attribute="stats",
    )


@strawberry.type
class UserQuery:
    my_profile = query(profiles.get_profile, User)
    users = query(operations.list_users, Page[User])
    user = query(operations.get_user, User)


@strawberry.type
class UserMutation:
    update_me = mutation(profiles.update_profile, User)
    update_user = mutation(operations.update_user, User)
    delete_user = mutation(operations.delete_user, Deleted)
