"""The cache that the processes of a deployment share: in Redis, or in the memory of the only one."""

from typing import Any

from aiocache import SimpleMemoryCache
from aiocache.backends.redis import RedisCache
from aiocache.base import BaseCache
from aiocache.serializers import JsonSerializer
from redis.asyncio import Redis

from amarevents.infra.redis import SOCKET_TIMEOUT, redis_client
from amarevents.settings import Settings

_NAMESPACE = "amarevents:cache:"
_TIMEOUT = 2 * SOCKET_TIMEOUT  # the client tries twice


def shared_cache(settings: Settings) -> BaseCache:
    """A cache of numbers and texts. Whatever is kept in it can be done without, and needs a time to live."""
    if settings.redis_url is None:
        return SimpleMemoryCache(namespace=_NAMESPACE)
    return _ClientCache(redis_client(settings.redis_url))


class _ClientCache(RedisCache):  # type: ignore[misc] # aiocache is not typed
    """aiocache's Redis cache with our client, which never waits long. Any: aiocache's options, none of which we use."""

    def __init__(self, client: Redis) -> None:
        super().__init__(serializer=JsonSerializer(), namespace=_NAMESPACE, timeout=_TIMEOUT)
        self.client = client

    async def _set(self, key: str, value: str, ttl: int | None = None, **_options: Any) -> bool:
        """As aiocache's own, without the command that redis-py has deprecated."""
        return bool(await self.client.set(key, value, ex=ttl))

    async def _close(self, *_args: Any, **_options: Any) -> None:
        await self.client.aclose()
