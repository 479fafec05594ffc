"""The options of ``python -m tests``, and the units of tests that parallel workers receive."""

import pytest

from tests.__main__ import pytest_options
from tests.support.scheduling import MAX_UNIT, units_of


@pytest.mark.parametrize(
    ("arguments", "expected", "is_parallel"),
    [
        ([], "all", True),
        (["-k", "tickets"], "all", True),
        (["--deep", "-x"], "all", True),
        (["tests/support"], "sqlite", False),
        (["tests/support/test_selection.py::test_nothing"], "sqlite", False),
        (["tests/support/test_selection.py::test_nothing[postgres-1]"], "postgres", False),
    ],
)
def test_a_full_run_is_parallel_on_both_back_ends_and_paths_run_directly(
    arguments: list[str], expected: str, is_parallel: bool
) -> None:
    options = pytest_options(arguments)
    assert f"--backend={expected}" in options
    assert any(option.startswith("--numprocesses=") for option in options) is is_parallel


def test_explicit_options_are_kept() -> None:
    assert pytest_options(["--backend=postgres", "-n", "4"]) == []


def test_a_unit_has_one_file_and_one_back_end() -> None:
    collection = ["a.py::x", "a.py::y[1]", "b.py::x", "a.py::x[sqlite]", "a.py::x[postgres]", "a.py::y[postgres-1]"]
    assert units_of(collection) == [*["a.py::x"] * 2, "b.py::x", "a.py::x[sqlite]", *["a.py::x[postgres]"] * 2]


def test_a_long_file_is_divided() -> None:
    collection = [f"a.py::x[{number}]" for number in range(MAX_UNIT + 1)]
    assert units_of(collection) == [*["a.py::x[0]"] * MAX_UNIT, f"a.py::x[{MAX_UNIT}]"]
