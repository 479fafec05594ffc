"""Accounts as admins see and change them (decisions 8.5, 8.6)."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationInfo, field_validator
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import ApiKey, Donation, Event, Organization, Ticket, User
from amarevents.models.enums import AccountType
from amarevents.resolvers.accounts.api_keys import ApiKeyView, load_account_keys
from amarevents.resolvers.accounts.auth import AccountName, AccountView, account_view
from amarevents.resolvers.accounts.deletion import cascade_delete_account
from amarevents.resolvers.accounts.email_confirmation import enqueue_confirmation_email
from amarevents.resolvers.accounts.profiles import OwningAccountView, owning_account_fields
from amarevents.resolvers.accounts.updates import change_account
from amarevents.resolvers.core.ids import UserId
from amarevents.resolvers.core.inputs import (
    DeletedView,
    Email,
    Flag,
    Input,
    NotNull,
    Password,
    Phone,
    ShortText,
    deleted,
)
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import tickets_of
from amarevents.resolvers.core.search import fold
from amarevents.resolvers.events.organizations import new_organization
from amarevents.security.auth.principals import account_of
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow


@dataclass(slots=True, kw_only=True)
class UserView(OwningAccountView):
    """An account as admins see it, with its organizations and keys; ``ticket_count``: of its own tickets."""

    api_keys: list[ApiKeyView]
    """The account's keys, revoked ones included."""
    ticket_count: int
    """How many tickets are the account's own."""


class ListUsers(Paging):
    """``search`` matches any part of username, email or number, whatever the case."""

    search: ShortText | None = None
    """Any part of the username, the email or the number; upper and lower case mean the same."""
    type: AccountType | None = None
    """Whether the account is a user's or an organizer's."""
    admin: Flag | None = None
    """Whether the account is an admin: 1 or 0."""


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_users(ctx: Context, data: ListUsers) -> Page[AccountView]:
    """All accounts, newest first."""
    conditions: dict[str, Any] = data.model_dump(include={"type", "admin"}, exclude_none=True)
    if data.search is not None:
        conditions["search_text__contains"] = fold(data.search)
    return await load_page(ctx, User.filter(**conditions).order_by("-id"), data, depends_on=(User,), view=account_view)


@operation(allow(*ADMINS, scope=Scope.ADMIN), raises=(errors.NotFound,))
async def get_user(ctx: Context, id: UserId) -> UserView:
    """One account with its organizations, API keys and number of tickets."""
    user = await User.get_or_none(id=id)
    if user is None:
        raise errors.NotFound("User")
    return await _user_view(ctx, user)


async def _user_view(ctx: Context, user: User) -> UserView:
    return UserView(
        **await owning_account_fields(ctx, user),
        api_keys=(await load_account_keys(ctx, [user.id]))[user.id],
        ticket_count=await Ticket.filter(tickets_of(ctx, account_of(user))).count(),
    )


class UpdateUser(Input):
    """What admins change of an account; null clears ``country``.

    ``promote_organizer`` makes it an organizer, with an organization if it owns none; ``demote_organizer`` makes it a
    user again and keeps its data. A new ``password`` ends its sessions.
    """

    username: NotNull[AccountName] = None
    """The account's name, of 3 to 50 characters; no two differ in case alone."""
    email: NotNull[Email] = None
    """An email address; upper and lower case mean the same."""
    number: NotNull[Phone] = None
    """A phone number, with or without the country code."""
    type: NotNull[AccountType] = None
    """Whether the account is a user's or an organizer's."""
    admin: NotNull[Flag] = None
    """Whether the account is an admin."""
    country: ShortText | None = None
    """The country that the account names as its own."""
    password: NotNull[Password] = None
    """A password of 6 to 128 characters."""
    promote_organizer: NotNull[Flag] = None
    """True makes the account an organizer, with an organization if it owns none."""
    demote_organizer: NotNull[Flag] = None
    """True makes the account a user again; its events and organizations stay."""

    @field_validator("promote_organizer")
    @classmethod
    def _not_a_user(cls, promote: bool | None, info: ValidationInfo) -> bool | None:
        if promote and info.data.get("type") is AccountType.USER:
            raise ValueError("contradicts type")
        return promote

    @field_validator("demote_organizer")
    @classmethod
    def _not_an_organizer(cls, demote: bool | None, info: ValidationInfo) -> bool | None:
        """decisions 5.3"""
        if demote and info.data.get("promote_organizer"):
            raise ValueError("contradicts promote_organizer")
        if demote and info.data.get("type") is AccountType.ORGANIZER:
            raise ValueError("contradicts type")
        return demote


@operation(
    allow(*ADMINS, scope=Scope.ADMIN),
    changes=(User, Organization),
    raises=(errors.NotFound, errors.UsernameTaken, errors.EmailTaken, errors.LastAdmin),
)
async def update_user(ctx: Context, id: UserId, data: UpdateUser) -> UserView:
    """Change an account."""
    if not await User.exists(id=id):
        raise errors.NotFound("User")
    changes = await _columns(ctx, data)
    async with in_transaction():
        user, has_other_admins = await _lock_with_admins(id)
        if user.admin and data.admin is False and not has_other_admins:
            raise errors.LastAdmin
        is_readdressed = data.email is not None and data.email != user.email
        await change_account(ctx, user, changes | ({"email_confirmed_at": None} if is_readdressed else {}))
        if is_readdressed:
            await enqueue_confirmation_email(ctx, user)
        if data.promote_organizer and not await Organization.exists(user_id=user.id):
            await new_organization(name=user.username, user_id=user.id)
    return await _user_view(ctx, user)


async def _columns(ctx: Context, data: UpdateUser) -> dict[str, Any]:
    """What is to be written; the password is hashed before anything is locked."""
    changes = data.changed_fields()
    password = changes.pop("password", None)
    if password is not None:
        changes["password_hash"] = await ctx.services.hasher.hash(password)
    if changes.pop("promote_organizer", None):
        changes["type"] = AccountType.ORGANIZER
    if changes.pop("demote_organizer", None):
        changes["type"] = AccountType.USER
    return changes


async def _lock_with_admins(user_id: int) -> tuple[User, bool]:
    """The account, and whether there are admins beside it; all of them locked, always in the same order.

    Two admins who demote each other at once: the second one waits, and finds itself to be the last. Raises NotFound.
    """
    rows = await User.filter(Q(admin=True) | Q(id=user_id)).order_by("id").select_for_update()
    user = next((row for row in rows if row.id == user_id), None)
    if user is None:
        raise errors.NotFound("User")
    return user, any(row.admin for row in rows if row.id != user_id)


@operation(
    allow(*ADMINS, scope=Scope.ADMIN),
    changes=(User, Organization, Event, Ticket, Donation, ApiKey),
    raises=(errors.NotFound, errors.OwnAccount, errors.LastAdmin),
)
async def delete_user(ctx: Context, id: UserId) -> DeletedView:
    """Delete an account for good, with its tickets, keys, organizations and all that hangs on them."""
    if id == ctx.principal.require_account().id:
        raise errors.OwnAccount
    async with in_transaction():
        user, has_other_admins = await _lock_with_admins(id)
        if user.admin and not has_other_admins:
            raise errors.LastAdmin
        await cascade_delete_account(ctx, id)
    return deleted(id)
