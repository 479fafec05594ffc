"""The command ``python -m tests``: all tests on both back ends and all processors, or given paths on SQLite.

Other arguments are passed on to pytest.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_COVERAGE = [sys.executable, "-m", "coverage"]


def main(arguments: Sequence[str]) -> int:
    """Run the tests and return the exit code, which is 0 if all have passed."""
    options, others = _parser().parse_known_args(arguments)
    command = [*pytest_options(others), *others]
    # Workers must collect the tests in the same order, even if parameters come from a set.
    os.environ.setdefault("PYTHONHASHSEED", "0")
    if options.coverage:
        return _measured(command)
    return subprocess.run([sys.executable, "-m", "pytest", *command], check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__, allow_abbrev=False)
    parser.add_argument("--coverage", action="store_true", help="measure and report the coverage of all processes")
    return parser


def pytest_options(arguments: Sequence[str]) -> list[str]:
    """Return the options for pytest: parallel on both back ends without a path, in one process on SQLite with one."""
    names_paths = any(_is_path(argument) for argument in arguments)
    chosen = []
    if not _is_given(arguments, "--backend"):
        chosen.append(f"--backend={_backend_of(arguments) if names_paths else 'all'}")
    if not names_paths and not _is_given(arguments, "-n") and not _is_given(arguments, "--numprocesses"):
        chosen.append(f"--numprocesses={2 * (os.cpu_count() or 1)}")
    return chosen


def _is_path(argument: str) -> bool:
    return argument.startswith(("tests", "./tests", "/")) and Path(argument.partition("::")[0]).exists()


def _is_given(arguments: Sequence[str], option: str) -> bool:
    return any(argument.startswith(option) for argument in arguments)


def _backend_of(arguments: Sequence[str]) -> str:
    """Return the back end of a test ID as pytest prints it (``…[postgres]``), SQLite by default."""
    return "postgres" if any("[postgres" in argument for argument in arguments) else "sqlite"


def _measured(command: Sequence[str]) -> int:
    """Run pytest with coverage, and report the combined coverage of all processes."""
    subprocess.run([*_COVERAGE, "erase"], check=True)
    codes = [
        subprocess.run([*_COVERAGE, *step], check=False).returncode
        for step in (["run", "-m", "pytest", *command], ["combine", "--quiet"], ["report"])
    ]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
