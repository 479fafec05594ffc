"""Functions that write views as the objects of a response, generated once for each selection and class of views.

They are one loop without calls for values of the usual types; all other values are left to ``Leaf.write``. Dates and
times stay what they are, because ``encode_json`` writes them as their scalars do.
"""

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

from amarevents.schema.execution.leaves import Leaf, Value

Column: TypeAlias = list[Value]
"""The written values of a field, one for each object."""
Writer: TypeAlias = Callable[..., Column]
"""A function of views and a column for each field that is no leaf, which returns the objects."""

_NAMES: dict[str, object] = {
    "Decimal": Decimal,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "utc": datetime.UTC,
}
# The test for usual values of other scalars than ``Leaf.by_type`` knows, and how they are written; {} is the value.
_USUAL = {
    "Date": ("type({0}) is date", "{0}"),
    "DateTime": ("type({0}) is datetime and {0}.tzinfo is utc", "{0}"),
    "Decimal": ("type({0}) is Decimal", "str({0})"),
    "Int": ("type({0}) is int and -2147483648 <= {0} <= 2147483647", "{0}"),
}


def compile_writer(type_name: str, fields: Sequence[tuple[str, Leaf | int | None]]) -> Writer:
    """Return the writer of objects with these fields, each a name in the response with its leaf or its column.

    None stands for ``__typename``.
    """
    names = dict(_NAMES)
    reads: list[str] = []
    entries: list[str] = []
    for number, (name, field) in enumerate(fields):
        value = repr(type_name) if field is None else f"column{field}"
        if isinstance(field, Leaf):
            reads.append(f"  x{number} = view.{field.attribute}")
            value = _expression(field, number, names)
        entries.append(f"{name!r}: {value}")
    columns = [f"column{field}" for _, field in fields if isinstance(field, int)]
    arguments = ", ".join(f"{column}s" for column in columns)
    text = "\n".join(
        [
            f"def write(views, {arguments}):",
            " written = []",
            " add = written.append",
            f" for view, {', '.join(columns)} in zip(views, {arguments}):" if columns else " for view in views:",
            *reads,
            f"  add({{{', '.join(entries)}}})",
            " return written",
        ]
    )
    exec(text, names)  # noqa: S102 - of names of the schema, and of names in the response, which repr() quotes
    return names["write"]  # type: ignore[return-value] # defined by the text


def _expression(leaf: Leaf, number: int, names: dict[str, object]) -> str:
    """Return the expression that writes the value of a leaf; what it refers to is added to ``names``."""
    names[f"leaf{number}"] = leaf.write
    test, value = _USUAL.get(leaf.type_name, ("", ""))
    for usual, serialize in leaf.by_type.items():
        names[f"type{number}"], names[f"serialize{number}"] = usual, serialize
        test, value = f"type({{0}}) is type{number}", "{0}" if serialize is None else f"serialize{number}({{0}})"
        break
    read = f"x{number}"
    otherwise = f"leaf{number}({read})"
    if not test:
        return otherwise
    written = f"{value.format(read)} if {test.format(read)} else {otherwise}"
    return f"None if {read} is None else {written}" if leaf.nullable else written
