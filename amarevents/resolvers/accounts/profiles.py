"""One's own account: the profile, and what of it one can change (decisions 2.7, 8.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import Organization, User
from amarevents.models.enums import KeyType
from amarevents.resolvers.accounts.auth import AccountName, AccountView, account_fields, counted_attempt
from amarevents.resolvers.accounts.updates import change_account
from amarevents.resolvers.core.inputs import Input, NotNull, Password, Phone, RecordId, ShortText, Url
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.permissions import own_tickets
from amarevents.resolvers.events.organizations import OrganizationView, organization_fields, public_event_counts
from amarevents.resolvers.events.statistics import counts, tally
from amarevents.security.context import Context
from amarevents.security.policy import USERS, Scope, allow


@dataclass(slots=True, kw_only=True)
class OwnedOrganizationView(OrganizationView):
    """An organization within its owner's account: as lists show it, and what only owner and admins see (decisions 5.1).

    ``eventcount``: its allowance of events at once, null = unlimited.
    """

    user_id: RecordId
    """The id of the account that it belongs to."""
    eventcount: int | None
    """How many events the organization may have at once; null is unlimited."""
    events_used: int
    """How many events the organization has now, which count against `eventcount`."""


@dataclass(slots=True, kw_only=True)
class ProfileStatsView:
    """The account's own tickets; ``total_spent`` on the approved ones, in taka."""

    total_tickets: int
    """How many tickets there are, whatever their status."""
    approved_tickets: int
    """How many of the account's tickets have the status `Success`."""
    total_spent: Decimal
    """The sum of the account's approved tickets, in taka with at most two decimals."""


@dataclass(slots=True, kw_only=True)
class OwningAccountView(AccountView):
    """An account with its organizations, oldest first; ``organization`` is the first of them."""

    organization: OwnedOrganizationView | None
    """The oldest organization that the account owns; null if it owns none."""
    organizations: list[OwnedOrganizationView]
    """All organizations that the account owns."""


@dataclass(slots=True, kw_only=True)
class ProfileView(OwningAccountView):
    """One's own account, with its organizations and the sum of its tickets."""

    stats: ProfileStatsView
    """The counts of the account's own tickets."""


async def load_account_organizations(
    ctx: Context, account_ids: Sequence[int]
) -> dict[int, list[OwnedOrganizationView]]:
    """The organizations of accounts, oldest first, by account, in two statements."""
    organizations: dict[int, list[OwnedOrganizationView]] = {account_id: [] for account_id in account_ids}
    rows = await Organization.filter(user_id__in=list(account_ids)).select_related("plan").order_by("id")
    public_events = await public_event_counts([row.id for row in rows])
    for row in rows:
        organizations[row.user_id].append(_owned_view(row, public_events.get(row.id, 0)))
    return organizations


def _owned_view(row: Organization, public_events: int) -> OwnedOrganizationView:
    return OwnedOrganizationView(
        **organization_fields(row, public_events),
        user_id=RecordId(row.user_id),
        eventcount=row.eventcount,
        events_used=row.events_used,
    )


async def owning_account_fields(ctx: Context, user: User) -> dict[str, Any]:  # Any: each field's own type
    """The fields of OwningAccountView, in two statements."""
    organizations = (await load_account_organizations(ctx, [user.id]))[user.id]
    return {
        **account_fields(user),
        "organization": organizations[0] if organizations else None,
        "organizations": organizations,
    }


@operation(allow(*USERS, scope=Scope.USERS_READ))
async def get_profile(ctx: Context) -> ProfileView:
    """One's own account with its organizations and statistics."""
    return await _profile(ctx)


async def _profile(ctx: Context) -> ProfileView:
    user = await _get_own_user(ctx)
    of_tickets = counts(await tally(own_tickets(ctx)))
    stats = ProfileStatsView(
        total_tickets=of_tickets["total"],
        approved_tickets=of_tickets["approved"],
        total_spent=of_tickets["revenue"],
    )
    return ProfileView(**await owning_account_fields(ctx, user), stats=stats)


async def _get_own_user(ctx: Context) -> User:
    """Raises Unauthenticated if the account has been deleted meanwhile."""
    return _existing(await User.get_or_none(id=ctx.principal.require_account().id))


async def _lock_own_user(user_id: int) -> User:
    """Keep everybody else from changing the account until the transaction ends. Raises Unauthenticated as above."""
    return _existing(await User.filter(id=user_id).select_for_update().get_or_none())


def _existing(user: User | None) -> User:
    if user is None:
        raise errors.Unauthenticated
    return user


class UpdateProfile(Input):
    """What of one's own account can change; null clears what is optional.

    A new ``password`` needs the ``current_password``, and ends the account's other sessions.
    """

    username: NotNull[AccountName] = None
    """The account's name, of 3 to 50 characters; no two differ in case alone."""
    number: NotNull[Phone] = None
    """A phone number, with or without the country code."""
    pfp: Url | None = None
    """The http or https address of the account's picture."""
    country: ShortText | None = None
    """The country that the account names as its own."""
    password: NotNull[Password] = None
    """A password of 6 to 128 characters."""
    current_password: Annotated[ShortText | None, Field(validate_default=True)] = None
    """The password until now; needed where a new one is sent."""

    @field_validator("current_password")
    @classmethod
    def _with_a_new_one(cls, current: str | None, info: ValidationInfo) -> str | None:
        if current is None and info.data.get("password") is not None:
            raise ValueError("is required to change the password")
        return current


@operation(
    allow(KeyType.USER, KeyType.ADMIN, scope=Scope.USERS_WRITE),
    changes=(User,),
    raises=(errors.UsernameTaken, errors.ValidationFailed, errors.RateLimited),
)
async def update_profile(ctx: Context, data: UpdateProfile) -> ProfileView:
    """Change one's own account."""
    changes = data.changed_fields()
    current, password = changes.pop("current_password", None), changes.pop("password", None)
    known = await _get_own_user(ctx)
    if password is not None:
        await _require_password(ctx, known, current)
        changes["password_hash"] = await ctx.services.hasher.hash(password)
    async with in_transaction():
        user = await _lock_own_user(known.id)
        if password is not None and user.password_hash != known.password_hash:
            raise _wrong_password()  # it has been changed meanwhile
        await change_account(ctx, user, changes)
    return await _profile(ctx)


async def _require_password(ctx: Context, user: User, password: str) -> None:
    """A wrong one counts as a failed login: whoever has found an open session cannot guess for ever."""
    async with counted_attempt(ctx, user.email):
        if not await ctx.services.hasher.verify(password, user.password_hash):
            raise _wrong_password()


def _wrong_password() -> errors.ValidationFailed:
    return errors.ValidationFailed({"current_password": "is wrong"})
