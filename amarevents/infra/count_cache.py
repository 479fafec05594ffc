"""Cached counts of lists, invalidated by the writes that change them."""

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from typing import TypeVar
from weakref import WeakValueDictionary

from aiocache.base import BaseCache
from redis.exceptions import RedisError
from tortoise.models import Model
from tortoise.queryset import QuerySet

logger = logging.getLogger(__name__)

M = TypeVar("M", bound=Model)

CACHE_FAILURES = (RedisError, TimeoutError, OSError)
"""Exceptions raised while the cache is unavailable."""


class CountCache:
    """Counts of lists, cached for ``seconds`` by all processes that share the cache; 0 disables caching.

    The key of a count consists of its SQL and the versions of its tables. After a commit, ``invalidate`` increments the
    versions of the changed tables, so that older counts are not found again. Without the cache every count is queried.
    """

    def __init__(self, cache: BaseCache, *, seconds: int) -> None:
        self._cache = cache
        self._seconds = seconds
        self._counting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def count(self, rows: QuerySet[M], *, of: Iterable[type[Model]]) -> int:
        """Return the number of ``rows``, which depend on the tables of the models ``of``."""
        if not self._seconds:
            return await rows.count()
        try:
            return await self._cached_count(rows, sorted(_table(model) for model in of))
        except CACHE_FAILURES as error:
            logger.warning("The cache is unavailable; querying counts: %r", error)
            return await rows.count()

    async def _cached_count(self, rows: QuerySet[M], tables: list[str]) -> int:
        versions = await self._cache.multi_get(tables)
        statement = rows.count().sql(params_inline=True)
        key = hashlib.sha256(f"{statement}\n{tables}\n{versions}".encode()).hexdigest()
        # One request queries the count, and the others of this process wait for it.
        async with self._counting.setdefault(key, asyncio.Lock()):
            total: int | None = await self._cache.get(key)
            if total is None:
                total = await rows.count()
                await self._cache.set(key, total, ttl=self._seconds)
            return total

    async def invalidate(self, changed: Iterable[type[Model]]) -> None:
        """Invalidate the counts of these models, whose rows have changed."""
        if not self._seconds:
            return
        try:
            for model in changed:
                await self._cache.increment(_table(model))
        except CACHE_FAILURES as error:
            logger.warning("The cache is unavailable; counts may be outdated for %s seconds: %r", self._seconds, error)

    async def aclose(self) -> None:
        """Close the connection to the cache."""
        await self._cache.close()


def _table(model: type[Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - Tortoise has no public name for it
