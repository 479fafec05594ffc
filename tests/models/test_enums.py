"""Words of enumerations in any case (decisions 1.6, 7.1)."""

from typing import Any

import pytest

from amarevents.models import enums
from amarevents.models.enums import AnyCaseEnum, DonationStatus, PaymentMethod, TicketStatus
from amarevents.security.policy import Scope

ENUMS = [kind for kind in (*vars(enums).values(), Scope) if isinstance(kind, type) and issubclass(kind, AnyCaseEnum)]


@pytest.mark.parametrize("kind", [kind for kind in ENUMS if list(kind)])
def test_every_word_is_accepted_in_any_case(kind: type[AnyCaseEnum]) -> None:
    for member in kind:
        for word in (member.lower(), member.upper(), member.swapcase(), f" {member}\r\n"):
            assert kind(word) is member


@pytest.mark.parametrize(
    "value", ["", " ", "Succes", "Successs", "Suc cess", "PENDING,SUCCESS", 0, 1, True, None, [], 1.5]
)
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid TicketStatus"):
        TicketStatus(value)


def test_spellings_of_bkash_are_one_method() -> None:
    assert {PaymentMethod(word) for word in ("bkash", "bKash", "BKASH", "Bkash ")} == {PaymentMethod.BKASH}


def test_approved_is_another_word_for_verified() -> None:
    for word in ("approved", "Approved", " APPROVED "):
        assert DonationStatus(word) is DonationStatus.VERIFIED
    with pytest.raises(ValueError, match="approve"):
        DonationStatus("approve")
