"""Transaction IDs of mobile payments: one canonical form, two field names (decisions 6.6)."""

import re
import unicodedata
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from amarevents.models.columns import SHORT_LENGTH
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.text_types import ShortText

_CHARACTERS = re.compile(r"[\x21-\x7e]+")


def _canonical(text: str) -> str:
    """Return the canonical form, upper case and ASCII, so that one payment cannot be entered as two."""
    plain = unicodedata.normalize("NFKC", text).upper()
    if not _CHARACTERS.fullmatch(plain):
        raise ValueError("must contain only letters, digits and punctuation, without spaces")
    return plain


TransactionId = Annotated[ShortText, AfterValidator(_canonical), Field(max_length=SHORT_LENGTH)]
"""A canonical transaction ID. The length is checked before and after: some letters become several."""


class TransactionInput(Input):
    """The payment of a ticket."""

    REST_ONLY: ClassVar[frozenset[str]] = frozenset({"transid"})

    transaction_id: TransactionId | None = None
    """The transaction ID of the payment, stored in upper case; unique among the tickets that are not rejected."""
    transid: TransactionId | None = None
    """An alias of `transaction_id`; if both are sent, they must be equal."""

    @field_validator("transid")
    @classmethod
    def _same_as_transaction_id(cls, transid: str | None, info: ValidationInfo) -> str | None:
        transaction_id = info.data.get("transaction_id")
        if transid is not None and transaction_id is not None and transid != transaction_id:
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
