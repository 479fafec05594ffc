"""Pages of lists by number."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, Field, StrictInt
from tortoise.models import Model

from amarevents.models.columns import MAX_ID
from amarevents.resolvers.core.inputs import Input
from amarevents.resolvers.core.select import Select
from amarevents.resolvers.core.sorting import SortOrder
from amarevents.resolvers.core.sources import Fields
from amarevents.security.context import Context

T = TypeVar("T")
V = TypeVar("V")

MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 20


def _at_most_the_maximum(size: int) -> int:
    return min(size, MAX_PAGE_SIZE)


PageSize = Annotated[
    StrictInt, Field(ge=1, json_schema_extra={"maximum": MAX_PAGE_SIZE}), AfterValidator(_at_most_the_maximum)
]
"""A number of items per page; a larger one than the maximum is taken as the maximum (decisions 1.6)."""


class Paging(Input):
    """The page of a list to return (decisions 1.6)."""

    page: Annotated[StrictInt, Field(ge=1, le=MAX_ID)] = 1
    """The number of the page, starting at 1."""
    limit: PageSize = DEFAULT_PAGE_SIZE
    """The number of items per page, 1 to 100; more is taken as 100."""

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


class WholeListPaging(Paging):
    """The page of a list that is seldom longer than one page, and returned whole by default (decisions 1.2)."""

    limit: PageSize = MAX_PAGE_SIZE
    """The number of items per page, 1 to 100; more is taken as 100."""


@dataclass(slots=True, kw_only=True)
class Pagination:
    """The position of a page in its list."""

    total: int
    """The number of items on all pages."""
    page: int
    """The number of this page, starting at 1."""
    limit: int
    """The maximum number of items per page."""
    pages: int
    """The number of pages."""


@dataclass(slots=True, kw_only=True)
class Page(Generic[T]):
    """A page of a list."""

    items: list[T]
    """The items on this page."""
    pagination: Pagination
    """The position of this page in the list."""


async def load_page(
    ctx: Context,
    rows: Select[V],
    paging: Paging,
    *,
    depends_on: Iterable[type[Model]],
    order: SortOrder,
) -> Page[V]:
    """Return the requested page of a list, in two statements, or a few more if ``order`` has several segments.

    ``depends_on`` are the models whose changes may change the total. A caller that does not need the total or all
    fields has said so in its context.
    """
    count = partial(_count, ctx, tuple(depends_on))
    total = await count(rows) if ctx.needs_total else None
    found = await read_slice(order.read(rows), offset=paging.offset, limit=paging.limit, wanted=ctx.fields, count=count)
    return _uncounted(found) if total is None else page_of(found, total, paging)


def _uncounted(items: list[T]) -> Page[T]:
    """Return a page without its pagination, whose total was not counted."""
    page: Page[T] = Page.__new__(Page)
    page.items = items
    return page


async def _count(ctx: Context, depends_on: tuple[type[Model], ...], rows: Select[V]) -> int:
    return await ctx.services.count_cache.count(rows.count_statement(), rows.count, of=depends_on)


async def read_slice(
    segments: Iterable[Select[V]],
    *,
    limit: int,
    offset: int = 0,
    wanted: Fields = None,
    count: Callable[[Select[V]], Awaitable[int]] = Select.count,
) -> list[V]:
    """Return at most ``limit`` views of the segments' concatenation, after the first ``offset`` rows.

    A segment without any of them is counted, because the offset in the next one depends on its length.
    """
    found: list[V] = []
    remaining = iter(segments)
    rows = next(remaining, None)
    while rows is not None:
        found += await rows.page(limit - len(found), offset).fetch(wanted)
        if len(found) == limit:
            break
        following = next(remaining, None)
        if following is not None:
            offset = 0 if found or offset == 0 else max(0, offset - await count(rows))
        rows = following
    return found


def page_of(items: list[T], total: int, paging: Paging) -> Page[T]:
    """Return a page with the given items, of a list with ``total`` items."""
    return Page(
        items=items,
        pagination=Pagination(total=total, page=paging.page, limit=paging.limit, pages=-(-total // paging.limit)),
    )


def paginate(items: Sequence[T], paging: Paging) -> Page[T]:
    """Return the requested page of a list that has been loaded whole."""
    return page_of(list(items[paging.offset : paging.offset + paging.limit]), len(items), paging)
