"""Tables that tests are typed from, compared with what the product has."""

from collections.abc import Iterable, Mapping

import pytest


def require_rows(table: str, rows: Iterable[object], required: Iterable[object]) -> None:
    """Fail unless the table has a row for each thing that is required, and no other rows.

    ``table`` is its name and file, such as ``FORMS in tests/contract/fields.py``, for the message of the failure.
    """
    existing, needed = set(rows), set(required)
    problems = {"lacks a row for": needed - existing, "has a row too many, for": existing - needed}
    lines = [f"{table} {problem} {_listed(things)}" for problem, things in problems.items() if things]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def require_values(table: str, rows: Mapping[str, object], required: Mapping[str, object]) -> None:
    """Fail unless the table has the required rows, with the required values."""
    require_rows(table, rows, required)
    wrong = [f"{table}: {name} is {required[name]}, not {row}" for name, row in rows.items() if row != required[name]]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def _listed(things: Iterable[object]) -> str:
    names = (" ".join(map(str, thing)) if isinstance(thing, tuple) else str(thing) for thing in things)
    return ", ".join(sorted(names))
