"""Private Redis clusters for the tests: three primaries with a replica each."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from tests.support.redis_server import private_redis
from tests.support.servers import HOST, PrivateServer, ServerFailed, free_port

PRIMARIES = 3
SLOTS = 16_384
START_SECONDS = 30.0
NODE_TIMEOUT_MS = 1_000
"""The time after which a silent primary is replaced, instead of 15 seconds."""


@dataclass(frozen=True)
class PrivateCluster:
    """The nodes of a cluster, primaries first."""

    nodes: list[PrivateServer]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(_address(node) for node in self.nodes)

    def primary_of(self, key: str) -> PrivateServer:
        """Return the node that stores a key now."""
        with redis.RedisCluster.from_url(self.nodes[-1].url.removesuffix("/0")) as client:
            node = client.get_node_from_key(key)
        return next(one for one in self.nodes if _address(one) == f"{node.host}:{node.port}")


@contextmanager
def private_redis_cluster() -> Iterator[PrivateCluster]:
    """Run a cluster of six servers until the block ends.

    Raise ProgramUnavailable if redis-server is not installed, ServerFailed if it does not start.
    """
    with contextlib.ExitStack() as servers:
        nodes = [servers.enter_context(private_redis(_options())) for _ in range(2 * PRIMARIES)]
        clients = [servers.enter_context(redis.Redis.from_url(node.url)) for node in nodes]
        _form_cluster(clients)
        yield PrivateCluster(nodes)


def _options() -> dict[str, str]:
    return {
        "cluster-enabled": "yes",
        "cluster-port": str(free_port()),
        "cluster-node-timeout": str(NODE_TIMEOUT_MS),
        "cluster-config-file": "nodes.conf",
        "repl-diskless-sync-delay": "0",
    }


def _form_cluster(clients: list[redis.Redis]) -> None:
    primaries, replicas = clients[:PRIMARIES], clients[PRIMARIES:]
    for number, client in enumerate(clients):
        _call(client, "CLUSTER SET-CONFIG-EPOCH", number + 1)
    for client in clients[1:]:
        bus = client.config_get("cluster-port")["cluster-port"]
        _call(clients[0], "CLUSTER MEET", HOST, client.get_connection_kwargs()["port"], bus)
    for number, primary in enumerate(primaries):
        first, last = (SLOTS * one // PRIMARIES for one in (number, number + 1))
        _call(primary, "CLUSTER ADDSLOTSRANGE", first, last - 1)
    _wait_for(clients, "cluster_known_nodes:6")
    for primary, replica in zip(primaries, replicas, strict=True):
        _call(replica, "CLUSTER REPLICATE", _call(primary, "CLUSTER MYID"))
    _wait_for(clients, "cluster_state:ok")
    _wait_for_replicas(replicas)


def _call(client: redis.Redis, *command: str | int | None) -> Any:  # Any: the reply to any command
    return client.execute_command(*command)  # type: ignore[no-untyped-call]


def _wait_for(clients: list[redis.Redis], line: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    name, _, value = line.partition(":")
    while any(_call(client, "CLUSTER INFO").get(name) != value for client in clients):
        _require_time(deadline, line)


def _wait_for_replicas(replicas: list[redis.Redis]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while any(replica.info("replication").get("master_link_status") != "up" for replica in replicas):
        _require_time(deadline, "replicas")


def _require_time(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise ServerFailed(f"The Redis cluster was not formed in time: {what}")
    time.sleep(0.05)


def _address(node: PrivateServer) -> str:
    return node.url.removeprefix("redis://").removesuffix("/0")
