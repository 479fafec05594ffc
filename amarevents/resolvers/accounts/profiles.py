"""The caller's own account: its profile and the changes that it can make to it (decisions 2.7, 8.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import User
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts.auth import password_attempt
from amarevents.resolvers.accounts.signup import AccountView
from amarevents.resolvers.accounts.updates import change_account
from amarevents.resolvers.core.inputs import Input, NotNull, RecordId
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import own_tickets
from amarevents.resolvers.core.select import whole
from amarevents.resolvers.core.text_types import EnteredPassword, ImageUrl, Password, Phone, ShortText, Username
from amarevents.resolvers.core.views import extend
from amarevents.resolvers.events.organizations import OrganizationView, select_organizations
from amarevents.resolvers.events.statistics import TicketCounts, tally_tickets
from amarevents.security.context import Context
from amarevents.security.policy import USERS, Scope, allow
from amarevents.security.rate_limit.quotas import failed_password_quota


@dataclass(slots=True, kw_only=True)
class OwnedOrganizationView(OrganizationView):
    """An organization of the account, with details that only its owner and admins can see."""

    user_id: RecordId
    """The ID of the account that owns the organization."""
    eventcount: int | None
    """The maximum number of events that the organization can have at the same time; null means unlimited."""
    events_used: int
    """The number of events that the organization has now."""


_ORGANIZATIONS = select_organizations(OwnedOrganizationView).order_by("organizations.id")


@dataclass(slots=True, kw_only=True)
class ProfileStatsView:
    """Statistics of the account's own tickets."""

    total_tickets: int
    """The number of tickets, regardless of status."""
    approved_tickets: int
    """The number of approved tickets."""
    total_spent: Decimal
    """The total amount paid for approved tickets, in taka with at most two decimals."""


@dataclass(slots=True, kw_only=True)
class OwningAccountView(AccountView):
    """An account with the organizations that it owns."""

    organization: OwnedOrganizationView | None
    """The oldest organization that the account owns; null if it owns none."""
    organizations: list[OwnedOrganizationView]
    """All organizations that the account owns, oldest first."""


@dataclass(slots=True, kw_only=True)
class ProfileView(OwningAccountView):
    """The caller's own account, with the organizations that it owns and statistics of its tickets."""

    stats: ProfileStatsView
    """Statistics of the account's own tickets."""


async def load_account_organizations(
    ctx: Context, account_ids: Sequence[int]
) -> dict[int, list[OwnedOrganizationView]]:
    """Return the organizations that accounts own, oldest first, by account ID, in one statement."""
    return await _ORGANIZATIONS.grouped_by("user_id", account_ids, ctx.fields)


async def load_owning_account(ctx: Context, user: User) -> OwningAccountView:
    """Return an account with the organizations that it owns, in two statements."""
    organizations = (await load_account_organizations(whole(ctx), [user.id]))[user.id]
    oldest = organizations[0] if organizations else None
    added = partial(OwningAccountView, organization=oldest, organizations=organizations)
    return extend(AccountView.from_model(user), to=added)


@operation(allow(*USERS, scope=Scope.USERS_READ))
async def get_profile(ctx: Context) -> ProfileView:
    """Get the caller's own account with its organizations and statistics of its tickets."""
    return await _load_profile(ctx)


async def _load_profile(ctx: Context) -> ProfileView:
    account = await load_owning_account(ctx, await _get_own_user(ctx))
    return extend(account, to=partial(ProfileView, stats=await _load_own_stats(ctx)))


async def load_profile_stats(ctx: Context, account_ids: Sequence[int]) -> dict[int, ProfileStatsView]:
    """Return the statistics of the caller's own account, in one statement, and nothing of other accounts."""
    own = ctx.principal.require_account().id
    return {own: await _load_own_stats(ctx)} if own in account_ids else {}


async def _load_own_stats(ctx: Context) -> ProfileStatsView:
    counts = TicketCounts.from_tallies(await tally_tickets(own_tickets(ctx)))
    return ProfileStatsView(
        total_tickets=counts.total,
        approved_tickets=counts.approved,
        total_spent=counts.revenue,
    )


async def _get_own_user(ctx: Context) -> User:
    """Return the caller's account. Raises Unauthenticated if it has just been deleted."""
    return _require_existing(await User.get_or_none(id=ctx.principal.require_account().id))


async def _lock_own_user(user_id: int) -> User:
    """Lock the caller's account until the transaction ends. Raises Unauthenticated if it has just been deleted."""
    return _require_existing(await User.filter(id=user_id).select_for_update().get_or_none())


def _require_existing(user: User | None) -> User:
    if user is None:
        raise errors.Unauthenticated
    return user


class UpdateProfile(Input):
    """Fields of the account to update; omitted fields stay unchanged."""

    username: NotNull[Username] = None
    """The username, 3 to 50 characters long. Neither case nor invisible characters make a difference."""
    number: NotNull[Phone] = None
    """The phone number, with or without country code."""
    pfp: ImageUrl | None = None
    """The URL of the profile picture, or its path on the site; null removes it."""
    country: ShortText | None = None
    """The country of the account; null removes it."""
    password: NotNull[Password] = None
    """The new password, 6 to 128 characters long. It ends the other sessions of the account."""
    current_password: EnteredPassword | None = None
    """The current password. Required to set a new password."""


@operation(
    allow(*USERS, scope=Scope.USERS_WRITE, without_scope=[KeyType.ORGANIZER]),
    changes=(User,),
    raises=(errors.UsernameTaken, errors.ValidationFailed, errors.RateLimited, errors.Forbidden),
)
async def update_profile(ctx: Context, data: UpdateProfile) -> ProfileView:
    """Update the caller's own account. Organizer keys can change everything but the password."""
    changes = data.changed_fields()
    for secret in ("current_password", "password"):
        changes.pop(secret, None)
    known = await _get_own_user(ctx)
    if data.password is not None:
        await _require_password(ctx, known, data.current_password)
        changes["password_hash"] = await ctx.services.hasher.hash(data.password)
    async with ctx.services.principals.changing(known.id), in_transaction():
        user = await _lock_own_user(known.id)
        if data.password is not None and user.password_hash != known.password_hash:
            raise _incorrect_password()  # it has been changed since it was verified
        await change_account(ctx, user, changes)
    return await _load_profile(ctx)


async def _require_password(ctx: Context, user: User, password: str | None) -> None:
    """Require the permission to change the password, and the current one (decisions 2.7).

    Failures count as failed logins, so that an open session cannot guess it.
    """
    if not ctx.principal.holds(Scope.USERS_WRITE):
        raise errors.Forbidden("An organizer key cannot change the password; use a user key, an admin key or a session")
    if password is None:
        raise errors.ValidationFailed({"current_password": "is required to change the password"})
    async with password_attempt(ctx, [failed_password_quota(user.email, ctx.services.settings)]):
        if not await ctx.services.hasher.verify(password, user.password_hash):
            raise _incorrect_password()


def _incorrect_password() -> errors.ValidationFailed:
    return errors.ValidationFailed({"current_password": "is incorrect"})
