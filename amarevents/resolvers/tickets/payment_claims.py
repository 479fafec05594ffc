"""Payment claims: a transaction ID pays for one ticket or one donation of an organization (decisions 6.6).

Claims are taken, moved and released in the transaction of the change that requires it, once the tickets or donations
are locked and before ticket types are, and the database deletes them with their tickets and donations. New claims are
taken in the order of their keys, before others are released: a transaction that waits for the same key then never has
anything that the one which it waits for needs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from tortoise.expressions import Q

from amarevents import errors
from amarevents.models import Donation, PaymentClaim, Ticket
from amarevents.models.enums import DonationStatus, TicketStatus
from amarevents.models.payment_claims import PLATFORM, transaction_key
from amarevents.resolvers.core.constraint_errors import integrity_errors

Payer = Ticket | Donation


class Payable(Protocol):
    """What it depends on whether a ticket has a claim, or a hold."""

    @property
    def status(self) -> TicketStatus: ...
    @property
    def due(self) -> Decimal: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def transaction_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """What is claimed: a transaction ID, in the scope in which it pays once."""

    scope: int
    key: str

    def row(self, payer: Payer) -> PaymentClaim:
        """Return the unsaved row of the claim by a ticket or donation."""
        column = "ticket_id" if isinstance(payer, Ticket) else "donation_id"
        return PaymentClaim(scope=self.scope, transaction_key=self.key, **{column: payer.id})


@dataclass(frozen=True, slots=True)
class ClaimMove:
    """The claims of a ticket or donation before and after a change."""

    payer: Payer
    before: Claim | None
    after: Claim | None


def claim_of_ticket(ticket: Payable, organization_id: int) -> Claim | None:
    """Return the claim of a ticket, or None if it is rejected, or neither costs nor is said to have cost anything."""
    is_paid = ticket.due > 0 or ticket.amount > 0
    if ticket.transaction_id is None or ticket.status is TicketStatus.FAILED or not is_paid:
        return None
    return _claim(organization_id, ticket.transaction_id)


def claim_of_donation(donation: Donation) -> Claim | None:
    """Return the claim of a donation, or None if it is rejected."""
    if donation.status is DonationStatus.REJECTED:
        return None
    return _claim(donation.organization_id or PLATFORM, donation.transaction_id)


def _claim(scope: int, transaction_id: str) -> Claim | None:
    key = transaction_key(transaction_id)
    return Claim(scope, key) if key else None


async def move_claims(moves: Iterable[ClaimMove]) -> None:
    """Take and release the claims that have changed. Raises DuplicateTransaction."""
    changed = [move for move in moves if move.before != move.after]
    wanted = [(move.after, move.payer) for move in changed if move.after is not None]
    taken = [await _take(claim, payer) for claim, payer in sorted(wanted, key=lambda pair: pair[0])]
    released = [move.payer for move in changed if move.before is not None]
    if released:
        of_tickets = Q(ticket_id__in=[payer.id for payer in released if isinstance(payer, Ticket)])
        of_donations = Q(donation_id__in=[payer.id for payer in released if isinstance(payer, Donation)])
        await PaymentClaim.filter(of_tickets | of_donations).exclude(id__in=taken).delete()


async def _take(claim: Claim, payer: Payer) -> int:
    """Create the claim, and return its ID. Raises DuplicateTransaction."""
    row = claim.row(payer)
    with integrity_errors({"transaction_key": errors.DuplicateTransaction()}):
        await row.save()
    return row.id
