"""Cursor pagination, following the GraphQL Cursor Connections Specification.

A cursor holds the sort key of a row. A page starts at a sort key instead of after a number of rows, so rows that are
added or deleted elsewhere do not shift it, and the database reads it directly from the index of the sort order.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import ClassVar, Generic, TypeVar

from pydantic import ValidationInfo, field_validator
from tortoise.models import Model

from amarevents import errors
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.pagination import DEFAULT_PAGE_SIZE, PageSize, read_slice
from amarevents.resolvers.core.select import Select
from amarevents.resolvers.core.sorting import Position, SortKey, SortOrder
from amarevents.resolvers.core.text_types import ShortText
from amarevents.security.context import Context

T = TypeVar("T")
V = TypeVar("V")


class ConnectionArguments(Input):
    """The slice of a list to return: the ``first`` items after a cursor, or the ``last`` items before a cursor.

    Both cursors may be combined with either. A slice has 20 items by default and at most 100 (decisions 1.6).
    """

    ORDER: ClassVar[SortOrder]

    first: PageSize | None = None
    """The number of items to return from the start, 1 to 100; more is taken as 100. Cannot be combined with
    `last`."""
    after: ShortText | None = None
    """A cursor of the same list; only items after it are returned."""
    last: PageSize | None = None
    """The number of items to return from the end, 1 to 100; more is taken as 100. Cannot be combined with
    `first`."""
    before: ShortText | None = None
    """A cursor of the same list; only items before it are returned."""

    @field_validator("last")
    @classmethod
    def _exclude_first(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("first") is not None:
            raise ValueError("cannot be combined with first")
        return value

    @property
    def size(self) -> int:
        return self.first or self.last or DEFAULT_PAGE_SIZE

    def order(self, ctx: Context) -> SortOrder:  # noqa: ARG002 - for lists whose order depends on the day
        """Return the order of the list. Raises ValidationFailed if it depends on a cursor that is invalid."""
        return self.ORDER

    def check_cursors(self, ctx: Context) -> None:
        """Raise ValidationFailed if a cursor is not one of this list."""
        order = self.order(ctx)
        for name in ("after", "before"):
            self.position(name, order)

    def position(self, name: str, order: SortOrder) -> Position | None:
        """Return what the cursor of this argument holds, None if it was not given. Raises ValidationFailed."""
        cursor: str | None = getattr(self, name)
        try:
            return None if cursor is None else order.decode_cursor(cursor)
        except ValueError as error:
            raise errors.ValidationFailed({name: str(error)}) from error


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
    ctx: Context, rows: Select[V], arguments: ConnectionArguments, *, depends_on: Iterable[type[Model]]
) -> Connection[V]:
    """Return the requested slice of ``rows``.

    It takes one statement for each segment of the list that the slice touches, and one more for each cursor whose row
    has been deleted. ``depends_on`` are the models whose changes may change the count. Raises ValidationFailed if a
    cursor is not one of this list.
    """
    part = slice_of(ctx, rows, arguments)
    wanted = None if ctx.fields is None else ctx.fields | part.order.fields
    found = await read_slice(part.between(), limit=part.limit, wanted=wanted)
    behind = part.start_is_first_of(found) or await _any(part.behind())
    ahead = part.stops_within(found) or await _any(part.ahead())
    count = partial(ctx.services.count_cache.count, rows.count_statement(), rows.count, of=tuple(depends_on))
    return connection_of(part, found, behind=behind, ahead=ahead, count=count)


async def _any(segments: Iterable[Select[V]]) -> bool:
    """Return whether any of the segments has a row: its first one, so that the index leads to it."""
    for rows in segments:
        if await rows.exists():
            return True
    return False


def slice_of(ctx: Context, rows: Select[V], arguments: ConnectionArguments) -> "Slice[V]":
    """Return the part of ``rows`` that the arguments ask for. Raises ValidationFailed if a cursor is not one of it."""
    order, backward = arguments.order(ctx), arguments.last is not None
    after, before = (_key(arguments.position(name, order)) for name in ("after", "before"))
    start, stop = (before, after) if backward else (after, before)
    return Slice(rows, order, backward=backward, start=start, stop=stop, size=arguments.size)


def connection_of(
    part: "Slice[V]", found: list[V], *, behind: bool, ahead: bool, count: Callable[[], Awaitable[int]]
) -> Connection[V]:
    """Return the connection for a slice and the views that were found for it; ``behind`` and ``ahead``: of more."""
    taken = part.taken_of(found)
    in_order = taken[::-1] if part.backward else taken
    order = part.order
    edges = [Edge(cursor=order.encode_cursor(order.sort_key(view)), node=view) for view in in_order]
    return Connection(
        edges=edges,
        nodes=in_order,
        page_info=PageInfo(
            has_next_page=behind if part.backward else ahead,
            has_previous_page=ahead if part.backward else behind,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        count=count,
    )


def _key(position: Position | None) -> SortKey | None:
    return None if position is None else position.key


@dataclass(frozen=True, slots=True)
class Slice(Generic[V]):
    """A part of ``rows`` read in one direction, between two sort keys, both excluded; None is the end of the list.

    The rows at both keys are read as well: if they still exist, no further query is needed to find more rows. Queries
    are lists of them, one for each segment of the list.
    """

    rows: Select[V]
    order: SortOrder
    _: KW_ONLY
    backward: bool
    start: SortKey | None
    stop: SortKey | None
    size: int

    @property
    def limit(self) -> int:
        """The number of rows to read between the keys."""
        return self.size + (1 if self.start is None else 2)

    def between(self) -> Iterable[Select[V]]:
        return self.order.read(self.rows, start=self.start, stop=self.stop, backward=self.backward)

    def behind(self) -> Iterable[Select[V]]:
        """Return queries for the rows at the start or behind it.

        The rows are sorted, so that the index leads to the nearest one: exists() may search all rows for one.
        """
        return self._beyond(self.start, backward=not self.backward)

    def ahead(self) -> Iterable[Select[V]]:
        """Return queries for the rows at the stop or beyond it."""
        return self._beyond(self.stop, backward=self.backward)

    def _beyond(self, key: SortKey | None, *, backward: bool) -> Iterable[Select[V]]:
        return [] if key is None else self.order.read(self.rows, start=key, backward=backward)

    def start_is_first_of(self, found: list[V]) -> bool:
        """Return whether the row at the start still exists, which is behind the slice."""
        return bool(found) and self.order.sort_key(found[0]) == self.start

    def taken_of(self, found: list[V]) -> list[V]:
        """Return those of the rows that were found that are in the slice."""
        return [row for row in self._rest_of(found)[: self.size] if self.order.sort_key(row) != self.stop]

    def stops_within(self, found: list[V]) -> bool:
        """Return whether there are more rows ahead among those that were found."""
        return len(self._rest_of(found)) > len(self.taken_of(found))

    def _rest_of(self, found: list[V]) -> list[V]:
        return found[1:] if self.start_is_first_of(found) else found
