"""Cursor pagination, following the GraphQL Cursor Connections Specification.

A cursor holds the sort key of a row. A page starts at a sort key instead of after a number of rows, so rows that are
added or deleted elsewhere do not shift it, and the database reads it directly from the index of the sort order.
"""

import base64
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import Field, StrictInt, ValidationInfo, field_validator
from pypika_tortoise.enums import Equality
from pypika_tortoise.terms import BasicCriterion, Tuple
from tortoise.expressions import Q, ResolveContext
from tortoise.models import Model
from tortoise.query_utils import QueryModifier
from tortoise.queryset import QuerySet

from amarevents.models.columns import MAX_ID
from amarevents.resolvers.core.inputs import Input, ShortText
from amarevents.resolvers.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from amarevents.security.context import Context

T = TypeVar("T")
M = TypeVar("M", bound=Model)

SortKey = tuple[object, ...]
"""The values of a row in the columns of a sort order."""

_CHECKSUM_BYTES = 4


def parse_id(text: str) -> int:
    """Return the ID that the text holds. Raises ValueError if it is not the ID of a row."""
    if not 1 <= (number := int(text)) <= MAX_ID:
        raise ValueError("is not an ID")
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class SortOrder:
    """The total order of a list, and the format of its cursors."""

    name: str
    """A name and version that is part of every cursor; change it when the order changes."""
    columns: Mapping[str, Callable[[str], object]]
    """The columns to sort by, with the function that parses each value; the last column is unique."""
    descending: bool

    def sort_key(self, row: Model) -> SortKey:
        return tuple(getattr(row, column) for column in self.columns)

    def encode_cursor(self, key: SortKey) -> str:
        """Return the cursor of a sort key. The checksum detects typing errors; it is not a signature."""
        text = " ".join([self.name, *map(str, key)]).encode()
        checksum = zlib.crc32(text).to_bytes(_CHECKSUM_BYTES, "big")
        return base64.urlsafe_b64encode(checksum + text).rstrip(b"=").decode()

    def decode_cursor(self, cursor: str) -> SortKey:
        """Return the sort key that a cursor holds. Raises ValueError if it is not a cursor of this order."""
        try:
            decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            _, *texts = decoded[_CHECKSUM_BYTES:].decode().split(" ")
            key = tuple(parse(text) for parse, text in zip(self.columns.values(), texts, strict=True))
        except ValueError:
            key = None
        # Encoding the key again rejects wrong checksums, cursors of other lists and other spellings of the same key.
        if key is None or self.encode_cursor(key) != cursor:
            raise ValueError("is not a cursor of this list")
        return key

    def sort(self, rows: QuerySet[M], *, descending: bool) -> QuerySet[M]:
        return rows.order_by(*(f"-{column}" if descending else column for column in self.columns))


