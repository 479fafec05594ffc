"""Accounts: registration, sessions, the caller's own account, and edges from and to accounts."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Protocol

import strawberry
from strawberry.types.field import StrawberryField

from amarevents.resolvers.accounts import auth as operations
from amarevents.resolvers.accounts import signup
from amarevents.resolvers.accounts.api_keys import ApiKeyView, load_account_keys
from amarevents.resolvers.accounts.profiles import OwnedOrganizationView, load_account_organizations
from amarevents.resolvers.accounts.related import ACCOUNT, API_KEYS, TICKETS, load_account_tickets, load_accounts
from amarevents.resolvers.core import pagination
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.tickets.queries import ListTicketsByStatus, TicketView, list_own_tickets
from amarevents.schema.core.context import Info
from amarevents.schema.core.edges import Parent, edge, paged_edge
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Page

if TYPE_CHECKING:
    from amarevents.schema.types.api_keys import ApiKey
    from amarevents.schema.types.tickets import Ticket
    from amarevents.schema.types.users import OwnedOrganization


class _AnyAccountView(Protocol):
    """Any view of an account."""

    @property
    def id(self) -> RecordId: ...


async def _tickets(account: _AnyAccountView, info: Info, data: ListTicketsByStatus) -> pagination.Page[TicketView]:
    return await info.context.require(load_account_tickets, (account.id, data), "User")


async def _api_keys(account: _AnyAccountView, info: Info) -> list[ApiKeyView]:
    return await info.context.require(load_account_keys, account.id, "User")


async def _organizations(account: _AnyAccountView, info: Info) -> list[OwnedOrganizationView]:
    return await info.context.require(load_account_organizations, account.id, "User")


@strawberry.type
class WithTickets:
    """An edge of all views of an account."""

    tickets = paged_edge(
        list_own_tickets,
        _tickets,
        Page[Annotated["Ticket", strawberry.lazy("amarevents.schema.types.tickets")]],
        "The account's tickets, newest first. Visible to the account itself and to admins.",
        visible_to=TICKETS,
    )


@strawberry.type
class WithApiKeys:
    """An edge of the views of an account that do not contain its API keys."""

    api_keys = edge(
        _api_keys,
        list[Annotated["ApiKey", strawberry.lazy("amarevents.schema.types.api_keys")]] | None,
        "The account's API keys, newest first, including revoked ones. Visible to the account itself and to admins.",
        visible_to=API_KEYS,
    )


@strawberry.type
class WithOrganizations:
    """An edge of the views of an account that do not contain its organizations."""

    organizations = edge(
        _organizations,
        list[Annotated["OwnedOrganization", strawberry.lazy("amarevents.schema.types.users")]] | None,
        "The organizations that the account owns, oldest first. Visible to the account itself and to admins.",
        visible_to=ACCOUNT,
    )


@object_type
class Account(WithTickets, WithApiKeys, WithOrganizations, signup.AccountView):
    pass


def account_edge(find_account_id: Callable[[Parent, Info], Awaitable[int | None]], description: str) -> StrawberryField:
    """Return an edge to an account, which is null without one. Visible to the account itself and to admins."""

    async def load(parent: Parent, info: Info) -> signup.AccountView | None:
        account_id = await find_account_id(parent, info)
        if account_id is None:
            return None
        ACCOUNT.check(info.context.request.principal, account_id)
        return await info.context.require(load_accounts, account_id, "User")

    return edge(load, Account | None, f"{description} Visible to that account and to admins.")


class _Owned(Protocol):
    @property
    def user_id(self) -> RecordId | None: ...


async def get_user_id(owned: _Owned, _info: Info) -> int | None:
    """Return the ID of the account that a view contains."""
    return owned.user_id


@object_type
class Auth(operations.AuthView):
    pass


@object_type
class Identity(WithTickets, WithApiKeys, WithOrganizations, operations.IdentityView):
    auth: Auth


@object_type
class Logout(operations.LogoutView):
    pass


@strawberry.type
class AccountQuery:
    me = query(operations.me, Identity)


@strawberry.type
class AccountMutation:
    register = mutation(signup.register, Account)
    login = mutation(operations.login, Account)
    logout = mutation(operations.logout, Logout)
