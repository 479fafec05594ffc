"""A comparison of the rows of a table with what must be in it, for tests that enforce tables typed by hand."""

from collections.abc import Collection, Hashable


def check_rows(table: str, rows: Collection[Hashable], required: Collection[Hashable]) -> None:
    """Fail with the rows that ``table`` lacks or must lose. ``table`` names the file and the variable."""
    missing = sorted(map(str, set(required) - set(rows)))
    superfluous = sorted(map(str, set(rows) - set(required)))
    assert not missing, f"{table}: add a row for {', '.join(missing)}"
    assert not superfluous, f"{table}: remove the row of {', '.join(superfluous)}"
