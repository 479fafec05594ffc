"""Transaction IDs in inputs: normalized, under either of two names (decisions 6.6)."""

import pytest
from pydantic import ValidationError

from amarevents.resolvers.core.transaction_ids import TransactionInput


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        ({}, {}),
        ({"transid": " 8n7a "}, {"transaction_id": "8N7A"}),
        ({"transaction_id": "8n7a"}, {"transaction_id": "8N7A"}),
        ({"transaction_id": "8n7a", "transid": "8N7A"}, {"transaction_id": "8N7A"}),
        ({"transid": None}, {"transaction_id": None}),
        ({"transaction_id": None, "transid": "8n7a"}, {"transaction_id": "8N7A"}),
        ({"transaction_id": "  ", "transid": ""}, {}),
    ],
)
def test_both_names_set_one_normalized_id(values: dict[str, str | None], sent: dict[str, str | None]) -> None:
    data = TransactionInput.model_validate(values)
    assert data.changed_fields() == sent
    assert data.transaction == sent.get("transaction_id")


@pytest.mark.parametrize(
    "values", [{"transaction_id": "A", "transid": "B"}, {"transid": "x" * 256}, {"transid": "ß" * 200}]
)
def test_different_or_too_long_ids_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TransactionInput.model_validate(values)
