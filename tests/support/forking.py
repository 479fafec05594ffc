"""Commands in processes forked from one that has imported the command line, which saves most of a second each."""

import multiprocessing
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory

from amarevents.cli.main import main

_INPUT, _OUTPUT, _ERRORS = "input", "output", "errors"


def run_forked(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], typed: str, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a command in ``folder`` with only this environment, and return its result.

    Raise subprocess.TimeoutExpired after ``seconds``.
    """
    with TemporaryDirectory(prefix="amarevents-command-") as name:
        streams = Path(name)
        (streams / _INPUT).write_text(typed)
        process = _forks().Process(target=_run, args=(list(arguments), folder, dict(environment), streams))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(list(arguments), seconds)
        output, errors = ((streams / stream).read_text() for stream in (_OUTPUT, _ERRORS))
        return subprocess.CompletedProcess(list(arguments), process.exitcode, output, errors)


@cache
def _forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _run(arguments: list[str], folder: Path, environment: dict[str, str], streams: Path) -> None:
    """Run the command in a forked process."""
    for number, stream in enumerate((_INPUT, _OUTPUT, _ERRORS)):
        descriptor = os.open(streams / stream, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - open until the process ends
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("error")
    main(arguments)
