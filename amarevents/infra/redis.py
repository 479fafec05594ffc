"""Clients of a Redis server or cluster with short timeouts, because nothing that Redis stores is essential.

In a cluster, the keys of one command must be in one slot: they share the part of their names in braces.
"""

import asyncio
import random
from typing import Any, TypeAlias

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from amarevents.settings import node_urls

RedisClient: TypeAlias = Redis | RedisCluster

SOCKET_TIMEOUT = 0.25
"""Seconds that one attempt to connect or to read a response may take."""

MAX_CONNECTIONS = 32
"""Connections per client. A server executes one command at a time, so more would not help."""

POOL_TIMEOUT = 1.0
"""Seconds to wait for a free connection before raising a connection error."""

_HEALTH_CHECK_SECONDS = 30


def redis_client(url: str) -> RedisClient:
    """Return a client for ``url``, not yet connected; close it with ``aclose()``.

    If the connection fails, a command is sent once more on a new one, so that a restart of the server or the failover
    of a node causes no errors. Commands can therefore be executed twice and must be idempotent enough for that. The
    defaults of the library would retry ten times with pauses and refuse the 101st simultaneous command. Use
    ``redis_reader`` for subscriptions.
    """
    nodes = node_urls(url)
    if nodes != [url]:
        return _Cluster(nodes)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=POOL_TIMEOUT,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=_HEALTH_CHECK_SECONDS,
    )
    return Redis.from_pool(pool)


def redis_reader(url: str) -> Redis:
    """Return a client with one connection that waits for messages without a time limit and is not re-established.

    In a cluster it is a connection to any node: messages reach all of them. Connecting has the usual time limit. Close
    it with ``aclose()``, or use it as a context.
    """
    return Redis.from_url(
        random.choice(node_urls(url)),  # noqa: S311 - no secret
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


def database_number(client: RedisClient) -> int:
    """Return the number of the client's database; a cluster has only one, 0."""
    return 0 if isinstance(client, RedisCluster) else int(client.connection_pool.connection_kwargs.get("db", 0))


class _Cluster(RedisCluster):
    """redis-py's client for clusters; commands wait for a connection instead of failing if too many are in use."""

    def __init__(self, urls: list[str]) -> None:
        options: list[dict[str, Any]] = [dict(parse_url(url)) for url in urls]  # Any: options of connections
        nodes = [ClusterNode(one.pop("host"), one.pop("port", 6379)) for one in options]
        super().__init__(
            startup_nodes=nodes,
            ssl=options[0].pop("connection_class", None) is not None,
            require_full_coverage=False,  # the other slots work while a node and its replicas are away
            max_connections=MAX_CONNECTIONS,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            retry=Retry(NoBackoff(), 1),
            health_check_interval=_HEALTH_CHECK_SECONDS,
            **options[0],
        )
        self._free_connections = asyncio.Semaphore(MAX_CONNECTIONS)

    async def execute_command(self, *command: Any, **options: Any) -> Any:  # Any: as in redis-py
        async with self._free_connections:
            try:
                return await super().execute_command(*command, **options)
            except AttributeError as error:  # while a node fails, it closes connections that are being used
                raise exceptions.ConnectionError("The connection to a node was lost") from error
