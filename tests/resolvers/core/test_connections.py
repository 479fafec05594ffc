"""Cursors as texts: each names one place of one list, in one way."""

import base64
import datetime
import random
import zlib

import pytest

from amarevents.models.columns import MAX_ID
from amarevents.models.events import UNDATED
from amarevents.resolvers.core.connections import SortKey, SortOrder
from amarevents.resolvers.events.queries import ListEventsByCursor
from amarevents.resolvers.tickets.queries import ListTicketsByCursor

EVENTS, TICKETS = ListEventsByCursor.ORDER, ListTicketsByCursor.ORDER
PLACES: list[tuple[SortOrder, SortKey]] = [
    (EVENTS, (datetime.date(2027, 1, 5), 12)),
    (EVENTS, (UNDATED, MAX_ID)),
    (EVENTS, (datetime.date.min, 1)),
    (TICKETS, (1,)),
    (TICKETS, (MAX_ID,)),
]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _forged(text: str) -> str:
    """A cursor that holds the text, with a checksum that fits."""
    checksum = zlib.crc32(text.encode()).to_bytes(4, "big")
    return base64.urlsafe_b64encode(checksum + text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(("order", "place"), PLACES)
def test_a_cursor_is_a_short_text_that_leads_back_to_its_place(order: SortOrder, place: SortKey) -> None:
    cursor = order.encode_cursor(place)
    assert order.decode_cursor(cursor) == place
    assert set(cursor) <= set(LETTERS)
    assert len(cursor) < 60


@pytest.mark.parametrize(("order", "place"), PLACES)
def test_a_cursor_with_another_letter_is_none(order: SortOrder, place: SortKey) -> None:
    cursor, chance = order.encode_cursor(place), random.Random(1)
    for position, letter in enumerate(cursor):
        other = chance.choice([one for one in LETTERS if one != letter])
        with pytest.raises(ValueError, match="is not a cursor of this list"):
            order.decode_cursor(cursor[:position] + other + cursor[position + 1 :])


@pytest.mark.parametrize(("order", "place"), PLACES)
def test_the_cursor_of_another_list_is_none(order: SortOrder, place: SortKey) -> None:
    with pytest.raises(ValueError, match="is not a cursor of this list"):
        (TICKETS if order is EVENTS else EVENTS).decode_cursor(order.encode_cursor(place))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "events/1",
        "events/1 ",
        "events/1 2027-01-05",
        "events/1 2027-01-05 1 1",
        "events/1 2027-13-05 1",
        "events/1 20270105 1",
        "events/1 2027-01-05 0",
        "events/1 2027-01-05 -1",
        "events/1 2027-01-05 01",
        "events/1 2027-01-05 1_0",
        "events/1 2027-01-05 ১",
        f"events/1 2027-01-05 {MAX_ID + 1}",
        "events/1 2027-01-05 " + "9" * 150,
        "events/1  2027-01-05 1",
        "events/0 2027-01-05 1",
        "tickets/1 2027-01-05 1",
        "2027-01-05 1",
    ],
)
def test_what_holds_no_place_is_no_cursor_whatever_its_checksum(text: str) -> None:
    assert EVENTS.decode_cursor(_forged("events/1 2027-01-05 1")) == (datetime.date(2027, 1, 5), 1)
    with pytest.raises(ValueError, match="is not a cursor of this list"):
        EVENTS.decode_cursor(_forged(text))
