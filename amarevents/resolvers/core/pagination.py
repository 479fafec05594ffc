"""Pages of lists: which page is asked for, and what it carries."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import (
    Field,
    StrictInt,
)
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents.models.columns import MAX_ID
from amarevents.resolvers.core.inputs import Input
from amarevents.security.context import Context

T = TypeVar("T")
M = TypeVar("M", bound=Model)


MAX_PAGE_SIZE = 100


DEFAULT_PAGE_SIZE = 20


class Paging(Input):
    """Which part of a list: ``page`` counts from 1, ``limit`` is at most 100 (decisions 1.6)."""

    page: Annotated[StrictInt, Field(ge=1, le=MAX_ID)] = 1
    """Which page, counted from 1."""
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE
    """How many on a page, at most 100."""

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


@dataclass(slots=True, kw_only=True)
class Pagination:
    """Where a page stands in its list."""

    total: int
    """How many there are on all pages together."""
    page: int
    """Which page, counted from 1."""
    limit: int
    """How many on a page, at most 100."""
    pages: int
    """How many pages the list has."""


@dataclass(slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list, and where it stands."""

    items: list[T]
    """What is on this page."""
    pagination: Pagination
    """Where this page stands in the whole list."""


async def load_page(
    ctx: Context, rows: QuerySet[M], paging: Paging, *, of: Iterable[type[Model]], view: Callable[[M], T]
) -> Page[T]:
    """The part of ``rows`` that is asked for, in two statements; ``of``: the models that the total depends on."""
    total = await ctx.services.count_cache.count(rows, of=of)
    return page_of([view(row) for row in await rows.offset(paging.offset).limit(paging.limit)], total, paging)


def page_of(items: list[T], total: int, paging: Paging) -> Page[T]:
    return Page(
        items=items,
        pagination=Pagination(total=total, page=paging.page, limit=paging.limit, pages=-(-total // paging.limit)),
    )
