"""Reading rows: views are selected by statements of their own and made straight from the rows of the driver.

A ``Source`` says once where the fields of a view come from. A ``Select`` is a query for such views: it writes a
statement whose text depends on its shape alone, so both databases keep it prepared. Its conditions refer to columns of
the main table only, and to other tables in sub-selects: counts and pages then need no joins.

Models are for writing: nothing here makes an instance of one, except ``load_models`` for rows that are about to change.
"""

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from tortoise.models import Model

from amarevents.models.columns import decode_json
from amarevents.models.db.sql import TRUE, Row, Sql, dialect, fetch, is_in
from amarevents.security.context import Context

V = TypeVar("V", covariant=True)
T = TypeVar("T")
M = TypeVar("M", bound=Model)
ParentT = TypeVar("ParentT", bound=Model)

Fields = Collection[str] | None
"""The names of the fields of a view to read; None for all."""

# Any throughout: the values of fields, each of its own type.
_Convert = Callable[[Any], Any]
_Read = Callable[[Sequence[Row]], list[Any]]

_CENT = Decimal("0.01")
# Of one source. Each selection of fields in a GraphQL document has a reader of its own.
_MAX_READERS = 200
_SQLITE_CONVERSIONS: Mapping[type, _Convert] = {
    bool: bool,
    datetime.date: datetime.date.fromisoformat,
    datetime.datetime: datetime.datetime.fromisoformat,
    Decimal: lambda text: Decimal(text).quantize(_CENT),
}


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that a function computes from other fields of the same view, which are read for it."""

    compute: _Convert
    needs: tuple[str, ...]


def derived(compute: _Convert, *needs: str) -> Derived:
    """Return a field that ``compute`` derives from a view with the fields that it needs."""
    return Derived(compute, needs)


class Source(Generic[V]):
    """Where the fields of a view come from: the main table, joins of other tables, and a column for each field.

    The column of a field has its name, in the main table, unless ``columns`` has another expression or a derivation.
    ``joins`` has the text of the join for each table; only those whose columns are read are part of a statement.
    Fields in ``later`` are set by the code that loads the views.
    """

    def __init__(
        self,
        view: type[V],
        table: str,
        *,
        joins: Mapping[str, str] | None = None,
        later: Collection[str] = (),
        **columns: str | Derived,
    ) -> None:
        self.view, self.table, self._joins = view, table, joins or {}
        names = [field.name for field in fields(view) if field.name not in later]  # type: ignore[arg-type] # a dataclass
        if unknown := columns.keys() - {*names}:
            raise ValueError(f"{view.__name__} has no fields {', '.join(sorted(unknown))}")
        self.columns = {name: columns.get(name, f"{table}.{name}") for name in names}
        self._readers: dict[tuple[str, Fields], Reader] = {}

    def reader(self, wanted: Fields) -> "Reader":
        """Return what reads these fields."""
        key = (dialect(), wanted)
        found = self._readers.get(key)
        if found is None:
            names = self.columns.keys() if wanted is None else self.columns.keys() & wanted
            if len(self._readers) >= _MAX_READERS:
                self._readers.clear()
            found = self._readers[key] = self._compile(names, dialect())
        return found

    def _compile(self, wanted: Collection[str], of_dialect: str) -> "Reader":
        computed = {name: one for name, one in self.columns.items() if isinstance(one, Derived) and name in wanted}
        needed = {*wanted, *(need for one in computed.values() for need in one.needs)}
        selected = {name: one for name, one in self.columns.items() if isinstance(one, str) and name in needed}
        hints = get_type_hints(self.view)
        conversions = {name: _conversion(hints[name], of_dialect) for name in selected}
        functions = {name: one.compute for name, one in computed.items()}
        columns = ", ".join(selected.values()) or "1"
        joins = " ".join(join for table, join in self._joins.items() if f"{table}." in columns)
        return Reader(columns, joins, _compile_reader(self.view, conversions, functions))


@dataclass(frozen=True, slots=True)
class Reader:
    """The columns and the joins of a statement that reads certain fields, and what makes views of its rows."""

    columns: str
    joins: str
    read: _Read


def _conversion(annotation: Any, of_dialect: str) -> _Convert | None:
    """Return the function that makes a value of a field from what the driver returns; None if it is that already."""
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if NoneType in get_args(annotation):
        convert = _conversion(parts[0], of_dialect) if len(parts) == 1 else None
        return None if convert is None else _optional(convert)
    kind = getattr(annotation, "__supertype__", annotation)
    if get_origin(kind) in (list, dict) or kind in (list, dict):
        return decode_json
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {one.value: one for one in kind}.__getitem__
    return _SQLITE_CONVERSIONS.get(kind) if of_dialect == "sqlite" else None


def _optional(convert: _Convert) -> _Convert:
    return lambda value: None if value is None else convert(value)


def _compile_reader(view: type, conversions: Mapping[str, _Convert | None], computed: Mapping[str, _Convert]) -> _Read:
    """Return a function that makes views of rows, written as one loop without calls where values need no conversion."""
    names: dict[str, object] = {"new": view.__new__, "view_class": view}
    lines = ["def read(rows):", " views = []", " for row in rows:", "  view = new(view_class)"]
    for position, (name, convert) in enumerate(conversions.items()):
        names[f"convert_{name}"] = convert
        value = f"row[{position}]"
        lines.append(f"  view.{name} = {value if convert is None else f'convert_{name}({value})'}")
    for name, compute in computed.items():
        names[f"compute_{name}"] = compute
        lines.append(f"  view.{name} = compute_{name}(view)")
    lines += ["  views.append(view)", " return views"]
    exec("\n".join(lines), names)  # noqa: S102 - only names of fields, which a class declares
    return names["read"]  # type: ignore[return-value] # defined by the text


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


async def load_models(model: type[M], condition: Sql) -> list[M]:
    """Return instances of a model, which are about to be changed, by a condition on columns of its table."""
    columns, table = _columns(model)
    rows = await fetch(Sql(f"SELECT {columns} FROM {table} WHERE {condition.text}", condition.values))
    return [_instance(model, row) for row in rows]


async def load_with_parent(model: type[M], parent: type[ParentT], key: str, condition: Sql) -> list[tuple[M, ParentT]]:
    """Return instances as ``load_models`` does, each with the instance that its column ``key`` refers to."""
    (columns, table), (parent_columns, parent_table) = _columns(model), _columns(parent)
    tables = f"{table} JOIN {parent_table} ON {parent_table}.id = {table}.{key}"
    text = f"SELECT {columns}, {parent_columns} FROM {tables} WHERE {condition.text}"
    length = len(model._meta.db_fields)  # noqa: SLF001 - see _columns
    rows = await fetch(Sql(text, condition.values))
    return [(_instance(model, row[:length]), _instance(parent, row[length:])) for row in map(tuple, rows)]


def _columns(model: type[Model]) -> tuple[str, str]:
    """Return the columns of a model and its table, as statements write them."""
    meta = model._meta  # noqa: SLF001 - Tortoise has no public name for the table of a model
    return ", ".join(f'{meta.db_table}."{column}"' for column in meta.db_fields), meta.db_table


def _instance(model: type[M], row: Row) -> M:
    return model._init_from_db(**dict(zip(model._meta.db_fields, row, strict=True)))  # noqa: SLF001 - as its queries do


def by_id(views: Iterable[T]) -> dict[int, T]:
    """Return views by their ID."""
    return {view.id: view for view in views}  # type: ignore[attr-defined] # every view of a row has one
