"""The encoding of cursors, each valid for one position of one list."""

import base64
import datetime
import random
import zlib

import pytest

from amarevents.models import Event
from amarevents.models.columns import MAX_ID
from amarevents.models.enums import EventSort
from amarevents.models.events import UNDATED
from amarevents.resolvers.core.sorting import SortKey, SortOrder
from amarevents.resolvers.events.schedule import event_order
from amarevents.resolvers.tickets.queries import ListTicketsByCursor

TODAY = datetime.date(2027, 1, 5)
EVENTS, TICKETS = event_order(None, TODAY), ListTicketsByCursor.ORDER
SORT_KEYS: list[tuple[SortOrder, SortKey]] = [
    (EVENTS, (datetime.date(2027, 1, 5), 12)),
    (EVENTS, (UNDATED, MAX_ID)),
    (EVENTS, (datetime.date.min, 1)),
    (TICKETS, (1,)),
    (TICKETS, (MAX_ID,)),
]
VALID = f"events/2/default {TODAY} 2027-01-05 1"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _forged(text: str) -> str:
    """Return a cursor that contains the text, with a valid checksum."""
    checksum = zlib.crc32(text.encode()).to_bytes(4, "big")
    return base64.urlsafe_b64encode(checksum + text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(("order", "sort_key"), SORT_KEYS)
def test_cursor_is_short_and_decodes_to_its_sort_key(order: SortOrder, sort_key: SortKey) -> None:
    cursor = order.encode_cursor(sort_key)
    assert order.decode_cursor(cursor) == (sort_key, order.day)
    assert set(cursor) <= set(LETTERS)
    assert len(cursor) < 80


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
        VALID.partition(" ")[0],
        VALID.rpartition(" ")[0],
        VALID.rpartition(" ")[0] + " ",
        f"{VALID} 1",
        f"events/2/default {TODAY} 2027-13-05 1",
        f"events/2/default {TODAY} 20270105 1",
        "events/2/default 20270105 2027-01-05 1",
        "events/2/default 2027-13-05 2027-01-05 1",
        "events/2/default  2027-01-05 1",
        "events/2/default 2027-01-05 1",
        *(VALID.removesuffix("1") + number for number in ("0", "-1", "01", "1_0", "১", str(MAX_ID + 1), "9" * 150)),
        VALID.replace(" ", "  ", 1),
        VALID.replace("/2", "/1"),
        VALID.replace("default", "newest"),
        VALID.replace("events", "tickets"),
        VALID.partition(" ")[2],
    ],
)
def test_cursor_with_invalid_content_is_refused_despite_a_valid_checksum(text: str) -> None:
    assert EVENTS.decode_cursor(_forged(VALID)) == ((datetime.date(2027, 1, 5), 1), TODAY)
    with pytest.raises(ValueError, match="is not a cursor of this list"):
        EVENTS.decode_cursor(_forged(text))


def test_cursor_of_another_day_is_valid_and_keeps_its_day() -> None:
    yesterday = TODAY - datetime.timedelta(days=1)
    cursor = event_order(None, yesterday).encode_cursor((TODAY, 1))
    assert EVENTS.decode_cursor(cursor) == ((TODAY, 1), yesterday)


@pytest.mark.parametrize("sort", [None, *EventSort])
def test_loaded_rows_are_sorted_as_the_database_sorts_them(sort: EventSort | None) -> None:
    days = [TODAY + datetime.timedelta(days=day) for day in (-2, -1, -1, 0, 0, 1)] + [UNDATED, UNDATED]
    past, upcoming = [1, 2, 3], [4, 5, 6, 7, 8]
    rows = [Event(id=number, sort_date=day) for number, day in enumerate(days, start=1)]
    random.Random(1).shuffle(rows)
    assert [row.id for row in event_order(sort, TODAY).sorted(rows)] == {
        None: [*upcoming, *reversed(past)],
        EventSort.DATE: [*past, *upcoming],
        EventSort.DATE_DESCENDING: [6, 5, 4, 3, 2, 1, 7, 8],
        EventSort.NEWEST: [8, 7, 6, 5, 4, 3, 2, 1],
    }[sort]
