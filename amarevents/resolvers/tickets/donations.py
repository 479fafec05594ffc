"""Donations to organizations and to the platform (decisions 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import Donation, Organization
from amarevents.models.columns import MAX_ID
from amarevents.models.db.sql import TRUE, Sql, is_in, sql
from amarevents.models.enums import DonationStatus, PaymentMethod
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.resolvers.core.ids import DonationId
from amarevents.resolvers.core.inputs import DateTime, Id, Input, RecordId, Taka
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import managed_by_caller
from amarevents.resolvers.core.select import Select, by_id
from amarevents.resolvers.core.sorting import NEWEST_FIRST
from amarevents.resolvers.core.sources import Source
from amarevents.resolvers.core.text_types import Email, LongText, Phone
from amarevents.resolvers.core.transaction_ids import TransactionId
from amarevents.resolvers.tickets.payment_claims import ClaimMove, claim_of_donation, move_claims
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, ORGANIZERS, PUBLIC, Scope, allow
from amarevents.security.rate_limit.quotas import AddressLimit
from amarevents.text import compact

_MIN_CHARACTERS = 5
"""How many letters and digits a transaction ID has at least."""


@dataclass(slots=True, kw_only=True)
class DonationView:
    """A donation by mobile payment to an organization or to the platform."""

    id: RecordId
    """The ID of the donation."""
    email: str
    """The email address of the donor, in lower case."""
    number: str
    """The phone number of the donor."""
    amount: Taka
    """The amount donated, in whole taka."""
    transaction_id: str
    """The transaction ID of the payment, as it was entered."""
    type: PaymentMethod
    """The payment method."""
    organization_id: RecordId | None
    """The ID of the organization that receives the donation; null for a donation to the platform."""
    organization_name: str | None
    """The name of the organization that receives the donation; null for a donation to the platform."""
    note: str | None
    """A note from the donor; null if there is none."""
    status: DonationStatus
    """Whether the payment has been verified or rejected, or is still pending."""
    created_at: DateTime
    """When the donation was submitted, in UTC."""
    updated_at: DateTime
    """When the donation was last changed, in UTC."""


_DONATIONS = Select(
    Source(
        DonationView,
        "donations",
        joins={"organizations": "LEFT JOIN organizations ON organizations.id = donations.organization_id"},
        organization_name="organizations.name",
    )
)


DonationStatusOrAlias = Annotated[
    DonationStatus,
    WithJsonSchema({"type": "string", "enum": [*DonationStatus, "approved"]}),
]


class ListDonations(Paging):
    """A page of donations, filtered by status."""

    status: DonationStatusOrAlias | None = None
    """Return only donations with this status."""


@operation(allow(*ORGANIZERS, scope=Scope.DONATIONS_READ))
async def list_donations(ctx: Context, data: ListDonations) -> Page[DonationView]:
    """List the donations to the caller's organizations, newest first. Admins see all donations."""
    return await _load_donations(ctx, _managed_donations(ctx), data)


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_all_donations(ctx: Context, data: ListDonations) -> Page[DonationView]:
    """List all donations on the platform, newest first."""
    return await _load_donations(ctx, TRUE, data)


def _managed_donations(ctx: Context) -> Sql:
    """Return the condition that a donation is one to the caller's organizations, any for admins (decisions 7.3)."""
    return managed_by_caller(ctx, "donations.organization_id")


async def load_donations(ctx: Context, ids: Sequence[int]) -> dict[int, DonationView]:
    """Return the donations that the caller may list, by ID, in one statement."""
    lists_all = list_all_donations.policy.refusal(ctx.principal) is None
    condition = TRUE if lists_all else _managed_donations(ctx)
    return by_id(await _DONATIONS.where(is_in("donations.id", ids), condition).fetch(ctx.fields))


async def _load_donations(ctx: Context, condition: Sql, data: ListDonations) -> Page[DonationView]:
    status = TRUE if data.status is None else sql("donations.status = ?", data.status)
    rows = _DONATIONS.where(condition, status)
    return await load_page(ctx, rows, data, depends_on=(Donation, Organization), order=NEWEST_FIRST)