class ConnectionArguments(Input):
    """The slice of a list to return: the ``first`` items after a cursor, or the ``last`` items before a cursor.

    Both cursors may be combined with either. A slice has 20 items by default and at most 100 (decisions 1.6).
    """

    ORDER: ClassVar[SortOrder]

    first: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE_SIZE)] | None = None
    """The number of items to return from the start, 1 to 100; cannot be combined with `last`."""
    after: ShortText | None = None
    """A cursor of the same list; only items after it are returned."""
    last: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE_SIZE)] | None = None
    """The number of items to return from the end, 1 to 100; cannot be combined with `first`."""
    before: ShortText | None = None
    """A cursor of the same list; only items before it are returned."""

    @field_validator("last")
    @classmethod
    def _exclude_first(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("first") is not None:
            raise ValueError("cannot be combined with first")
        return value

    @field_validator("after", "before")
    @classmethod
    def _check_cursor(cls, value: str | None) -> str | None:
        if value is not None:
            cls.ORDER.decode_cursor(value)
        return value

    @property
    def size(self) -> int:
        return self.first or self.last or DEFAULT_PAGE_SIZE


@dataclass(slots=True, kw_only=True)
class Edge(Generic[T]):
    """An item of a list and its cursor."""

    cursor: str
    """The cursor of the item, an opaque string."""
    node: T
    """The item."""


@dataclass(slots=True, kw_only=True)
class PageInfo:
    """Information about a page of a connection."""

    has_next_page: bool
    """Whether the list has items after this page."""
    has_previous_page: bool
    """Whether the list has items before this page."""
    start_cursor: str | None
    """The cursor of the first item; null if the page is empty."""
    end_cursor: str | None
    """The cursor of the last item; null if the page is empty."""


@dataclass(slots=True, kw_only=True)
class Connection(Generic[T]):
    """A slice of a list that can be paged through in both directions."""

    edges: list[Edge[T]]
    """The items of this page with their cursors."""
    nodes: list[T]
    """The items of this page."""
    page_info: PageInfo
    """Information about this page."""
    count: Callable[[], Awaitable[int]]
    """Return the number of rows in the whole list; called only if the caller asks for it."""


async def load_connection(
    ctx: Context,
    rows: QuerySet[M],
    arguments: ConnectionArguments,
    *,
    depends_on: Iterable[type[Model]],
    view: Callable[[M], T],
) -> Connection[T]:
    """Return the requested slice of ``rows``.

    It takes one statement, and one more for each cursor whose row has been deleted. ``depends_on`` are the models
    whose changes may change the count; ``view`` turns a row into an item.
    """
    order, forward = arguments.ORDER, arguments.last is None
    after, before = (order.decode_cursor(cursor) if cursor else None for cursor in (arguments.after, arguments.before))
    start, stop = (after, before) if forward else (before, after)
    scan = _Scan(rows, order, descending=order.descending is forward, start=start, stop=stop)
    found, more_behind, more_ahead = await scan.take(arguments.size)
    in_order = found if forward else found[::-1]
    edges = [Edge(cursor=order.encode_cursor(order.sort_key(row)), node=view(row)) for row in in_order]
    return Connection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo(
            has_next_page=more_ahead if forward else more_behind,
            has_previous_page=more_behind if forward else more_ahead,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        count=partial(ctx.services.count_cache.count, rows, of=depends_on),
    )


@dataclass(frozen=True, slots=True)
class _Scan(Generic[M]):
    """A scan of ``rows`` in one direction, between two sort keys, both excluded; None is the end of the list."""

    rows: QuerySet[M]
    order: SortOrder
    descending: bool
    start: SortKey | None
    stop: SortKey | None

    async def take(self, size: int) -> tuple[list[M], bool, bool]:
        """Return the next ``size`` rows, and whether there are more rows behind and ahead of them.

        The rows at both keys are read as well: if they still exist, no further statement is needed to find more rows.
        """
        found = await self._between().limit(size + (1 if self.start is None else 2))
        start_exists = bool(found) and self.order.sort_key(found[0]) == self.start
        rest = found[1:] if start_exists else found
        taken = [row for row in rest[:size] if self.order.sort_key(row) != self.stop]
        more_behind = start_exists or await self._exists(self.start, ahead=False)
        more_ahead = len(rest) > len(taken) or await self._exists(self.stop, ahead=True)
        return taken, more_behind, more_ahead

    def _between(self) -> QuerySet[M]:
        rows = self.order.sort(self.rows, descending=self.descending)
        if self.start is not None:
            rows = rows.filter(self._from(self.start, ahead=True))
        if self.stop is not None:
            rows = rows.filter(self._from(self.stop, ahead=False))
        return rows

    async def _exists(self, key: SortKey | None, *, ahead: bool) -> bool:
        """Return whether there is a row at the key or beyond it."""
        if key is None:
            return False
        # Sorted, so that the index leads to the nearest row: exists() may search all rows for one.
        rows = self.order.sort(self.rows, descending=self.descending is ahead)
        return await rows.filter(self._from(key, ahead=ahead)).first() is not None

    def _from(self, key: SortKey, *, ahead: bool) -> Q:
        return _KeysetCondition(self.order, key, Equality.lte if self.descending is ahead else Equality.gte)


class _KeysetCondition(Q):
    """A condition on the sort key of a row, written as a comparison of row values: ``(a, b) >= (x, y)``.

    PostgreSQL starts an index scan exactly at such a key, and SQLite at its first column. For an equivalent ``OR`` they
    start earlier, or sort.
    """

    def __init__(self, order: SortOrder, key: SortKey, comparison: Equality) -> None:
        super().__init__()
        self.order, self.key, self.comparison = order, key, comparison

    def resolve(self, resolve_context: ResolveContext) -> QueryModifier:
        columns = [resolve_context.table[column] for column in self.order.columns]
        return QueryModifier(where_criterion=BasicCriterion(self.comparison, Tuple(*columns), Tuple(*self.key)))
