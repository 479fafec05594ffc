"""Totals of lists, kept in the memory of the process until the rows that they count change."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from tortoise.models import Model

from amarevents.infra.single_flight import SingleFlight
from amarevents.infra.versions import Versions, scopes_of
from amarevents.models.db.sql import Sql

MAX_TOTALS = 10_000
"""The number of totals that are kept; the least recently used ones are dropped."""


@dataclass(frozen=True, slots=True)
class _Total:
    value: int
    clock: int
    counted_at: float


class CountCache:
    """Totals of lists, each for at most ``seconds``; 0 disables it.

    A total is used until one of its tables changes: at once if this process has changed it, and within moments if
    another one has.
    """

    def __init__(self, versions: Versions, *, seconds: int) -> None:
        self._versions = versions
        self._seconds = seconds
        self._totals: OrderedDict[Hashable, _Total] = OrderedDict()
        self._counting: SingleFlight[int] = SingleFlight(versions)

    async def count(self, statement: Sql, count: Callable[[], Awaitable[int]], *, of: tuple[type[Model], ...]) -> int:
        """Return what ``count`` returns, which executes the statement; ``of`` are the models that it reads."""
        if not self._seconds:
            return await count()
        key = (statement.text, repr(statement.values))
        found = self._totals.get(key)
        if found is not None and self._is_current(found, scopes_of(of)):
            self._totals.move_to_end(key)
            return found.value
        return await self._counting.run(key, lambda: self._count(key, count))

    async def _count(self, key: Hashable, count: Callable[[], Awaitable[int]]) -> int:
        clock, counted_at = self._versions.clock_of_rows, time.monotonic()
        value = await count()
        self._totals[key] = _Total(value, clock, counted_at)
        self._totals.move_to_end(key)
        if len(self._totals) > MAX_TOTALS:
            self._totals.popitem(last=False)
        return value

    def _is_current(self, total: _Total, scopes: frozenset[str]) -> bool:
        is_young = time.monotonic() - total.counted_at < self._versions.max_age(self._seconds)
        return is_young and not self._versions.changed_since(total.clock, scopes)
