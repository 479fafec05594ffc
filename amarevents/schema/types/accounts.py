"""Accounts: registering, logging in and out, who one is, and what belongs to an account."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import strawberry

from amarevents.resolvers.accounts import auth as operations
from amarevents.resolvers.accounts.api_keys import ApiKeyView
from amarevents.resolvers.accounts.profiles import OwnedOrganizationView
from amarevents.resolvers.accounts.related import ACCOUNT, API_KEYS, TICKETS
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.core.inputs import RecordId
from amarevents.resolvers.core.pagination import Page
from amarevents.resolvers.tickets.queries import ListByStatus, TicketView, list_own_tickets
from amarevents.schema.core.context import Info
from amarevents.schema.core.dataloaders import require
from amarevents.schema.core.fields import link, mutation, paged_edge, query

if TYPE_CHECKING:
    from amarevents.schema.types.api_keys import ApiKey
    from amarevents.schema.types.tickets import TicketPage
    from amarevents.schema.types.users import OwnedOrganization


class _OfAccount(Protocol):
    """Any view of an account."""

    @property
    def id(self) -> RecordId: ...


async def _tickets(account: _OfAccount, info: Info, data: ListByStatus) -> Page[TicketView]:
    return await require(info.context.account_tickets, (account.id, data), "User")


async def _api_keys(account: _OfAccount, info: Info) -> list[ApiKeyView]:
    return await require(info.context.account_keys, account.id, "User")


async def _organizations(account: _OfAccount, info: Info) -> list[OwnedOrganizationView]:
    return await require(info.context.account_organizations, account.id, "User")


@strawberry.type
class WithTickets:
    """Where every view of an account leads to."""

    tickets = paged_edge(
        list_own_tickets,
        _tickets,
        Annotated["TicketPage", strawberry.lazy("amarevents.schema.types.tickets")],
        "Its own tickets, newest first; for the account itself and for admins.",
        of_account=TICKETS,
    )


@strawberry.type
class WithApiKeys:
    """Where those views lead to that do not hold the keys already."""

    api_keys = link(
        _api_keys,
        list[Annotated["ApiKey", strawberry.lazy("amarevents.schema.types.api_keys")]] | None,
        "Its keys, newest first, revoked ones included; for the account itself and for admins.",
        of_account=API_KEYS,
    )


@strawberry.type
class WithOrganizations:
    """Where those views lead to that do not hold the organizations already."""

    organizations = link(
        _organizations,
        list[Annotated["OwnedOrganization", strawberry.lazy("amarevents.schema.types.users")]] | None,
        "The organizations that it owns, oldest first; for the account itself and for admins.",
        of_account=ACCOUNT,
    )


@strawberry.type(name="Account", description=public_text(operations.AccountView.__doc__))
class Account(WithTickets, WithApiKeys, WithOrganizations, operations.AccountView):
    pass


def account_edge(account_id: Callable[[Any, Info], Awaitable[int | None]], description: str) -> Any:
    """A field that leads to an account, for that account itself and for admins; null where there is none."""

    async def load(root: Any, info: Info) -> operations.AccountView | None:
        found = await account_id(root, info)
        if found is None:
            return None
        ACCOUNT.check(info.context.request.principal, found)
        return await require(info.context.accounts, found, "User")

    return link(load, Account | None, description)


class _Owned(Protocol):
    @property
    def user_id(self) -> RecordId | None: ...


async def user_id_of(owned: _Owned, _info: Info) -> int | None:
    """The id of the account that the view itself names."""
    return owned.user_id


@strawberry.type(name="Auth", description=public_text(operations.AuthView.__doc__))
class Auth(operations.AuthView):
    pass


@strawberry.type(name="Identity", description=public_text(operations.IdentityView.__doc__))
class Identity(WithTickets, WithApiKeys, WithOrganizations, operations.IdentityView):
    auth: Auth


@strawberry.type(name="Logout", description="The session has ended.")
class Logout(operations.LogoutView):
    pass


@strawberry.type
class AccountQuery:
    me = query(operations.me, Identity)


@strawberry.type
class AccountMutation:
    register = mutation(operations.register, Account)
    login = mutation(operations.login, Account)
    logout = mutation(operations.logout, Logout)
