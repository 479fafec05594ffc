"""Donations: what supporters give to an organization or to the platform (decisions 7)."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from tortoise.exceptions import IntegrityError
from tortoise.queryset import QuerySet

from amarevents import errors
from amarevents.models import Donation, Organization
from amarevents.models.columns import MAX_ID
from amarevents.models.db.connection import violates
from amarevents.models.enums import DonationStatus, PaymentMethod
from amarevents.resolvers.core.ids import DonationId
from amarevents.resolvers.core.inputs import DateTime, Email, Id, Input, LongText, Phone, RecordId, Taka
from amarevents.resolvers.core.operation import operation
from amarevents.resolvers.core.pagination import Page, Paging, load_page
from amarevents.resolvers.core.permissions import managed
from amarevents.resolvers.core.transaction_ids import TransactionId
from amarevents.security.context import Context
from amarevents.security.policy import ADMINS, ORGANIZERS, PUBLIC, Scope, allow
from amarevents.security.rate_limit.quotas import AddressLimit


@dataclass(slots=True, kw_only=True)
class DonationView:
    """A donation, in whole taka; ``organization_id`` is null for one to the platform (decisions 7.2)."""

    id: RecordId
    """The integer that names it in paths and in other fields."""
    email: str
    """An email address; upper and lower case mean the same."""
    number: str
    """A phone number, with or without the country code."""
    amount: Taka
    """What is given, in whole taka."""
    transaction_id: str
    """The payment's transaction id; no other donation of this type may have it, unless it is rejected."""
    type: PaymentMethod
    """How the gift was paid."""
    organization_id: RecordId | None
    """The id of the organization that the gift is to; null is the platform."""
    organization_name: str | None
    """The name of that organization; null is the platform."""
    note: str | None
    """A free text that goes with it."""
    status: DonationStatus
    """Whether the money has been seen: `pending`, `verified` or `rejected`."""
    created_at: DateTime
    """When it was created, in UTC."""
    updated_at: DateTime
    """When it last changed, in UTC."""


def donation_view(row: Donation) -> DonationView:
    """``row`` with its organization loaded."""
    return DonationView(
        id=RecordId(row.id),
        email=row.email,
        number=row.number,
        amount=Taka(row.amount),
        transaction_id=row.transaction_id,
        type=row.type,
        organization_id=None if row.organization_id is None else RecordId(row.organization_id),
        organization_name=row.organization.name if row.organization else None,
        note=row.note,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _status(value: object) -> object:
    """``approved`` is another word for ``verified`` (decisions 7.1)."""
    return DonationStatus.VERIFIED if value == "approved" else value


AnyWordStatus = Annotated[
    DonationStatus,
    BeforeValidator(_status),
    WithJsonSchema({"type": "string", "enum": [*DonationStatus, "approved"]}),
]


class ListDonations(Paging):
    """``status``: pending, verified (or approved) or rejected."""

    status: AnyWordStatus | None = None
    """`pending`, `verified` or `rejected`; `approved` is another word for `verified`."""


@operation(allow(*ORGANIZERS, scope=Scope.DONATIONS_READ))
async def list_donations(ctx: Context, data: ListDonations) -> Page[DonationView]:
    """The donations to the organizations that the caller owns, or all for admins, newest first."""
    return await _load_donations(ctx, _managed_donations(ctx), data)


@operation(allow(*ADMINS, scope=Scope.ADMIN))
async def list_all_donations(ctx: Context, data: ListDonations) -> Page[DonationView]:
    """All donations across the platform, newest first."""
    return await _load_donations(ctx, Donation.all(), data)


def _managed_donations(ctx: Context) -> QuerySet[Donation]:
    """Those of organizations that the caller owns; without an organization they are the admins' (decisions 7.3)."""
    return Donation.filter(managed(ctx, "organization__user_id"))


async def _load_donations(ctx: Context, found: QuerySet[Donation], data: ListDonations) -> Page[DonationView]:
    if data.status is not None:
        found = found.filter(status=data.status)
    rows = found.select_related("organization").order_by("-id")
    return await load_page(ctx, rows, data, depends_on=(Donation, Organization), view=donation_view)


class SubmitDonation(Input):
    """A donation by mobile payment, in whole taka; without ``organization_id`` it is to the platform."""

    email: Email
    """An email address; upper and lower case mean the same."""
    number: Phone
    """A phone number, with or without the country code."""
    amount: Annotated[Taka, Field(strict=True, ge=1, le=MAX_ID)]
    """What is given, in whole taka."""
    transaction_id: Annotated[TransactionId, Field(min_length=5)]
    """The payment's transaction id; no other donation of this type may have it, unless it is rejected."""
    type: PaymentMethod
    """How the gift was paid."""
    organization_id: Id | None = None
    """The id of the organization that the gift is to; null is the platform."""
    note: LongText | None = None
    """A free text that goes with it."""


@operation(
    PUBLIC,
    creates=True,
    changes=(Donation,),
    address_limit=AddressLimit.DONATIONS,
    raises=(errors.DuplicateTransaction, errors.ValidationFailed),
)
async def submit_donation(ctx: Context, data: SubmitDonation) -> DonationView:
    """Tell of a donation; it is pending until the organizer or an admin has seen the money."""
    organization = await _find_organization(data.organization_id)
    try:
        row = await Donation.create(**data.model_dump())
    except IntegrityError as error:
        raise _explained(error) from error
    row.organization = organization
    return donation_view(row)


async def _find_organization(organization_id: int | None) -> Organization | None:
    if organization_id is None:
        return None
    organization = await Organization.get_or_none(id=organization_id)
    if organization is None:
        raise errors.ValidationFailed({"organization_id": "there is no such organization"})
    return organization


def _explained(error: IntegrityError) -> errors.AmarEventsError:
    """A transaction id in use, or an organization that has been deleted meanwhile."""
    if violates(error, "transaction_id"):
        return errors.DuplicateTransaction("donation")
    return errors.ValidationFailed({"organization_id": "there is no such organization"})


class UpdateDonation(Input):
    """``status``: pending, verified (or approved) or rejected."""

    status: AnyWordStatus
    """`pending`, `verified` or `rejected`; `approved` is another word for `verified`."""


@operation(
    allow(*ORGANIZERS, scope=Scope.DONATIONS_WRITE),
    changes=(Donation,),
    raises=(errors.NotFound, errors.DuplicateTransaction),
)
async def update_donation(ctx: Context, id: DonationId, data: UpdateDonation) -> DonationView:
    """Verify or reject a donation to one's organization."""
    return await _decide(ctx, _managed_donations(ctx).filter(id=id), data)


@operation(
    allow(*ADMINS, scope=Scope.ADMIN), changes=(Donation,), raises=(errors.NotFound, errors.DuplicateTransaction)
)
async def admin_update_donation(ctx: Context, id: DonationId, data: UpdateDonation) -> DonationView:
    """Verify or reject any donation."""
    return await _decide(ctx, Donation.filter(id=id), data)


async def _decide(ctx: Context, found: QuerySet[Donation], data: UpdateDonation) -> DonationView:
    row = await found.select_related("organization").first()
    if row is None:
        raise errors.NotFound("Donation")
    changes: dict[str, Any] = {"status": data.status, "updated_at": ctx.now}  # Any: each column's own type
    try:
        decided = await Donation.filter(id=row.id).update(**changes)
    except IntegrityError as error:
        raise _explained(error) from error
    if not decided:
        raise errors.NotFound("Donation")
    row.update_from_dict(changes)
    return donation_view(row)
