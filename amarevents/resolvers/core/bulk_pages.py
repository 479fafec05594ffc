"""Pages of many lists at once: each is a part of one statement, read by the index as if it were asked for alone."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pypika_tortoise.terms import Parameterizer
from tortoise import connections
from tortoise.models import Model
from tortoise.queryset import QuerySet

from amarevents.models.db.connection import CONNECTION
from amarevents.resolvers.core.pagination import Page, Paging, page_of

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
M = TypeVar("M", bound=Model)

_IDS = 'SELECT {number} AS part, "id" FROM ({rows}) AS part_{number}'
_TOTAL = "SELECT {number} AS part, COUNT(*) AS total FROM ({rows}) AS part_{number}"
# SQLite takes no more parts in a statement, neither database many more parameters.
_PARTS = 500
_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[M]):
    """A page of a list: all ``rows`` of the list, and which of them."""

    rows: QuerySet[M]
    paging: Paging


async def load_pages(
    asked: Mapping[K, Asked[M]], *, shown: Callable[[QuerySet[M]], QuerySet[M]], view: Callable[[M], T]
) -> dict[K, Page[T]]:
    """The pages by their keys, in three statements for as many as a document can ask for.

    ``shown`` puts rows into their order, which is total, and loads with them what ``view`` needs.
    """
    pages: dict[K, Page[T]] = {}
    for batch in _batches(asked):
        loaded = await _load([one for _, one in batch], shown, view)
        pages |= {key: page for (key, _), page in zip(batch, loaded, strict=True)}
    return pages


def _batches(asked: Mapping[K, Asked[M]]) -> Iterator[list[tuple[K, Asked[M]]]]:
    batch: list[tuple[K, Asked[M]]] = []
    rows = 0
    for key, one in asked.items():
        if len(batch) == _PARTS or rows + one.paging.limit > _ROWS:
            yield batch
            batch, rows = [], 0
        batch.append((key, one))
        rows += one.paging.limit
    if batch:
        yield batch


async def _load(
    asked: Sequence[Asked[M]], shown: Callable[[QuerySet[M]], QuerySet[M]], view: Callable[[M], T]
) -> list[Page[T]]:
    parts = [shown(one.rows).offset(one.paging.offset).limit(one.paging.limit) for one in asked]
    pages_of: dict[int, list[int]] = {}
    for row in await _in_one_statement(_IDS, parts):
        pages_of.setdefault(row["id"], []).append(row["part"])
    items: list[list[T]] = [[] for _ in asked]
    for found in await shown(asked[0].rows.model.filter(id__in=list(pages_of))):
        shown_as = view(found)
        for number in pages_of[found.pk]:
            items[number].append(shown_as)
    totals = {row["part"]: row["total"] for row in await _in_one_statement(_TOTAL, [one.rows for one in asked])}
    return [page_of(items[number], totals[number], one.paging) for number, one in enumerate(asked)]


async def _in_one_statement(template: str, parts: Sequence[QuerySet[M]]) -> list[dict[str, Any]]:  # Any: columns
    """The template for each part, whose ``rows`` are ids; texts and other values are parameters of the statement."""
    parameters = Parameterizer()
    statement = " UNION ALL ".join(
        template.format(number=number, rows=_sql(part, parameters)) for number, part in enumerate(parts)
    )
    rows: list[dict[str, Any]] = await connections.get(CONNECTION).execute_query_dict(statement, parameters.values)
    return rows


def _sql(rows: QuerySet[M], parameters: Parameterizer) -> str:
    ids = rows.values("id")
    ids._make_query()  # noqa: SLF001 - as its own sql() does, which numbers the parameters of each part from 1
    return ids.query.get_sql(ids.query.QUERY_CLS.SQL_CONTEXT.copy(parameterizer=parameters))
