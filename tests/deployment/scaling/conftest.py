"""Fixtures of the tests on distributed engines: poolers, replicas and clusters, private to the tests that use them."""

from collections.abc import Iterator

import pytest

from tests.support.pgbouncer import private_pgbouncer
from tests.support.postgres_server import PostgresServer
from tests.support.servers import PrivateServer


@pytest.fixture(scope="module")
def pgbouncer(postgres_server: PostgresServer) -> Iterator[PrivateServer]:
    """Start a pooler of this run's PostgreSQL server."""
    with private_pgbouncer(postgres_server) as pooler:
        yield pooler
