"""The tables of the tests' own helpers, compared with the models, and the message of an incomplete table."""

import pytest
from tortoise.context import require_context

from tests.support import world
from tests.support.rows import fill_every_table
from tests.support.tables import check_rows


def _tables_of_models() -> set[str]:
    apps = require_context().apps
    assert apps is not None
    return {model._meta.db_table for model in apps["models"].values()}


def test_an_incomplete_table_is_named_with_the_missing_row() -> None:
    with pytest.raises(AssertionError, match=r"tests/x\.py, ROWS: add a row for b"):
        check_rows("tests/x.py, ROWS", {"a"}, {"a", "b"})
    with pytest.raises(AssertionError, match=r"tests/x\.py, ROWS: remove the row of a"):
        check_rows("tests/x.py, ROWS", {"a", "b"}, {"b"})


async def test_tests_empty_and_compare_every_table(database: None) -> None:
    check_rows("tests/support/world.py, TABLES", {*world.TABLES, "plans"}, _tables_of_models())


async def test_every_table_has_a_row_for_migrations(database: None) -> None:
    await fill_every_table()
    filled = {table for table, rows in (await world.snapshot()).items() if rows}
    check_rows("tests/support/rows.py, fill_every_table", filled, _tables_of_models())
