"""The loaders of an operation."""

from collections.abc import Hashable
from typing import TypeVar

from strawberry.dataloader import DataLoader

from amarevents import errors

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


async def require(loader: DataLoader[K, T | None], key: K, noun: str) -> T:
    """What the loader finds. Raises NotFound where there is nothing, or nothing that the caller may know of."""
    found = await loader.load(key)
    if found is None:
        raise errors.NotFound(noun)
    return found