async def _get_donation(donation_id: int) -> DonationView:
    donation = await _DONATIONS.where(sql("donations.id = ?", donation_id)).first()
    if donation is None:
        raise errors.NotFound("Donation")
    return donation


def _require_five(transaction_id: str) -> str:
    """Refuse IDs whose letters and digits are fewer than the contract's five characters (decisions 7.2)."""
    if len(compact(transaction_id)) < _MIN_CHARACTERS:
        raise ValueError(f"must have at least {_MIN_CHARACTERS} letters and digits")
    return transaction_id


class SubmitDonation(Input):
    """A donation by mobile payment to an organization or to the platform."""

    email: Email
    """The email address of the donor."""
    number: Phone
    """The phone number of the donor."""
    amount: Annotated[Taka, Field(strict=True, ge=1, le=MAX_ID)]
    """The amount donated, in whole taka."""
    transaction_id: Annotated[
        TransactionId, AfterValidator(_require_five), Field(json_schema_extra={"minLength": _MIN_CHARACTERS})
    ]
    """The transaction ID of the payment, with at least 5 letters and digits. It can pay once: for one ticket or
    donation of the organization, unless that was rejected."""
    type: PaymentMethod
    """The payment method."""
    organization_id: Id | None = None
    """The ID of the organization that receives the donation. Without it, the donation is to the platform."""
    note: LongText | None = None
    """A note to the recipient."""


@operation(
    PUBLIC,
    creates=True,
    changes=(Donation,),
    address_limit=AddressLimit.DONATIONS,
    raises=(errors.DuplicateTransaction, errors.ValidationFailed),
)
async def submit_donation(ctx: Context, data: SubmitDonation) -> DonationView:
    """Submit a donation, which is pending until the organizer or an admin has verified the payment."""
    return await _create(data)


async def _create(data: SubmitDonation) -> DonationView:
    async with in_transaction():
        with integrity_errors({}, otherwise=_unknown_organization()):
            donation = await Donation.create(**data.model_dump())
        await move_claims([ClaimMove(donation, None, claim_of_donation(donation))])
        return await _get_donation(donation.id)


def _unknown_organization() -> errors.ValidationFailed:
    return errors.ValidationFailed({"organization_id": "is not an organization"})


class UpdateDonation(Input):
    """The decision on a donation."""

    status: DonationStatusOrAlias
    """Whether the payment is verified, rejected or still pending."""


@operation(
    allow(*ORGANIZERS, scope=Scope.DONATIONS_WRITE),
    changes=(Donation,),
    raises=(errors.NotFound, errors.DuplicateTransaction),
)
async def update_donation(ctx: Context, id: DonationId, data: UpdateDonation) -> DonationView:
    """Verify or reject a donation to an organization of the caller."""
    return await _decide(ctx, id, _managed_donations(ctx), data)


@operation(
    allow(*ADMINS, scope=Scope.ADMIN), changes=(Donation,), raises=(errors.NotFound, errors.DuplicateTransaction)
)
async def admin_update_donation(ctx: Context, id: DonationId, data: UpdateDonation) -> DonationView:
    """Verify or reject any donation."""
    return await _decide(ctx, id, TRUE, data)


async def _decide(ctx: Context, donation_id: int, condition: Sql, data: UpdateDonation) -> DonationView:
    if not await _DONATIONS.where(sql("donations.id = ?", donation_id), condition).exists():
        raise errors.NotFound("Donation")
    async with in_transaction():
        locked = await Donation.filter(id=donation_id).select_for_update().get_or_none()
        if locked is None:
            raise errors.NotFound("Donation")
        claim = claim_of_donation(locked)
        locked.status, locked.updated_at = data.status, ctx.now
        await locked.save(update_fields=["status", "updated_at"])
        await move_claims([ClaimMove(locked, claim, claim_of_donation(locked))])
    return await _get_donation(donation_id)
