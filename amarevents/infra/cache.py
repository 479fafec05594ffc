"""The cache that all processes of a deployment share: in Redis, or in memory if there is only one process."""

from typing import Any

from aiocache import SimpleMemoryCache
from aiocache.backends.redis import RedisCache
from aiocache.base import BaseCache
from aiocache.serializers import JsonSerializer
from redis.exceptions import RedisError

from amarevents.infra.redis import SOCKET_TIMEOUT, RedisClient, redis_client
from amarevents.settings import Settings

CACHE_FAILURES = (RedisError, TimeoutError, OSError)
"""Exceptions raised while the cache is unavailable."""

_NAMESPACE = "amarevents:cache:"
_TIMEOUT = 2 * SOCKET_TIMEOUT  # the client tries twice


def shared_cache(settings: Settings) -> BaseCache:
    """Return a cache for numbers and strings. Its entries can be lost at any time and need a time to live."""
    if settings.redis_url is None:
        return SimpleMemoryCache(namespace=_NAMESPACE)
    return _ClientCache(redis_client(settings.redis_url))


class _ClientCache(RedisCache):  # type: ignore[misc] # aiocache is not typed
    """aiocache's Redis cache with our client and its short timeouts. Any: options of aiocache, which are not used."""

    def __init__(self, client: RedisClient) -> None:
        super().__init__(serializer=JsonSerializer(), namespace=_NAMESPACE, timeout=_TIMEOUT)
        self.client = client

    async def _set(self, key: str, value: str, ttl: int | None = None, **_options: Any) -> bool:
        """Set a value, without the command that redis-py has deprecated and aiocache still uses."""
        return bool(await self.client.set(key, value, ex=ttl))

    async def _close(self, *_args: Any, **_options: Any) -> None:
        await self.client.aclose()
