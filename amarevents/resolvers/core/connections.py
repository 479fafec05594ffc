"""Walking a list by cursors, as the GraphQL Cursor Connections Specification has it.

A cursor is the place of a row in the order of its list. A page begins at a place instead of after a number of rows, so
that rows which come and go elsewhere move nothing, and it is read from there by the index of the order.
"""

import base64
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Generic, TypeVar

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

Place = tuple[Any, ...]
"""A row's values in the columns of an order. Any: each column's own type."""

_CHECKSUM_BYTES = 4


def read_id(text: str) -> int:
    """Raises ValueError for what is no row's id."""
    if not 1 <= (number := int(text)) <= MAX_ID:
        raise ValueError("is not an id")
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The total order of a list.

    ``columns``, the last of them unique, each with what reads its value from a text; ``name`` stands in the list's
    cursors, with a version: a list that comes to be ordered otherwise gets another.
    """

    name: str
    columns: Mapping[str, Callable[[str], Any]]  # Any: each column's own type
    descending: bool

    def place_of(self, row: Model) -> Place:
        return tuple(getattr(row, column) for column in self.columns)

    def cursor(self, place: Place) -> str:
        """The place as callers have it. The checksum finds typing errors; there is nothing to hide or to guard."""
        text = " ".join([self.name, *map(str, place)]).encode()
        checksum = zlib.crc32(text).to_bytes(_CHECKSUM_BYTES, "big")
        return base64.urlsafe_b64encode(checksum + text).rstrip(b"=").decode()

    def read(self, cursor: str) -> Place:
        """The place that a cursor names. Raises ValueError for what is no cursor of a list in this order."""
        try:
            decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            _, *texts = decoded[_CHECKSUM_BYTES:].decode().split(" ")
            place = tuple(read(text) for read, text in zip(self.columns.values(), texts, strict=True))
        except ValueError:
            place = None
        # Another text: a wrong checksum, the cursor of another list, or another way to write the same place.
        if place is None or self.cursor(place) != cursor:
            raise ValueError("is not a cursor of this list")
        return place

    def sorted(self, rows: QuerySet[M], *, descending: bool) -> QuerySet[M]:
        return rows.order_by(*(f"-{column}" if descending else column for column in self.columns))


class Slicing(Input):
    """Which part of a list: the ``first`` rows behind ``after``, or the ``last`` ones before ``before``.

    Both places may bound either. At most 100 rows, the first 20 unless told (decisions 1.6).
    """

    ORDER: ClassVar[Order]

    first: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE_SIZE)] | None = None
    """At most so many, from the beginning: 1 to 100."""
    after: ShortText | None = None
    """What comes behind this place alone: a cursor of the same list."""
    last: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE_SIZE)] | None = None
    """At most so many, from the end: 1 to 100."""
    before: ShortText | None = None
    """What comes before this place alone: a cursor of the same list."""

    @field_validator("last")
    @classmethod
    def _one_end(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("first") is not None:
            raise ValueError("must be left out: first is given")
        return value

    @field_validator("after", "before")
    @classmethod
    def _of_this_list(cls, value: str | None) -> str | None:
        if value is not None:
            cls.ORDER.read(value)
        return value

    @property
    def size(self) -> int:
        return self.first or self.last or DEFAULT_PAGE_SIZE


@dataclass(slots=True, kw_only=True)
class Edge(Generic[T]):
    """A row of a list, and its place there: an opaque text."""

    cursor: str
    """Its place in the list: an opaque text."""
    node: T
    """The row."""


@dataclass(slots=True, kw_only=True)
class PageInfo:
    """Whether the list has rows before and behind a page, and where the page begins and ends."""

    has_next_page: bool
    """Whether there are rows behind these."""
    has_previous_page: bool
    """Whether there are rows before these."""
    start_cursor: str | None
    """The place of the first row; null for an empty page."""
    end_cursor: str | None
    """The place of the last row; null for an empty page."""


@dataclass(slots=True, kw_only=True)
class Connection(Generic[T]):
    """A part of a list that can be walked on from either end. ``count``: how many rows the list has, when asked for."""

    edges: list[Edge[T]]
    """The rows, each with its place in the list."""
    nodes: list[T]
    """The rows, without their places."""
    page_info: PageInfo
    """Where the page begins and ends, and whether there is more."""
    count: Callable[[], Awaitable[int]]


async def load_connection(
    ctx: Context, rows: QuerySet[M], asked: Slicing, *, of: Iterable[type[Model]], view: Callable[[M], T]
) -> Connection[T]:
    """The part of ``rows`` that is asked for, in one statement.

    And one for each place given whose row has gone. ``of``: the models that the total depends on.
    """
    order, forward = asked.ORDER, asked.last is None
    after, before = (order.read(cursor) if cursor else None for cursor in (asked.after, asked.before))
    start, stop = (after, before) if forward else (before, after)
    walk = _Walk(rows, order, descending=order.descending is forward, start=start, stop=stop)
    found, come_from, goes_on = await walk.take(asked.size)
    in_order = found if forward else found[::-1]
    edges = [Edge(cursor=order.cursor(order.place_of(row)), node=view(row)) for row in in_order]
    return Connection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo(
            has_next_page=goes_on if forward else come_from,
            has_previous_page=come_from if forward else goes_on,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        count=partial(ctx.services.count_cache.count, rows, of=of),
    )


@dataclass(frozen=True, slots=True)
class _Walk(Generic[M]):
    """Through ``rows`` from behind the one at ``start`` to before the one at ``stop``; None: from end to end."""

    rows: QuerySet[M]
    order: Order
    descending: bool
    start: Place | None
    stop: Place | None

    async def take(self, size: int) -> tuple[list[M], bool, bool]:
        """The next ``size`` rows, whether there are any where the walk comes from, and any where it goes.

        The rows at both places are read along: where they still are, they tell that there is more.
        """
        found = await self._between().limit(size + (1 if self.start is None else 2))
        at_start = bool(found) and self.order.place_of(found[0]) == self.start
        rest = found[1:] if at_start else found
        taken = [row for row in rest[:size] if self.order.place_of(row) != self.stop]
        come_from = at_start or await self._any(self.start, ahead=False)
        goes_on = len(rest) > len(taken) or await self._any(self.stop, ahead=True)
        return taken, come_from, goes_on

    def _between(self) -> QuerySet[M]:
        rows = self.order.sorted(self.rows, descending=self.descending)
        if self.start is not None:
            rows = rows.filter(self._from(self.start, ahead=True))
        if self.stop is not None:
            rows = rows.filter(self._from(self.stop, ahead=False))
        return rows

    async def _any(self, place: Place | None, *, ahead: bool) -> bool:
        """Whether there is a row at the place or further on; at an end of the list there is none."""
        if place is None:
            return False
        # In the list's order, so that the index leads to the nearest: exists() may look for one among all rows.
        rows = self.order.sorted(self.rows, descending=self.descending is ahead)
        return await rows.filter(self._from(place, ahead=ahead)).first() is not None

    def _from(self, place: Place, *, ahead: bool) -> Q:
        return _Beyond(self.order, place, Equality.lte if self.descending is ahead else Equality.gte)


class _Beyond(Q):
    """Condition on rows: at a place or on one side of it.

    Written as a comparison of row values, ``(a, b) >= (x, y)``: for it PostgreSQL begins at the place in the index, and
    SQLite where its first column begins. A disjunction that says the same has them begin earlier, or sort.
    """

    def __init__(self, order: Order, place: Place, comparison: Equality) -> None:
        super().__init__()
        self.order, self.place, self.comparison = order, place, comparison

    def resolve(self, resolve_context: ResolveContext) -> QueryModifier:
        columns = [resolve_context.table[column] for column in self.order.columns]
        return QueryModifier(where_criterion=BasicCriterion(self.comparison, Tuple(*columns), Tuple(*self.place)))
