"""Total orders of lists, which an index serves at any depth, and cursors, which are positions in them."""

import base64
import dataclasses
import datetime
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from amarevents.models.columns import MAX_ID
from amarevents.models.db.sql import Sql, sql
from amarevents.resolvers.core.select import Select

V = TypeVar("V")

SortKey = tuple[Any, ...]  # Any: values that can be compared with each other
"""The values of a row in the columns of a sort order."""

_CHECKSUM_BYTES = 4


def parse_id(text: str) -> int:
    """Return the ID that the text holds. Raises ValueError if it is not the ID of a row."""
    if not 1 <= (number := int(text)) <= MAX_ID:
        raise ValueError("is not an ID")
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Consecutive rows of a list: those in a range of the first sort column, sorted by all of them."""

    start: datetime.date | None = None
    """The lowest value of the range; None for no bound."""
    stop: datetime.date | None = None
    """The value above the range; None for no bound."""
    descending: bool = False

    def contains(self, key: SortKey) -> bool:
        return (self.start is None or key[0] >= self.start) and (self.stop is None or key[0] < self.stop)


class Position(NamedTuple):
    """What a cursor holds."""

    key: SortKey
    day: datetime.date | None
    """The day that the order of the list depends on; None if it depends on none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SortOrder:
    """The total order of a list, and the format of its cursors.

    A list consists of segments, which are read one after another: each is one range of the index.
    """

    name: str
    """A name and version that is part of every cursor; change it when the order changes."""
    columns: Mapping[str, Callable[[str], object]]
    """The columns to sort by, with the function that parses each value; the last column is unique."""
    segments: tuple[Segment, ...]
    """The segments in their order, which cover all values of the first column."""
    day: datetime.date | None = None
    """The day that the order depends on. Its cursors contain it, so that a list is paged in one order past midnight."""
    fields: frozenset[str] = frozenset({"id"})
    """The fields of a view that its sort key consists of."""

    def sort_key(self, view: object) -> SortKey:
        return tuple(getattr(view, column) for column in self.columns)

    def encode_cursor(self, key: SortKey) -> str:
        """Return the cursor of a sort key. The checksum detects typing errors; it is not a signature."""
        days = () if self.day is None else (self.day,)
        text = " ".join([self.name, *map(str, (*days, *key))]).encode()
        checksum = zlib.crc32(text).to_bytes(_CHECKSUM_BYTES, "big")
        return base64.urlsafe_b64encode(checksum + text).rstrip(b"=").decode()

    def decode_cursor(self, cursor: str) -> Position:
        """Return what a cursor of this order holds, on whichever day. Raises ValueError if it is not one."""
        try:
            decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            _, *texts = decoded[_CHECKSUM_BYTES:].decode().split(" ")
            days = [] if self.day is None else [datetime.date.fromisoformat(text) for text in texts[:1]]
            values = zip(self.columns.values(), texts[len(days) :], strict=True)
            position = Position(tuple(parse(text) for parse, text in values), days[0] if days else None)
        except ValueError:
            position = None
        # Encoding the key again rejects wrong checksums, cursors of other lists and other spellings of the same key.
        if position is None or dataclasses.replace(self, day=position.day).encode_cursor(position.key) != cursor:
            raise ValueError("is not a cursor of this list")
        return position

    def sorted(self, views: Iterable[V]) -> list[V]:
        """Return loaded views in this order."""
        by_key = {self.sort_key(view): view for view in views}
        return [
            by_key[key]
            for segment in self.segments
            for key in sorted(filter(segment.contains, by_key), reverse=segment.descending)
        ]

    def read(
        self, rows: Select[V], *, start: SortKey | None = None, stop: SortKey | None = None, backward: bool = False
    ) -> Iterator[Select[V]]:
        """Yield queries whose results, one after another, are the rows from one sort key to another, both included.

        None is the end of the list. Each query reads one segment.
        """
        segments = self.segments[::-1] if backward else self.segments
        first = 0 if start is None else _index(segments, start)
        last = len(segments) - 1 if stop is None else _index(segments, stop)
        for number in range(first, last + 1):
            yield self._read_segment(
                rows,
                segments[number],
                start=start if number == first else None,
                stop=stop if number == last else None,
                descending=segments[number].descending is not backward,
            )

    def _read_segment(
        self, rows: Select[V], segment: Segment, *, start: SortKey | None, stop: SortKey | None, descending: bool
    ) -> Select[V]:
        """Return the sorted rows of a segment. A sort key replaces the bound, because SQLite reads from only one."""
        columns = [rows.column(name) for name in self.columns]
        low, high = (stop, start) if descending else (start, stop)
        if low is not None:
            rows = rows.where(_compare(columns, ">=", low))
        elif segment.start is not None:
            rows = rows.where(sql(f"{columns[0]} >= ?", segment.start))
        if high is not None:
            rows = rows.where(_compare(columns, "<=", high))
        elif segment.stop is not None:
            rows = rows.where(sql(f"{columns[0]} < ?", segment.stop))
        return rows.order_by(*columns, descending=descending)


NEWEST_FIRST = SortOrder(name="newest/1", columns={"id": parse_id}, segments=(Segment(descending=True),))
"""The order of all lists but those of events (decisions 1.7)."""


def _index(segments: tuple[Segment, ...], key: SortKey) -> int:
    return next(number for number, segment in enumerate(segments) if segment.contains(key))


def _compare(columns: list[str], comparison: str, key: SortKey) -> Sql:
    """Return a condition on the sort key of a row, written as a comparison of row values: ``(a, b) >= (x, y)``.

    PostgreSQL starts an index scan exactly at such a key, and SQLite at its first column. For an equivalent ``OR`` they
    start earlier, or sort.
    """
    placeholders = ", ".join("?" for _ in columns)
    return Sql(f"({', '.join(columns)}) {comparison} ({placeholders})", tuple(key))
