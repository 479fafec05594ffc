"""Pipelined commands to the nodes of a Redis cluster."""

import contextlib
from collections.abc import Mapping

from redis import exceptions
from redis.asyncio import ConnectionPool, Redis, RedisCluster

from amarevents.infra.redis import RedisClient
from amarevents.infra.redis_pipeline import Argument, RedisCommands, RedisPipeline, Reply

_KEY_POSITIONS: Mapping[Argument, int] = {"EVAL": 3, "EVALSHA": 3}
"""The position of the first key in commands; 1 in all others."""

_REDIRECTIONS = ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "READONLY", "LOADING")
"""The first words of what a node replies that does not execute a command because of the state of the cluster."""


def redis_commands(client: RedisClient) -> RedisCommands:
    """Return a pipeline to the server or the cluster of a client."""
    return RedisPipeline(client) if isinstance(client, Redis) else ClusterPipeline(client)


class ClusterPipeline:
    """Commands to a cluster, each to the node of its first key, by one connection to each node.

    What a node does not execute goes through the client, which finds out where to send it: nodes fail, and slots move.
    """

    def __init__(self, client: RedisCluster) -> None:
        self._client: RedisCluster = client
        self._nodes: dict[str, RedisPipeline] = {}
        self._detours = 0

    @property
    def generation(self) -> int:
        return self._detours + sum(node.generation for node in self._nodes.values())

    async def execute(self, *command: Argument) -> Reply:
        try:
            await self._client.initialize()
            return await self._node_of(command).execute(*command)
        except (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ClusterError):
            return await self._execute_by_client(command)
        except exceptions.ResponseError as error:
            if not str(error).startswith(_REDIRECTIONS):
                raise
            return await self._execute_by_client(command)

    async def aclose(self) -> None:
        for node in self._nodes.values():
            await node.aclose()
        with contextlib.suppress(exceptions.RedisError, OSError):  # the client asks nodes that may be away
            await self._client.aclose()

    async def _execute_by_client(self, command: tuple[Argument, ...]) -> Reply:
        self._detours += 1
        return await self._client.execute_command(*command)

    def _node_of(self, command: tuple[Argument, ...]) -> RedisPipeline:
        """Return the pipeline to the node of a command. Raises SlotNotCoveredError, a ClusterError."""
        key = command[_KEY_POSITIONS.get(command[0], 1)]
        node = self._client.nodes_manager.get_node_from_slot(self._client.keyslot(key))
        if node.name not in self._nodes:
            pool = ConnectionPool(connection_class=node.connection_class, **node.connection_kwargs)
            self._nodes[node.name] = RedisPipeline(Redis(connection_pool=pool))
        return self._nodes[node.name]
