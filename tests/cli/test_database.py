"""The commands ``migrate`` and ``seed``."""

import re
from pathlib import Path

import pytest

from tests.support.programs import Program


def test_database_is_migrated_and_seeded_once(program: Program) -> None:
    refused = program.refusal("seed")
    assert "run 'amarevents migrate'" in refused
    assert program.refusal("serve") == refused
    assert program.printed("migrate").startswith("Applied 0001_initial")
    assert program.printed("migrate") == "The database is up to date\n"
    seeded = program.printed("seed")
    assert re.search(r"demo data: \d+ \w+", seeded)
    assert re.search(r"admin key +ae_a_\w+", seeded)
    assert "empty" in program.refusal("seed")


@pytest.mark.backend("sqlite")
@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("sqlite:////proc/nothing/here.db", "/proc/nothing"),
        ("postgres://amar:hunter2@127.0.0.1:1/amar", "127.0.0.1"),
        ("sqlite:///notes.db", "notes.db"),
    ],
)
def test_error_for_an_unusable_database_is_one_line(tmp_path: Path, url: str, refusal: str) -> None:
    (tmp_path / "notes.db").write_text("not a database\n" * 100)
    refused = Program(folder=tmp_path, settings={"DATABASE_URL": url}).refusal("migrate")
    assert refused.startswith("amarevents: ")
    assert refusal in refused
    assert "hunter2" not in refused
    assert (tmp_path / "notes.db").read_text() == "not a database\n" * 100
