"""Databases of the current back end: empty ones, and migrated ones that are copied instead of migrated each time."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from amarevents.models.db.migrate import migrate
from amarevents.settings import Settings
from tests.support.postgres_server import PostgresServer


class Databases(Protocol):
    """A source of databases, each for one test or fixture."""

    def empty(self) -> str: ...

    async def migrated(self) -> str:
        """Return the URL of a copy of a database that the migrations were applied to."""


class SqliteDatabases:
    """Files in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._files: Iterator[Path] = (folder / f"{number}.db" for number in itertools.count())
        self._template: Path | None = None

    def empty(self) -> str:
        return _url(next(self._files))

    async def migrated(self) -> str:
        if self._template is None:
            self._template = next(self._files)
            await migrate(Settings(database_url=_url(self._template)))
        return _url(Path(shutil.copyfile(self._template, next(self._files))))


class PostgresDatabases:
    """Databases of the test run's server."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._template: str | None = None

    def empty(self) -> str:
        return self._server.create_database()

    async def migrated(self) -> str:
        if self._template is None:
            self._template = self._server.create_database()
            await migrate(Settings(database_url=self._template))
        return self._server.create_database(template=self._template.rpartition("/")[2])


def _url(file: Path) -> str:
    return f"sqlite:///{file}"
