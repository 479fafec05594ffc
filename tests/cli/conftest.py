"""The command line with an empty database, or with one that contains an admin."""

import shutil
from pathlib import Path

import pytest

from tests.support.programs import Program
from tests.support.selection import Backend

PASSWORD = "correct horse"
ADMIN = ["--username", "Root", "--email", "Root@example.com", "--number", "01700000000", "--password-stdin"]


@pytest.fixture
def program(backend: Backend, request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    """Return the command line with a new, empty database."""
    if backend == "sqlite":
        return Program(folder=tmp_path)
    url = request.getfixturevalue("postgres_server").create_database()
    return Program(folder=tmp_path, settings={"DATABASE_URL": url})


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a migrated SQLite database that contains an admin; copy it, do not change it."""
    program = Program(folder=tmp_path_factory.mktemp("installed"))
    program.printed("migrate")
    program.printed("create-admin", *ADMIN, typed=f"{PASSWORD}\n")
    return program.folder


@pytest.fixture
def ready(installed: Path, tmp_path: Path) -> Program:
    """Return the command line with a copy of the installed database."""
    return Program(folder=Path(shutil.copytree(installed, tmp_path / "copy")))
