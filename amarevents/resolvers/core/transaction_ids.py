"""Transaction IDs of mobile payments: what is accepted, and its two field names (decisions 6.6)."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, ValidationInfo, field_validator

from amarevents.models.columns import SHORT_LENGTH
from amarevents.models.payment_claims import transaction_key
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.text_types import ShortText


def _require_comparable(text: str) -> str:
    """Refuse IDs without anything to compare. The length is checked again: some letters become several."""
    key = transaction_key(text)
    if not key:
        raise ValueError("must contain letters or digits")
    if len(key) > SHORT_LENGTH:
        raise ValueError(f"must have at most {SHORT_LENGTH} letters and digits")
    return text


TransactionId = Annotated[ShortText, AfterValidator(_require_comparable)]
"""A transaction ID as it was typed; ``transaction_key`` returns what is compared."""


class TransactionInput(Input):
    """The payment of a ticket."""

    REST_ONLY: ClassVar[frozenset[str]] = frozenset({"transid"})

    transaction_id: TransactionId | None = None
    """The transaction ID of the payment, which can pay once. Only its letters and digits are compared."""
    transid: TransactionId | None = None
    """An alias of `transaction_id`; if both are sent, they must be equal."""

    @field_validator("transid")
    @classmethod
    def _same_as_transaction_id(cls, transid: str | None, info: ValidationInfo) -> str | None:
        transaction_id = info.data.get("transaction_id")
        if transid and transaction_id and transaction_key(transid) != transaction_key(transaction_id):
            raise ValueError("must be equal to transaction_id, or omitted")
        return transid

    @property
    def transaction(self) -> str | None:
        return self.transaction_id or self.transid

    def changed_fields(self) -> dict[str, object]:
        changes = super().changed_fields()
        if {"transaction_id", "transid"} & changes.keys():
            changes.pop("transid", None)
            changes["transaction_id"] = self.transaction
        return changes
