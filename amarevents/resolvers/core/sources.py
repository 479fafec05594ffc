"""Sources of views: where their fields come from, and compiled readers that make views of the rows of the driver."""

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from amarevents.models.columns import decode_json
from amarevents.models.db.sql import Row, dialect

V = TypeVar("V", covariant=True)

Fields = frozenset[str] | None
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
