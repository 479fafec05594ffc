"""Ticket codes: opaque, unguessable, never mistaken for an id (decisions 6.8)."""

import re

from amarevents.resolvers.tickets.registration import new_ticket_code


def test_codes_are_opaque_and_all_different() -> None:
    codes = {new_ticket_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(re.fullmatch(r"AE[A-Z2-7]{25}", code) for code in codes)


def test_every_place_of_a_code_varies() -> None:
    codes = [new_ticket_code() for _ in range(2000)]
    assert all(len({code[place] for code in codes}) == 32 for place in range(2, 27))
