"""Transaction IDs in inputs, under either of two names, and the form in which they are compared (decisions 6.6)."""

import pytest
from pydantic import ValidationError

from amarevents import errors
from amarevents.models.payment_claims import transaction_key
from amarevents.resolvers.core.transaction_ids import TransactionInput, TransactionUpdate


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        ({}, {}),
        ({"transid": " 8n7a "}, {"transaction_id": "8n7a"}),
        ({"transaction_id": "8n7a"}, {"transaction_id": "8n7a"}),
        ({"transaction_id": "8n7a", "transid": "8N7A"}, {"transaction_id": "8n7a"}),
        ({"transid": None}, {"transaction_id": None}),
        ({"transaction_id": None, "transid": "8n7a"}, {"transaction_id": "8n7a"}),
        ({"transaction_id": "  ", "transid": ""}, {}),
    ],
)
def test_both_names_set_one_id(values: dict[str, str | None], sent: dict[str, str | None]) -> None:
    assert TransactionInput.model_validate(values).transaction == sent.get("transaction_id")
    assert TransactionUpdate.model_validate(values).changes_of(None) == sent


@pytest.mark.parametrize(
    ("sent", "transid", "stored"),
    [
        ("old", "old", "old"), ("new", "old", "new"), ("old", "new", "new"), ("new", "NEW", "new"),
        (None, "old", None), ("old", None, None), (None, None, None), (None, "new", "new"), ("new", None, "new"),
    ],
)  # fmt: skip
def test_name_with_the_current_id_does_not_count(sent: str | None, transid: str | None, stored: str | None) -> None:
    changes = TransactionUpdate(transaction_id=sent, transid=transid).changes_of("old")
    assert changes == {"transaction_id": stored}


def test_two_new_ids_are_refused() -> None:
    with pytest.raises(errors.ValidationFailed):
        TransactionUpdate(transaction_id="new", transid="other").changes_of("old")


@pytest.mark.parametrize(
    "values",
    [{"transaction_id": "A", "transid": "B"}, {"transid": "x" * 256}, {"transid": "ﷺ" * 100}, {"transid": "?"}],
)
def test_different_too_long_and_empty_ids_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TransactionInput.model_validate(values)


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("9HG7", "9hg7"), ("9hg-7", "9hg7"), ("TrxID: 9HG7", "9hg7"), ("TXN 9HG7", "9hg7"), ("trxid9hg7", "9hg7"),
        ("৯HG৭", "9hg7"), ("９ＨＧ７", "9hg7"), ("9HG7\u200b", "9hg7"), ("TXN", "txn"), ("TrxID", "trxid"),
        ("TRXTXN7", "trxtxn7"), ("7TXN", "7txn"), ("txntxn7", "7"), ("TxnID: 9HG7", "9hg7"), ("--", ""),
    ],
)  # fmt: skip
def test_letters_and_digits_are_compared_without_the_prefix(typed: str, compared: str) -> None:
    assert transaction_key(typed) == compared
