"""All accounts, as admins list, change and delete them (decisions 8.5, 8.6)."""

from dataclasses import dataclass
from functools import partial

from pydantic import StrictBool, ValidationInfo, field_validator
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import (
    ApiKey,
    CustomField,
    Donation,
    Event,
    GalleryImage,
    Organization,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.db.sql import Sql, contains, sql
from amarevents.models.enums import AccountType
from amarevents.resolvers.accounts.api_keys import ApiKeyView, load_account_keys
from amarevents.resolvers.accounts.deletion import cascade_delete_account
from amarevents.resolvers.accounts.email_confirmation import enqueue_confirmation_email
from amarevents.resolvers.accounts.profiles import OwningAccountView, load_owning_account
from amarevents.resolvers.accounts.signup import ACCOUNTS, AccountView
from amarevents.resolvers.accounts.updates import change_account
from amarevents.resolvers.core.ids import UserId
from amarevents.resolvers.core.inputs import DeletedView, Input, NotNull, deleted
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import tickets_of
from amarevents.resolvers.core.sorting import NEWEST_FIRST
from amarevents.resolvers.core.text_types import Email, Password, Phone, ShortText, Username
from amarevents.resolvers.core.views import extend
from amarevents.resolvers.events.organizations import new_organization
from amarevents.resolvers.tickets.queries import TICKETS
from amarevents.security.auth.principals import account_of
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, Scope, allow
from amarevents.text import email_key, is_part_of_phone, phone_digits, search_key


@dataclass(slots=True, kw_only=True)
class UserView(OwningAccountView):
    """An account as admins see it, with its organizations, its API keys and the number of its tickets."""

    api_keys: list[ApiKeyView]
    """The API keys of the account, including revoked keys."""
    ticket_count: int
    """The number of the account's own tickets."""


class ListUsers(Paging):
    """A page of accounts, filtered by search text, type and admin status."""

    search: ShortText | None = None
    """Return only accounts whose username, email address or phone number contains this text, regardless of case."""
    type: AccountType | None = None
    """Return only accounts of this type."""
    admin: StrictBool | None = None
    """True returns only admins, false only accounts that are not admins."""


def _matches(search: str) -> Sql:
    """Return the condition that an account contains a text; phone numbers are compared by their digits."""
    found = contains("users.search_text", search_key(search))
    return found | contains("users.search_text", phone_digits(search)) if is_part_of_phone(search) else found


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_users(ctx: Context, data: ListUsers) -> Page[AccountView]:
    """List all accounts, newest first."""
    rows = ACCOUNTS
    if data.search is not None:
        rows = rows.where(_matches(data.search))
    for name, value in data.model_dump(include={"type", "admin"}, exclude_none=True).items():
        rows = rows.where(sql(f"users.{name} = ?", value))
    return await load_page(ctx, rows, data, depends_on=(User,), order=NEWEST_FIRST)


@operation(allow(*ADMINS, scope=Scope.ADMIN), raises=(errors.NotFound,))
async def get_user(ctx: Context, id: UserId) -> UserView:
    """Get an account with its organizations, its API keys and the number of its tickets."""
    user = await User.get_or_none(id=id)
    if user is None:
        raise errors.NotFound("User")
    return await _load_view(ctx, user)


async def _load_view(ctx: Context, user: User) -> UserView:
    added = partial(
        UserView,
        api_keys=(await load_account_keys(ctx, [user.id]))[user.id],
        ticket_count=await TICKETS.where(tickets_of(ctx, account_of(user))).count(),
    )
    return extend(await load_owning_account(ctx, user), to=added)


class UpdateUser(Input):
    """Fields of the account to update; omitted fields stay unchanged."""

    username: NotNull[Username] = None
    """The username, 3 to 50 characters long. Neither case nor invisible characters make a difference."""
    email: NotNull[Email] = None
    """The email address, which identifies the account when logging in. It is stored in lower case."""
    number: NotNull[Phone] = None
    """The phone number, with or without country code."""
    type: NotNull[AccountType] = None
    """Whether the account can only register for events or also publish them."""
    admin: NotNull[StrictBool] = None
    """Whether the account is an admin."""
    country: ShortText | None = None
    """The country of the account; null removes it."""
    password: NotNull[Password] = None
    """The new password, 6 to 128 characters long. It ends all sessions of the account."""
    promote_organizer: NotNull[StrictBool] = None
    """True makes the account an organizer, and creates an organization for it if it owns none."""
    demote_organizer: NotNull[StrictBool] = None
    """True makes the account a user again. Its organizations and events are kept."""

    @field_validator("promote_organizer")
    @classmethod
    def _not_a_user(cls, promote: bool | None, info: ValidationInfo) -> bool | None:
        if promote and info.data.get("type") is AccountType.USER:
            raise ValueError("contradicts type")
        return promote

    @field_validator("demote_organizer")
    @classmethod
    def _not_an_organizer(cls, demote: bool | None, info: ValidationInfo) -> bool | None:
        """Refuse to demote and promote at the same time (decisions 5.3)."""
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
    """Update an account."""
    if not await User.exists(id=id):
        raise errors.NotFound("User")
    changes = await _columns(ctx, data)
    async with ctx.services.principals.changing(id), in_transaction():
        user, has_other_admins = await _lock_with_admins(id)
        if user.admin and data.admin is False and not has_other_admins:
            raise errors.LastAdmin
        has_new_email = data.email is not None and email_key(data.email) != user.email_key
        await change_account(ctx, user, changes | ({"email_confirmed_at": None} if has_new_email else {}))
        if has_new_email:
            await enqueue_confirmation_email(ctx, user)
        if data.promote_organizer and not await Organization.exists(user_id=user.id):
            await new_organization(name=user.username, user_id=user.id)
    return await _load_view(ctx, user)


async def _columns(ctx: Context, data: UpdateUser) -> dict[str, object]:
    """Return the columns to change. The password is hashed here, before rows are locked."""
    changes = data.changed_fields()
    changes.pop("password", None)
    if data.password is not None:
        changes["password_hash"] = await ctx.services.hasher.hash(data.password)
    if changes.pop("promote_organizer", None):
        changes["type"] = AccountType.ORGANIZER
    if changes.pop("demote_organizer", None):
        changes["type"] = AccountType.USER
    return changes


async def _lock_with_admins(user_id: int) -> tuple[User, bool]:
    """Lock an account and all admins, by ID, and return the account and whether there are other admins.

    If two admins demote each other at the same time, the second waits and is refused as the last admin. Raises
    NotFound.
    """
    rows = await User.filter(Q(admin=True) | Q(id=user_id)).order_by("id").select_for_update()
    user = next((row for row in rows if row.id == user_id), None)
    if user is None:
        raise errors.NotFound("User")
    return user, any(row.admin for row in rows if row.id != user_id)


@operation(
    allow(*ADMINS, scope=Scope.ADMIN),
    changes=(User, Organization, Event, TicketType, CustomField, GalleryImage, Ticket, Donation, ApiKey),
    raises=(errors.NotFound, errors.OwnAccount, errors.LastAdmin),
)
async def delete_user(ctx: Context, id: UserId) -> DeletedView:
    """Delete an account permanently, with its tickets, API keys, organizations and events."""
    if id == ctx.principal.require_account().id:
        raise errors.OwnAccount
    async with ctx.services.principals.changing(id), in_transaction():
        user, has_other_admins = await _lock_with_admins(id)
        if user.admin and not has_other_admins:
            raise errors.LastAdmin
        await cascade_delete_account(ctx, id)
    return deleted(id)
