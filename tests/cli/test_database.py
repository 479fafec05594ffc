"""The commands ``migrate``, ``doctor`` and ``seed``."""

import asyncio
import re
from pathlib import Path

import pytest

from amarevents.settings import Settings
from tests.support.programs import Program
from tests.support.typed_rows import CONFLICTS, EQUAL_ROWS, ROWS, fill_older_database


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


def test_doctor_lists_what_a_person_must_change_before_migrating(program: Program) -> None:
    url = program.settings.get("DATABASE_URL") or f"sqlite:///{program.folder / 'older.db'}"
    older = Program(folder=program.folder, settings={"DATABASE_URL": url})
    asyncio.run(fill_older_database(Settings(database_url=url), ROWS + EQUAL_ROWS))
    listed = older.run("doctor", "--before-migrating")
    assert (listed.returncode, listed.stdout.splitlines()[1:]) == (1, CONFLICTS)
    refused = older.run("migrate")
    assert (refused.returncode, [line.strip() for line in refused.stderr.splitlines()[1:]]) == (1, CONFLICTS)


def test_doctor_finds_nothing_to_change_in_a_current_database(ready: Program) -> None:
    assert ready.printed("doctor", "--before-migrating") == "The database can be migrated\n"
    assert ready.printed("doctor") == "The database is up to date\n"


@pytest.mark.backend("sqlite")
def test_doctor_creates_no_database(tmp_path: Path) -> None:
    assert "does not exist" in Program(folder=tmp_path).refusal("doctor", "--before-migrating")
    assert not list(tmp_path.glob("*.db"))


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
