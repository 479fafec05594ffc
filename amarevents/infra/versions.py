"""Versions of tables: whether rows have changed since something was made of them, as far as this process knows.

What is made of rows is remembered with the clock from before they were read. It is current until one of its scopes
changes. A scope is a table (``events``), or the rows of a table that belong to one event (``ticket_types/42``).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from tortoise.models import Model

MAX_SCOPES = 10_000
"""The number of scopes whose changes are remembered. Beyond it, everything counts as changed."""

UNINFORMED_SECONDS = 1.0
"""The age at which anything is made again while the changes of other processes are not known."""

ScopesListener = Callable[[Collection[str] | None], None]
"""A function that is called with the scopes that have changed; None: all of them."""


_clock_of_replica: ContextVar[int | None] = ContextVar("clock_of_replica", default=None)


@contextmanager
def reading_rows_of(clock: int) -> Iterator[None]:
    """Let ``clock_of_rows`` be ``clock`` in the block."""
    token = _clock_of_replica.set(clock)
    try:
        yield
    finally:
        _clock_of_replica.reset(token)


class Versions:
    """Remembers when scopes have changed, by a clock that counts the changes. This one serves a single process."""

    def __init__(self) -> None:
        self.clock = 0
        self.listeners: list[ScopesListener] = []
        """Called at each change, before anything that was made earlier stops being current."""
        self._changed: dict[str, int] = {}
        self._all_changed = 0

    @property
    def is_informed(self) -> bool:
        """Whether the changes of other processes are known as soon as they happen."""
        return True

    @property
    def clock_of_rows(self) -> int:
        """The clock until which rows that are read now have all changes: an earlier one while a replica is read."""
        return self.clock if (clock := _clock_of_replica.get()) is None else clock

    def max_age(self, seconds: float) -> float:
        """Return how old something may be that is kept for ``seconds`` as long as nothing changes."""
        return seconds if self.is_informed else min(seconds, UNINFORMED_SECONDS)

    def record(self, models: Collection[type[Model]], event_ids: Collection[int] = ()) -> None:
        """Record that rows of these models have changed, after the commit.

        With ``event_ids``, only rows that belong to these events have changed, where the table has such rows.
        """
        if models:
            scopes = [scope for model in models for scope in _changed_scopes(table_of(model), event_ids)]
            self._apply(scopes)
            self._inform_others(scopes)

    def changed_since(self, clock: int, scopes: Iterable[str]) -> bool:
        """Return whether one of the scopes has changed since the clock had this value."""
        if clock == self.clock:
            return False
        if clock < self._all_changed:
            return True
        return any(self._changed.get(scope, 0) > clock for scope in scopes)

    async def aclose(self) -> None:
        """Close all connections."""

    def _inform_others(self, scopes: Collection[str]) -> None:
        """Inform the other processes of the deployment."""

    def _apply(self, scopes: Collection[str]) -> None:
        if len(self._changed) + len(scopes) > MAX_SCOPES:
            self._apply_all()
            return
        self._notify(scopes)
        self.clock += 1
        for scope in scopes:
            self._changed[scope] = self.clock

    def _apply_all(self) -> None:
        """Record that everything may have changed."""
        self._notify(None)
        self.clock += 1
        self._all_changed = self.clock
        self._changed.clear()

    def _notify(self, scopes: Collection[str] | None) -> None:
        for listener in self.listeners:
            listener(scopes)


@cache
def scopes_of(models: tuple[type[Model], ...]) -> frozenset[str]:
    """Return the scopes of all rows of the models."""
    return frozenset(map(table_of, models))


def scopes_of_event(model: type[Model], event_id: int) -> frozenset[str]:
    """Return the scopes of the rows of a model that belong to an event."""
    return frozenset({f"{table_of(model)}/{event_id}", f"{table_of(model)}/*"})


def table_of(model: type[Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - Tortoise has no public name for it


def _changed_scopes(table: str, event_ids: Collection[int]) -> list[str]:
    return [table, *(f"{table}/{event_id}" for event_id in event_ids or "*")]
