"""Model of payment claims, by which a transaction pays once, and the form in which transaction IDs are compared."""

import re

from tortoise import fields
from tortoise.models import Model

from amarevents.models import columns
from amarevents.models.donations import Donation
from amarevents.models.tickets import Ticket
from amarevents.text import compact

PLATFORM = 0
"""The scope of claims by donations without an organization."""

# What payment services and people write before the ID itself; alone, it is the ID.
_PREFIX = re.compile(r"\A(?:trxid|txnid|txn)+(?=.)")


def transaction_key(text: str) -> str:
    """Return the form in which transaction IDs are compared: letters and digits alone, folded (decisions 6.6)."""
    return _PREFIX.sub("", compact(text))


class PaymentClaim(Model):
    """The claim of a ticket or a donation that a transaction paid for it (decisions 6.6).

    ``scope`` is the ID of the organization that was paid, or ``PLATFORM``. A ticket or donation that is rejected has no
    claim, nor has a ticket for which nothing is due and nothing is said to have been paid.
    """

    id = fields.IntField(primary_key=True)
    scope = fields.IntField()
    transaction_key = fields.CharField(max_length=columns.SHORT_LENGTH)
    ticket: fields.ForeignKeyNullableRelation[Ticket] = columns.belongs_to("Ticket", "payment_claims", null=True)
    ticket_id: int | None
    donation: fields.ForeignKeyNullableRelation[Donation] = columns.belongs_to("Donation", "payment_claims", null=True)
    donation_id: int | None

    class Meta:
        table = "payment_claims"
        unique_together = [("scope", "transaction_key")]
        indexes = [("ticket_id",), ("donation_id",)]
