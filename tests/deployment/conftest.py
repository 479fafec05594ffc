"""A deployment that the tests of real servers share, beside the one that runs in the tests' own process."""

from collections.abc import Callable

import pytest

from tests.deployment.platforms import Deployment
from tests.servers import PostgresServer


@pytest.fixture(scope="session")
def operated(
    backend: str,
    redis_url: str | None,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Deployment:
    """A database of its own, migrated by the command line."""
    if backend == "sqlite":
        database_url = f"sqlite:///{tmp_path_factory.mktemp('operated') / 'platform.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database_url = server.create_database()
    deployment = Deployment(database_url=database_url, redis_url=redis_url)
    deployment.run("migrate")
    return deployment


@pytest.fixture(scope="session")
def admin_key(operated: Deployment) -> str:
    return operated.create_admin()


@pytest.fixture(scope="session")
def new_name() -> Callable[[], str]:
    """A username that no test has used before."""
    numbers = iter(range(1_000_000))
    return lambda: f"visitor{next(numbers)}"
