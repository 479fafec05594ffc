"""Pages of many lists, loaded together in a bounded number of statements.

Each page is one part of a ``UNION ALL``, so the database reads each of them from the index as it would alone.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pypika_tortoise.terms import Parameterizer
from tortoise import connections
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents.models.db.connection import CONNECTION
from amarevents.resolvers.core.pagination import Page, Paging, page_of

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
M = TypeVar("M", bound=Model)

_IDS = 'SELECT {number} AS part, "id" AS value FROM ({rows}) AS part_{number}'
_TOTAL = "SELECT {number} AS part, COUNT(*) AS value FROM ({rows}) AS part_{number}"
# SQLite accepts no more parts in one statement, and neither database many more parameters.
_PARTS = 500
_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest(Generic[M]):
    """A request for one page of a list."""

    rows: QuerySet[M]
    """All rows of the list."""
    paging: Paging
    """The page to load."""


async def load_pages(
    requests: Mapping[K, PageRequest[M]], *, prepare: Callable[[QuerySet[M]], QuerySet[M]], view: Callable[[M], T]
) -> dict[K, Page[T]]:
    """Return the requested pages by key, in three statements for up to 500 pages.

    ``prepare`` sorts the rows by a total order and loads what ``view`` needs with them.
    """
    pages: dict[K, Page[T]] = {}
    for batch in _batches(requests):
        loaded = await _load_batch([request for _, request in batch], prepare, view)
        pages |= {key: page for (key, _), page in zip(batch, loaded, strict=True)}
    return pages


def _batches(requests: Mapping[K, PageRequest[M]]) -> Iterator[list[tuple[K, PageRequest[M]]]]:
    batch: list[tuple[K, PageRequest[M]]] = []
    rows = 0
    for key, request in requests.items():
        if len(batch) == _PARTS or rows + request.paging.limit > _ROWS:
            yield batch
            batch, rows = [], 0
        batch.append((key, request))
        rows += request.paging.limit
    if batch:
        yield batch


async def _load_batch(
    requests: Sequence[PageRequest[M]], prepare: Callable[[QuerySet[M]], QuerySet[M]], view: Callable[[M], T]
) -> list[Page[T]]:
    parts = [prepare(one.rows).offset(one.paging.offset).limit(one.paging.limit) for one in requests]
    pages_of: dict[int, list[int]] = {}
    for number, row_id in await _union_all(_IDS, parts):
        pages_of.setdefault(row_id, []).append(number)
    items: list[list[T]] = [[] for _ in requests]
    for found in await prepare(requests[0].rows.model.filter(id__in=list(pages_of))):
        item = view(found)
        for number in pages_of[found.pk]:
            items[number].append(item)
    totals = dict(await _union_all(_TOTAL, [request.rows for request in requests]))
    return [page_of(items[number], totals[number], request.paging) for number, request in enumerate(requests)]


async def _union_all(template: str, parts: Sequence[QuerySet[M]]) -> list[tuple[int, int]]:
    """Execute the template for all parts in one statement, and return the two columns that it selects.

    ``rows`` in the template becomes a query for the IDs of a part. Values are parameters of the statement.
    """
    parameters = Parameterizer()
    statement = " UNION ALL ".join(
        template.format(number=number, rows=_ids_sql(part, parameters)) for number, part in enumerate(parts)
    )
    rows = await connections.get(CONNECTION).execute_query_dict(statement, parameters.values)
    return [(row["part"], row["value"]) for row in rows]


def _ids_sql(rows: QuerySet[M], parameters: Parameterizer) -> str:
    ids = rows.values("id")
    # As ids.sql() does, which would number the parameters of each part from 1.
    ids._make_query()  # noqa: SLF001 - the public sql() cannot be given the parameters
    return ids.query.get_sql(ids.query.QUERY_CLS.SQL_CONTEXT.copy(parameterizer=parameters))
