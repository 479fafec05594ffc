"""Transaction IDs of mobile payments: what is accepted, and its two field names (decisions 6.6)."""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ValidationInfo, field_validator

from amarevents import errors
from amarevents.models.columns import SHORT_LENGTH
from amarevents.models.payment_claims import transaction_key
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.text_types import ShortText

# Those of payment services, and of receipts in Bangla. Letters of others, such as \u0391, look like Latin ones.
_ALPHABETS = re.compile("[0-9a-z\u0980-\u09ff]*")
_MUST_BE_EQUAL = "must be equal to transaction_id, or omitted"


def _require_comparable(text: str) -> str:
    """Refuse IDs without anything to compare, and letters that look like those of an ID of another payment.

    The length is checked again: some letters become several.
    """
    key = transaction_key(text)
    if not key:
        raise ValueError("must contain letters or digits")
    if not _ALPHABETS.fullmatch(key):
        raise ValueError("must contain only Latin and Bangla letters")
    if len(key) > SHORT_LENGTH:
        raise ValueError(f"must have at most {SHORT_LENGTH} letters and digits")
    return text


TransactionId = Annotated[ShortText, AfterValidator(_require_comparable)]
"""A transaction ID as it was typed; ``transaction_key`` returns what is compared."""


class _TransactionNames(Input):
    """The two names of a transaction ID."""

    REST_ONLY: ClassVar[frozenset[str]] = frozenset({"transid"})

    transaction_id: TransactionId | None = None
    """The transaction ID of the payment, which can pay once. Only its letters and digits are compared."""
    transid: TransactionId | None = None
    """An alias of `transaction_id`; if both are sent, they must be equal."""


class TransactionInput(_TransactionNames):
    """The payment of a ticket."""

    @field_validator("transid")
    @classmethod
    def _same_as_transaction_id(cls, transid: str | None, info: ValidationInfo) -> str | None:
        transaction_id = info.data.get("transaction_id")
        if transid and transaction_id and transaction_key(transid) != transaction_key(transaction_id):
            raise ValueError(_MUST_BE_EQUAL)
        return transid

    @property
    def transaction(self) -> str | None:
        return self.transaction_id or self.transid


class TransactionUpdate(_TransactionNames):
    """A change of the payment of a ticket."""

    def changes_of(self, current: str | None) -> dict[str, object]:
        """Return the fields to change of a ticket with the transaction ID ``current``. Raises ValidationFailed.

        Answers have the transaction ID under both names. If only one of them was changed before an answer was sent
        back, the other has the current value and does not count (decisions 1.6).
        """
        changes = self.changed_fields()
        sent = [changes.pop(name) for name in ("transaction_id", "transid") if name in changes]
        if not sent:
            return changes
        changed = [str(value) for value in sent if value is not None and value != current]
        if len({transaction_key(value) for value in changed}) > 1:
            raise errors.ValidationFailed({"transid": _MUST_BE_EQUAL})
        unchanged = current if all(value == current for value in sent) else None
        return {**changes, "transaction_id": changed[0] if changed else unchanged}
