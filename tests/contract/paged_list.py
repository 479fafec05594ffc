"""A paged list as one caller sees it, with the IDs to expect for each filter."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.world import Caller, World

Query = dict[str, Any]  # Any: what httpx takes as query parameters
LENGTH = 7


@dataclass
class PagedList:
    """A list as one caller sees it; ``expected`` pairs filters with the IDs that they leave, in order."""

    caller: Caller
    path: str
    expected: list[tuple[Query, list[int]]]


FillList = Callable[[World], Awaitable[PagedList]]


def newest_first(ids: Sequence[int]) -> list[int]:
    return sorted(ids, reverse=True)
