"""Accounts with what belongs to them: the caller's own account, and every account for admins.

All views of an account are one type. What a view lacks is loaded, for callers who may see it.
"""

from collections.abc import Sequence
from typing import Protocol

import strawberry

from amarevents.resolvers.accounts import profiles
from amarevents.resolvers.accounts import users as operations
from amarevents.resolvers.accounts.api_keys import load_account_keys
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
from amarevents.resolvers.core.descriptions import description_of
from amarevents.resolvers.core.inputs import DateTime, RecordId
from amarevents.resolvers.tickets.queries import ListTicketsByStatus, list_own_tickets
from amarevents.schema.core.context import GraphQLContext
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.edges import Batch, Detail, detail, edge, not_found, paged_edge
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


def _detail(name: str, returns: object) -> Detail:
    """Return a field that the account and admins see."""
    load = Batch(load=load_accounts, field=name, missing=not_found("User"))
    return detail(load, AccountView, name, returns, visible_to=ACCOUNT)


def _first(organizations: Sequence[OwnedOrganizationView]) -> OwnedOrganizationView | None:
    return next(iter(organizations), None)


async def _ticket_count(account: _AnyAccountView, context: GraphQLContext) -> int:
    key = (account.id, ListTicketsByStatus(limit=1))
    return (await context.require(load_account_tickets, key, "User")).pagination.total


async def _stats(account: _AnyAccountView, context: GraphQLContext) -> ProfileStatsView | None:
    caller = context.request.principal
    if caller.account is None or caller.account.id != account.id:
        return None
    profiles.get_profile.policy.check(caller)
    return await context.load(load_profile_stats, account.id)


async def _auth(account: _AnyAccountView, context: GraphQLContext) -> AuthView | None:
    request = context.request
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

    number = _detail("number", str | None)
    pfp = _detail("pfp", str | None)
    country = _detail("country", str | None)
    created_at = _detail("created_at", DateTime | None)
    auth = edge(
        _auth,
        Auth | None,
        f"{description_of(IdentityView, 'auth')} Null for accounts other than the caller's own.",
        attribute="auth",
    )
    token = detail(None, LoggedInAccountView, "token", str | None)
    organization = edge(
        Batch(load=load_account_organizations, pick=_first, missing=not_found("User")),
        Organization | None,
        f"{description_of(OwningAccountView, 'organization')} {_FOR_THE_ACCOUNT}",
        visible_to=ACCOUNT,
        attribute="organization",
    )
    organizations = edge(
        Batch(load=load_account_organizations, missing=not_found("User")),
        list[Organization] | None,
        f"{description_of(OwningAccountView, 'organizations')} {_FOR_THE_ACCOUNT}",
        visible_to=ACCOUNT,
        attribute="organizations",
    )
    tickets = paged_edge(
        list_own_tickets,
        Batch(load=load_account_tickets, missing=not_found("User")),
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
        Batch(load=load_account_keys, missing=not_found("User")),
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
