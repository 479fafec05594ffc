"""The codes of tickets, random and different from IDs (decisions 6.8)."""

import re

from amarevents.resolvers.tickets.codes import new_ticket_code


def test_codes_are_unique_and_have_the_documented_form() -> None:
    codes = {new_ticket_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(re.fullmatch(r"AE[A-Z2-7]{25}", code) for code in codes)


def test_every_character_of_a_code_is_random() -> None:
    codes = [new_ticket_code() for _ in range(2000)]
    assert all(len({code[position] for code in codes}) == 32 for position in range(2, 27))
