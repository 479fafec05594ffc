"""The command ``settings``."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from amarevents.settings import Settings, variable_of
from tests.support.programs import Program


@pytest.mark.backend("sqlite")
def test_settings_are_listed_without_secrets(tmp_path: Path) -> None:
    url = "postgres://amar:hunter2@db/amar"
    listed = Program(folder=tmp_path, settings={"DATABASE_URL": url, "RATE_LIMIT_USER": "7"}).printed("settings")
    assert "hunter2" not in listed
    assert re.search(r"^AMAREVENTS_RATE_LIMIT_USER\n( {4}[^\n]+\n)+ {4}now: 7\n", listed, re.MULTILINE)
    assert [name for name in Settings.model_fields if f"{variable_of(name)}\n" not in listed] == []


def test_reader_that_closes_the_output_causes_no_error() -> None:
    """As with ``amarevents settings | head -1``."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "amarevents", "settings"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
