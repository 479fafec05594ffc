"""Transaction ids of mobile payments: one form, two names (decisions 6.6)."""

import re
import unicodedata
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from amarevents.models.columns import SHORT_LENGTH
from amarevents.resolvers.core.inputs import Input, ShortText

_CHARACTERS = re.compile(r"[\x21-\x7e]+")


def _comparable(text: str) -> str:
    """Upper-cased, in plain characters: look-alikes and spaces would let one payment pass for two."""
    plain = unicodedata.normalize("NFKC", text).upper()
    if not _CHARACTERS.fullmatch(plain):
        raise ValueError("must be letters, digits and punctuation without spaces")
    return plain


TransactionId = Annotated[ShortText, AfterValidator(_comparable), Field(max_length=SHORT_LENGTH)]
"""As it is compared; bounded after that too, for some letters become several."""


class TransactionInput(Input):
    """An input that names a payment. ``transid`` is REST's other word for ``transaction_id``."""

    REST_ONLY: ClassVar[frozenset[str]] = frozenset({"transid"})

    transaction_id: TransactionId | None = None
    """The payment's transaction id, in upper case; no other ticket may have it, unless `Failed`."""
    transid: TransactionId | None = None
    """Another name of `transaction_id`; if both are sent, they must be the same."""

    @field_validator("transid")
    @classmethod
    def _same_as_transaction_id(cls, transid: str | None, info: ValidationInfo) -> str | None:
        transaction_id = info.data.get("transaction_id")
        if transid is not None and transaction_id is not None and transid != transaction_id:
            raise ValueError("must be the same as transaction_id, or left out")
        return transid

    @property
    def transaction(self) -> str | None:
        return self.transaction_id or self.transid

    def changed_fields(self) -> dict[str, Any]:  # Any: each field's own type
        changes = super().changed_fields()
        if {"transaction_id", "transid"} & changes.keys():
            changes.pop("transid", None)
            changes["transaction_id"] = self.transaction
        return changes
