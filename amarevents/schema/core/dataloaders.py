"""Data loaders, which turn the look-ups of many objects into one call of a load function."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from strawberry.dataloader import DataLoader

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
        return self.value  # type: ignore[return-value] # that of work that has not failed


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
        self._single: DataLoader[K, T | None] = DataLoader(load_fn=self._load_in_order)

    async def get(self, key: K) -> T | None:
        """Return the value of a key, None without one, loading the keys that are needed at the same moment at once."""
        known = self._known.get(key)
        return await self._single.load(key) if known is None else known.get().get(key)

    async def get_all(self, keys: Collection[K], ctx: Context) -> Mapping[K, T]:
        """Return the values of the keys that have one, loading all at once; ``ctx`` says what is needed of them."""
        missing = [key for key in keys if key not in self._known]
        if missing:
            outcome = await outcome_of(lambda: self._deadline.wait_for(lambda: self._load(ctx, missing)))
            self._known.update(dict.fromkeys(missing, outcome))
            if len(missing) == len(keys):
                return outcome.get()
        outcomes = {id(one): one for one in (self._known[key] for key in keys)}
        return {key: value for one in outcomes.values() for key, value in one.get().items()}

    async def _load_in_order(self, keys: list[K]) -> list[T | None]:
        found = await self._deadline.wait_for(lambda: self._load(self._ctx, keys))
        return [found.get(key) for key in keys]
