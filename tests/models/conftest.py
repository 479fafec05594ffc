"""Fixtures of the model tests: an empty or migrated database for each test, and clients to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext

from amarevents.models.db.connection import CONNECTION, tortoise_config
from amarevents.settings import Settings
from tests.support.databases import Databases
from tests.support.selection import Backend


@pytest.fixture
def empty(databases: Databases, backend: Backend, tmp_path: Path) -> Settings:
    """Return settings with an empty database for this test alone; a SQLite file is in ``tmp_path``."""
    url = f"sqlite:///{tmp_path / 'empty.db'}" if backend == "sqlite" else databases.empty()
    return Settings(database_url=url, database_pool_size=3)


@pytest.fixture
async def migrated(databases: Databases) -> Settings:
    """Return settings with a migrated database for this test alone."""
    return Settings(database_url=await databases.migrated(), database_pool_size=3)


@asynccontextmanager
async def connected(settings: Settings, *, engine: str | None = None) -> AsyncIterator[BaseDBAsyncClient]:
    """Connect the models, and yield a client of the project's engine or, as a negative control, of ``engine``."""
    config = tortoise_config(settings)
    if engine is not None:
        config["connections"][CONNECTION]["engine"] = engine
    with TortoiseContext() as context:
        await context.init(config)
        client = context.db(CONNECTION)
        try:
            await client.create_connection(with_db=True)
            yield client
        finally:
            await context.close_connections()
