"""Pages of many lists, loaded together in a bounded number of statements.

Each page is one part of a ``UNION ALL``, so the database reads each of them from the index as it would alone.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from amarevents.models.db.sql import Sql, fetch, is_in, union_all
from amarevents.resolvers.core.pagination import Page, Paging, page_of
from amarevents.resolvers.core.select import Select, by_id
from amarevents.resolvers.core.sorting import SortOrder
from amarevents.resolvers.core.sources import Source

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# SQLite accepts no more parts in one statement, and neither database many more parameters.
_PARTS = 500
_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest(Generic[V]):
    """A request for one page of a list."""

    rows: Select[V]
    """All rows of the list."""
    order: SortOrder
    """The order of the list."""
    paging: Paging
    """The page to load."""


async def load_pages(requests: Mapping[K, PageRequest[V]]) -> dict[K, Page[V]]:
    """Return the requested pages by key, in three statements for up to 500 segments of lists."""
    pages: dict[K, Page[V]] = {}
    for batch in _batches(requests):
        loaded = await _load_batch([request for _, request in batch])
        pages |= {key: page for (key, _), page in zip(batch, loaded, strict=True)}
    return pages


def _batches(requests: Mapping[K, PageRequest[V]]) -> Iterator[list[tuple[K, PageRequest[V]]]]:
    batch: list[tuple[K, PageRequest[V]]] = []
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


async def _load_batch(requests: Sequence[PageRequest[V]]) -> list[Page[V]]:
    segments = [(number, rows) for number, one in enumerate(requests) for rows in one.order.read(one.rows)]
    lengths = await count_rows([rows for _, rows in segments])
    totals, parts = [0] * len(requests), []
    for part, (number, rows) in enumerate(segments):
        paging, before = requests[number].paging, totals[number]
        totals[number] += lengths[part]
        start, stop = max(0, paging.offset - before), min(paging.offset + paging.limit - before, lengths[part])
        if start < stop:
            parts.append((number, rows.page(stop - start, start)))
    ids: list[set[int]] = [set() for _ in requests]
    for part, row_id in await select_ids([rows for _, rows in parts]):
        ids[parts[part][0]].add(row_id)
    found = await fetch_by_ids(requests[0].rows.source, set().union(*ids))
    return [
        page_of(one.order.sorted(found[row_id] for row_id in ids[number] & found.keys()), totals[number], one.paging)
        for number, one in enumerate(requests)
    ]


async def fetch_by_ids(source: Source[V], ids: set[int]) -> dict[int, V]:
    """Return the views of rows by their IDs, in one statement."""
    rows = Select(source)
    return by_id(await rows.where(is_in(rows.column("id"), ids)).fetch()) if ids else {}


async def count_rows(parts: Sequence[Select[V]]) -> dict[int, int]:
    """Return the number of rows of each query by its position, in one statement."""
    counts = (_numbered(number, "COUNT(*)", rows.ids("id")) for number, rows in enumerate(parts))
    return dict(await _union_all(counts))


async def select_ids(parts: Sequence[Select[V]]) -> list[tuple[int, int]]:
    """Return the position of a query and the ID of a row for all rows of all queries, in one statement."""
    return await _union_all(_numbered(number, "id", rows.ids("id")) for number, rows in enumerate(parts))


def _numbered(number: int, value: str, rows: Sql) -> Sql:
    return Sql(f"SELECT {number} AS part, {value} AS value FROM ({rows.text}) AS part_{number}", rows.values)


async def _union_all(parts: Iterable[Sql]) -> list[tuple[int, int]]:
    """Return the two columns of all parts, in one statement."""
    pieces = list(parts)
    return [(part, value) for part, value in await fetch(union_all(pieces))] if pieces else []
