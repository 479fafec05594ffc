"""The test run: ``python -m tests``, on both back ends and on all processors, or on SQLite alone for given paths.

Every argument that is not described here goes to pytest.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_COVERAGE = [sys.executable, "-m", "coverage"]


def main(arguments: Sequence[str]) -> int:
    """Run the tests and return the exit code, which is not 0 if a test failed."""
    options, others = _parser().parse_known_args(arguments)
    command = [*pytest_options(others), *others]
    # Workers must collect the same tests in the same order, also where a set is among the parameters.
    os.environ.setdefault("PYTHONHASHSEED", "0")
    if options.coverage:
        return _measured(command)
    return subprocess.run([sys.executable, "-m", "pytest", *command], check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__, allow_abbrev=False)
    parser.add_argument("--coverage", action="store_true", help="measure and report the coverage of all processes")
    return parser


def pytest_options(arguments: Sequence[str]) -> list[str]:
    """Return pytest's options for a run of everything, or for one of a few files, which is to begin at once."""
    names_paths = any(_is_path(argument) for argument in arguments)
    chosen = []
    if not _is_given(arguments, "--backend"):
        chosen.append(f"--backend={_backend_of(arguments) if names_paths else 'all'}")
    if not names_paths and not _is_given(arguments, "-n") and not _is_given(arguments, "--numprocesses"):
        chosen.append(f"--numprocesses={max(2, os.cpu_count() or 0)}")
    return chosen


def _is_path(argument: str) -> bool:
    return argument.startswith(("tests", "./tests", "/")) and Path(argument.partition("::")[0]).exists()


def _is_given(arguments: Sequence[str], option: str) -> bool:
    return any(argument.startswith(option) for argument in arguments)


def _backend_of(arguments: Sequence[str]) -> str:
    """Return the back end that the name of a test ends with, as pytest prints it; else SQLite."""
    return "postgres" if any("[postgres" in argument for argument in arguments) else "sqlite"


def _measured(command: Sequence[str]) -> int:
    """Run pytest under coverage, and report what all of its processes have covered together."""
    subprocess.run([*_COVERAGE, "erase"], check=True)
    codes = [
        subprocess.run([*_COVERAGE, *step], check=False).returncode
        for step in (["run", "-m", "pytest", *command], ["combine", "--quiet"], ["report"])
    ]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
