"""The command ``completion``."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import Program


@pytest.mark.backend("sqlite")
@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_script_completes_commands_and_options(tmp_path: Path, shell: str) -> None:
    script = Program(folder=tmp_path).printed("completion", shell)
    words = ("create-admin", "password-stdin", "migrate", "event-limit")
    assert [word for word in words if word not in script] == []
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True, timeout=30)
