"""The encoding of cursors, each valid for one position of one list."""

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
SORT_KEYS: list[tuple[SortOrder, SortKey]] = [
    (EVENTS, (datetime.date(2027, 1, 5), 12)),
    (EVENTS, (UNDATED, MAX_ID)),
    (EVENTS, (datetime.date.min, 1)),
    (TICKETS, (1,)),
    (TICKETS, (MAX_ID,)),
]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _forged(text: str) -> str:
    """Return a cursor that contains the text, with a valid checksum."""
    checksum = zlib.crc32(text.encode()).to_bytes(4, "big")
    return base64.urlsafe_b64encode(checksum + text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(("order", "sort_key"), SORT_KEYS)
def test_cursor_is_short_and_decodes_to_its_sort_key(order: SortOrder, sort_key: SortKey) -> None:
    cursor = order.encode_cursor(sort_key)
    assert order.decode_cursor(cursor) == sort_key
    assert set(cursor) <= set(LETTERS)
    assert len(cursor) < 60


@pytest.mark.parametrize(("order", "sort_key"), SORT_KEYS)
def test_cursor_with_a_changed_letter_is_refused(order: SortOrder, sort_key: SortKey) -> None:
    cursor, rng = order.encode_cursor(sort_key), random.Random(1)
    for position, letter in enumerate(cursor):
        other = rng.choice([one for one in LETTERS if one != letter])
        with pytest.raises(ValueError, match="is not a cursor of this list"):
            order.decode_cursor(cursor[:position] + other + cursor[position + 1 :])


@pytest.mark.parametrize(("order", "sort_key"), SORT_KEYS)
def test_cursor_of_another_list_is_refused(order: SortOrder, sort_key: SortKey) -> None:
    with pytest.raises(ValueError, match="is not a cursor of this list"):
        (TICKETS if order is EVENTS else EVENTS).decode_cursor(order.encode_cursor(sort_key))


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
def test_cursor_with_invalid_content_is_refused_despite_a_valid_checksum(text: str) -> None:
    assert EVENTS.decode_cursor(_forged("events/1 2027-01-05 1")) == (datetime.date(2027, 1, 5), 1)
    with pytest.raises(ValueError, match="is not a cursor of this list"):
        EVENTS.decode_cursor(_forged(text))
