"""How many rows a list has: counted once, remembered for seconds, forgotten by the writes that change it."""

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from typing import Any
from weakref import WeakValueDictionary

from aiocache.base import BaseCache
from redis.exceptions import RedisError
from tortoise.models import Model
from tortoise.queryset import QuerySet

logger = logging.getLogger(__name__)

CACHE_FAILURES = (RedisError, TimeoutError, OSError)
"""What a cache that is away raises."""


class CountCache:
    """CountCache of lists, for whoever shares the cache; ``seconds``: how long one is remembered, 0 = not at all.

    A total is kept under its SQL and the versions of the tables in it. A write raises the versions of its tables once
    it has been committed, so that nothing counted before is found again. Without the cache every total is counted.
    """

    def __init__(self, cache: BaseCache, *, seconds: int) -> None:
        self._cache = cache
        self._seconds = seconds
        self._counting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def count(self, rows: QuerySet[Any], *, of: Iterable[type[Model]]) -> int:
        """The number of ``rows``, which depend on the tables of the models ``of``."""
        if not self._seconds:
            return await rows.count()
        try:
            return await self._remembered(rows, sorted(_table(model) for model in of))
        except CACHE_FAILURES as error:
            logger.warning("CountCache are counted, the cache is away: %r", error)
            return await rows.count()

    async def _remembered(self, rows: QuerySet[Any], tables: list[str]) -> int:
        versions = await self._cache.multi_get(tables)
        statement = rows.count().sql(params_inline=True)
        key = hashlib.sha256(f"{statement}\n{tables}\n{versions}".encode()).hexdigest()
        # One request counts, the others of this process wait for it.
        async with self._counting.setdefault(key, asyncio.Lock()):
            total: int | None = await self._cache.get(key)
            if total is None:
                total = await rows.count()
                await self._cache.set(key, total, ttl=self._seconds)
            return total

    async def invalidate(self, changed: Iterable[type[Model]]) -> None:
        """Rows of these models have been written: what was counted before counts no more."""
        if not self._seconds:
            return
        try:
            for model in changed:
                await self._cache.increment(_table(model))
        except CACHE_FAILURES as error:
            logger.warning("CountCache may be %s s old, the cache is away: %r", self._seconds, error)

    async def aclose(self) -> None:
        await self._cache.close()


def _table(model: type[Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - Tortoise's own way to say it
