"""Data loaders, which turn the look-ups of one moment into one call of a load function."""

from collections.abc import Awaitable, Hashable, Mapping, Sequence
from typing import Protocol, TypeVar

from strawberry.dataloader import DataLoader

from amarevents.schema.core.timeouts import Deadline
from amarevents.security.context import Context

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class LoadFunction(Protocol[K, T_co]):
    """A function that finds the values of many keys at once; keys without a value are left out."""

    def __call__(self, ctx: Context, keys: Sequence[K], /) -> Awaitable[Mapping[K, T_co]]: ...


def make_loader(load: LoadFunction[K, T], ctx: Context, deadline: Deadline) -> DataLoader[K, T | None]:
    """Return a data loader for a load function. It loads None for keys without a value."""

    async def load_in_order(keys: list[K]) -> list[T | None]:
        found = await deadline.wait_for(lambda: load(ctx, keys))
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load_in_order)
