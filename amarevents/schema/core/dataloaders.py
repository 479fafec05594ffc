"""Data loaders, which turn the look-ups of many objects into one call of a load function."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

from amarevents.schema.core.timeouts import Deadline
from amarevents.security.context import Context

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class LoadFunction(Protocol[K, T_co]):
    """A function that finds the values of many keys at once; keys without a value are left out."""

    def __call__(self, ctx: Context, keys: Sequence[K], /) -> Awaitable[Mapping[K, T_co]]: ...


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """What some work has returned or raised, for everything that needs it."""

    value: T_co | None
    failure: Exception | None = None

    def get(self) -> T_co:
        """Return what the work has returned, or raise what it has raised."""
        if self.failure is not None:
            raise self.failure
        return cast(T_co, self.value)  # that of work that has not failed


async def outcome_of(work: Callable[[], Awaitable[T]]) -> Outcome[T]:
    """Do the work and return its outcome; only a cancellation is passed on."""
    try:
        return Outcome(await work())
    except Exception as failure:
        return Outcome(None, failure)


class Loader(Generic[K, T]):
    """The values of one load function within an operation; each key is loaded once.

    The stock engine asks for single keys, which are collected for a moment, and plans ask for all keys of an edge.
    """

    def __init__(self, load: LoadFunction[K, T], ctx: Context, deadline: Deadline) -> None:
        self._load = load
        self._ctx = ctx
        self._deadline = deadline
        self._known: dict[K, Outcome[Mapping[K, T]]] = {}
        self._pending: dict[K, _Batch[K]] = {}
        self._collecting: _Batch[K] | None = None

    async def get(self, key: K) -> T | None:
        """Return the value of a key, None without one, loading the keys that are needed at the same moment at once."""
        if key not in self._known:
            batch = self._pending.get(key) or self._collect(key)
            await batch.wait(if_cancelled=self._forget)
        return self._known[key].get().get(key)

    async def get_all(self, keys: Collection[K], request_for: Callable[[], Context]) -> Mapping[K, T]:
        """Return the values of the keys that have one, loading at once those that are not known."""
        missing = [key for key in keys if key not in self._known]
        if missing:
            await self._load_now(missing, request_for())
            if len(missing) == len(keys):
                return self._known[missing[0]].get()
        outcomes = {id(one): one for one in (self._known[key] for key in keys)}
        return {key: value for one in outcomes.values() for key, value in one.get().items()}

    async def _load_now(self, keys: list[K], ctx: Context) -> None:
        outcome = await outcome_of(lambda: self._deadline.wait_for(lambda: self._load(ctx, keys)))
        self._known.update(dict.fromkeys(keys, outcome))

    def _collect(self, key: K) -> "_Batch[K]":
        batch = self._collecting
        if batch is None:
            batch = self._collecting = _Batch()
            batch.task = asyncio.create_task(self._load_collected(batch))
        batch.keys.append(key)
        self._pending[key] = batch
        return batch

    async def _load_collected(self, batch: "_Batch[K]") -> None:
        await asyncio.sleep(0)  # other fields are executed in this moment
        self._collecting = None
        await self._load_now(batch.keys, self._ctx)
        self._forget(batch)

    def _forget(self, batch: "_Batch[K]") -> None:
        """Forget a batch that has been loaded or cancelled."""
        if self._collecting is batch:
            self._collecting = None
        for key in batch.keys:
            self._pending.pop(key, None)


class _Batch(Generic[K]):
    """Keys that are loaded together, for all that wait for one of them."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.keys: list[K] = []
        self._waiting = 0

    async def wait(self, *, if_cancelled: Callable[["_Batch[K]"], None]) -> None:
        """Wait until the keys have been loaded. The last one whose waiting is cancelled cancels the loading."""
        self._waiting += 1
        try:
            await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self.task.done():
                if_cancelled(self)
                self.task.cancel()
