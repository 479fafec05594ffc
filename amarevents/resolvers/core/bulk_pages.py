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
from amarevents.resolvers.core.sorting import SortOrder

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
    order: SortOrder
    """The order of the list."""
    paging: Paging
    """The page to load."""


async def load_pages(
    requests: Mapping[K, PageRequest[M]], *, prepare: Callable[[QuerySet[M]], QuerySet[M]], view: Callable[[M], T]
) -> dict[K, Page[T]]:
    """Return the requested pages by key, in three statements for up to 500 segments of lists.

    ``prepare`` loads what ``view`` needs with the rows.
    """
    pages: dict[K, Page[T]] = {}
    for batch in _batches(requests):
        loaded = await _load_batch([request for _, request in batch], prepare, view)
        pages |= {key: page for (key, _), page in zip(batch, loaded, strict=True)}
    return pages


def _batches(requests: Mapping[K, PageRequest[M]]) -> Iterator[list[tuple[K, PageRequest[M]]]]:
    batch: list[tuple[K, PageRequest[M]]] = []
    parts = rows = 0
    for key, request in requests.items():
        segments = len(request.order.segments)
        if batch and (parts + segments > _PARTS or rows + request.paging.limit > _ROWS):
            yield batch
            batch, parts, rows = [], 0, 0
        batch.append((key, request))
        parts += segments
        rows += request.paging.limit
    if batch:
        yield batch


async def _load_batch(
    requests: Sequence[PageRequest[M]], prepare: Callable[[QuerySet[M]], QuerySet[M]], view: Callable[[M], T]
) -> list[Page[T]]:
    segments = [(number, rows) for number, one in enumerate(requests) for rows in one.order.read(one.rows)]
    lengths = await count_rows([rows for _, rows in segments])
    totals, parts = [0] * len(requests), []
    for part, (number, rows) in enumerate(segments):
        paging, before = requests[number].paging, totals[number]
        totals[number] += lengths[part]
        start, stop = max(0, paging.offset - before), min(paging.offset + paging.limit - before, lengths[part])
        if start < stop:
            parts.append((number, rows.offset(start).limit(stop - start)))
    ids: list[set[int]] = [set() for _ in requests]
    for part, row_id in await select_ids([rows for _, rows in parts]):
        ids[parts[part][0]].add(row_id)
    found = {row.pk: row for row in await prepare(requests[0].rows.model.filter(id__in=list(set().union(*ids))))}
    views = {row_id: view(row) for row_id, row in found.items()}
    return [
        page_of(
            [views[row.pk] for row in one.order.sorted(found[row_id] for row_id in ids[number] & found.keys())],
            totals[number],
            one.paging,
        )
        for number, one in enumerate(requests)
    ]


async def count_rows(parts: Sequence[QuerySet[M]]) -> dict[int, int]:
    """Return the number of rows of each query by its position, in one statement."""
    return dict(await _union_all(_TOTAL, parts))


async def select_ids(parts: Sequence[QuerySet[M]]) -> list[tuple[int, int]]:
    """Return the position of a query and the ID of a row for all rows of all queries, in one statement."""
    return await _union_all(_IDS, parts)


async def _union_all(template: str, parts: Sequence[QuerySet[M]]) -> list[tuple[int, int]]:
    """Execute the template for all parts in one statement, and return the two columns that it selects.

    ``rows`` in the template becomes a query for the IDs of a part. Values are parameters of the statement.
    """
    if not parts:
        return []
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
