"""Reading rows: views are selected by statements of their own and made straight from the rows of the driver.

A ``Source`` says once where the fields of a view come from. A ``Select`` is a query for such views: it writes a
statement whose text depends on its shape alone, so both databases keep it prepared. Its conditions refer to columns of
the main table only, and to other tables in sub-selects: counts and pages then need no joins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Generic, TypeVar

from amarevents.models.db.sql import TRUE, Sql, dialect, fetch, is_in
from amarevents.resolvers.core.sources import Fields, Source
from amarevents.security.context import Context

V = TypeVar("V", covariant=True)
T = TypeVar("T")

# Every view of a row has one.
_ID = attrgetter("id")


@dataclass(frozen=True, slots=True)
class Part:
    """The rows that belong to each row of another query: those in which the column ``key`` has its ID."""

    rows: "Select[Any]"  # Any: their views, which are the values of a field
    key: str


@dataclass(frozen=True, slots=True)
class Select(Generic[V]):
    """A query for views."""

    source: Source[V]
    condition: Sql = TRUE
    order: str = ""
    """The ORDER BY clause with columns of the main table, empty for any order."""
    limit: int | None = None
    offset: int = 0

    def where(self, *conditions: Sql) -> "Select[V]":
        """Return the query for those of the rows that meet the conditions."""
        condition = self.condition
        for one in conditions:
            condition &= one
        return replace(self, condition=condition)

    def order_by(self, *columns: str, descending: bool = False) -> "Select[V]":
        """Return the query with its rows sorted by columns of the main table."""
        return replace(self, order=", ".join(f"{column} DESC" if descending else column for column in columns))

    def page(self, limit: int, offset: int = 0) -> "Select[V]":
        """Return the query for at most ``limit`` rows after the first ``offset`` ones."""
        return replace(self, limit=limit, offset=offset)

    def column(self, name: str) -> str:
        """Return a column of the main table as statements write it."""
        return f"{self.source.table}.{name}"

    def statement(self, columns: str, joins: str = "") -> Sql:
        """Return the statement that selects these columns of the rows.

        The rows that an offset passes over are only looked up in the index.
        """
        source = self.source
        if self.offset:
            page = self.ids("id")
            text = f"SELECT {columns} FROM ({page.text}) AS page JOIN {source.table} ON {self.column('id')} = page.id"
            return Sql(f"{text} {joins}{self._order_by()}", page.values)
        return self._select(columns, joins)

    def ids(self, name: str) -> Sql:
        """Return the statement that selects the IDs of the rows under a name."""
        return self._select(f"{self.column('id')} AS {name}", "")

    def _select(self, columns: str, joins: str) -> Sql:
        text = f"SELECT {columns} FROM {self.source.table} {joins} WHERE {self.condition.text}{self._order_by()}"
        values = self.condition.values
        if self.limit is not None:
            text, values = f"{text} LIMIT ?", (*values, self.limit)
        return Sql(f"{text} OFFSET ?", (*values, self.offset)) if self.offset else Sql(text, values)

    def _order_by(self) -> str:
        return f" ORDER BY {self.order}" if self.order else ""

    def count_statement(self) -> Sql:
        """Return the statement that counts the rows, regardless of the limit."""
        return Sql(f"SELECT COUNT(*) FROM {self.source.table} WHERE {self.condition.text}", self.condition.values)

    async def fetch(self, wanted: Fields = None) -> list[V]:
        """Return the views of the rows; only ``wanted`` fields of them are set."""
        reader = self.source.reader(wanted)
        return reader.read(await fetch(self.statement(reader.columns, reader.joins)))

    async def grouped_by(self, column: str, keys: Sequence[int], wanted: Fields = None) -> dict[int, list[V]]:
        """Return the views of the rows for each value in ``keys`` of a column of the main table."""
        groups: dict[int, list[V]] = {key: [] for key in keys}
        if keys:
            reader, named = self.source.reader(wanted), self.column(column)
            selected = f"{reader.columns}, {named} AS group_key"
            rows = await fetch(self.where(is_in(named, keys)).statement(selected, reader.joins))
            for row, view in zip(rows, reader.read(rows), strict=True):
                groups[row[-1]].append(view)
        return groups

    async def fetch_with(self, **parts: Part) -> list[V]:
        """Return the views of the rows, each with the views of its parts in the fields of these names.

        PostgreSQL returns the parts as arrays of rows, so that everything takes one round trip.
        """
        if dialect() == "sqlite":
            return await self._fetch_one_by_one(parts)
        reader = self.source.reader(None)
        arrays = [part.rows.array(part.key, self.source.table) for part in parts.values()]
        found = await fetch(self.statement(", ".join([reader.columns, *arrays]), reader.joins))
        views = reader.read(found)
        for position, (name, part) in enumerate(parts.items(), start=-len(parts)):
            read = part.rows.source.reader(None).read
            for row, view in zip(found, views, strict=True):
                setattr(view, name, read(row[position]))
        return views

    async def _fetch_one_by_one(self, parts: Mapping[str, Part]) -> list[V]:
        views = await self.fetch()
        ids = list(map(_ID, views))
        for name, part in parts.items():
            groups = await part.rows.grouped_by(part.key, ids)
            for row_id, view in zip(ids, views, strict=True):
                setattr(view, name, groups[row_id])
        return views

    def array(self, key: str, parent: str) -> str:
        """Return the array of the rows whose column ``key`` has the ID of a row of ``parent``, a table, for PostgreSQL.

        Raises ValueError if the views read columns of that table: its name would mean the joined row.
        """
        reader = self.source.reader(None)
        if f"JOIN {parent} " in reader.joins:
            raise ValueError(f"{self.source.view.__name__} has fields of {parent}, so it cannot be a part of them")
        rows = f"FROM {self.source.table} {reader.joins} WHERE {self.column(key)} = {parent}.id{self._order_by()}"
        return f"ARRAY(SELECT ROW({reader.columns}) {rows})"

    async def first(self) -> V | None:
        """Return the first view, None if no row meets the condition."""
        return next(iter(await replace(self, limit=1).fetch()), None)

    async def count(self) -> int:
        """Return the number of rows, regardless of the limit."""
        [[number]] = await fetch(self.count_statement())
        return int(number)

    async def exists(self) -> bool:
        """Return whether any row meets the condition."""
        return bool(await fetch(replace(self, limit=1).ids("id")))


def whole(ctx: Context) -> Context:
    """Return a context in which views are read with all their fields."""
    return ctx if ctx.fields is None else replace(ctx, fields=None)


async def fetch_column(statement: Sql) -> list[Any]:
    """Return the only column of a statement."""
    return [value for (value,) in await fetch(statement)]


def by_id(views: Iterable[T]) -> dict[int, T]:
    """Return views by their ID."""
    return {_ID(view): view for view in views}
