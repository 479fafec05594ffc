"""Fixtures of the model tests: an empty or migrated database for each test, and clients to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext

from amarevents.models.db.connection import CONNECTION, tortoise_config
from amarevents.models.db.migrate import migrate
from amarevents.settings import Settings
from tests.support.databases import Databases
from tests.support.introspection import Table, read_schema
from tests.support.rows import fill_every_table, read_every_table
from tests.support.selection import Backend

Rows = dict[str, list[dict[str, Any]]]  # Any: the values of any columns


@pytest.fixture
def empty(databases: Databases, backend: Backend, tmp_path: Path) -> Settings:
    """Return settings with an empty database for this test alone; a SQLite file is in ``tmp_path``."""
    url = f"sqlite:///{tmp_path / 'empty.db'}" if backend == "sqlite" else databases.empty()
    return Settings(database_url=url, database_pool_size=3)


@pytest.fixture
async def migrated(databases: Databases) -> Settings:
    """Return settings with a migrated database for this test alone."""
    return Settings(database_url=await databases.migrated(), database_pool_size=3)


@pytest.fixture
def write_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that writes a package of migrations from the sources of its modules and returns its name."""

    def make(**modules: str) -> str:
        name = f"migrations_{tmp_path.name}".replace("-", "_")
        folder = tmp_path / name
        folder.mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (folder / f"{module}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return make


@asynccontextmanager
async def connected(settings: Settings, *, engine: str | None = None) -> AsyncIterator[BaseDBAsyncClient]:
    """Connect the models, and yield a client of the project's engine or, as a negative control, of ``engine``."""
    config = tortoise_config(settings)
    if engine is not None:
        config["connections"][CONNECTION]["engine"] = engine
        for own in ("acquire_seconds", "transaction_limits"):
            config["connections"][CONNECTION]["credentials"].pop(own, None)
    with TortoiseContext() as context:
        await context.init(config)
        client = context.db(CONNECTION)
        try:
            await client.create_connection(with_db=True)
            yield client
        finally:
            await context.close_connections()


async def migrate_and_fill(settings: Settings) -> tuple[dict[str, Table], Rows]:
    """Migrate the database and fill every table; return the schema and all rows."""
    await migrate(settings)
    async with connected(settings) as client:
        await fill_every_table()
        rows = await read_every_table(client)
        assert all(rows.values())
        return await read_schema(client), rows
