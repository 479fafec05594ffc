"""Fixtures of the tests on distributed engines: poolers, replicas and clusters, private to the tests that use them."""

from collections.abc import Iterator

import pytest

from tests.support.pgbouncer import private_pgbouncer
from tests.support.postgres_server import PostgresServer
from tests.support.redis_cluster import PrivateCluster, private_redis_cluster
from tests.support.selection import Backend
from tests.support.servers import PrivateServer


@pytest.fixture(scope="module")
def pgbouncer(postgres_server: PostgresServer) -> Iterator[PrivateServer]:
    """Start a pooler of this run's PostgreSQL server."""
    with private_pgbouncer(postgres_server) as pooler:
        yield pooler


@pytest.fixture(scope="module")
def redis_cluster(backend: Backend) -> Iterator[PrivateCluster]:
    """Start a cluster of six Redis servers, for tests on the back end that has Redis."""
    assert backend == "postgres", "mark the test with pytest.mark.backend('postgres')"
    with private_redis_cluster() as cluster:
        yield cluster
