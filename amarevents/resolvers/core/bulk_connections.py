"""Connections of many lists, loaded together in a bounded number of statements, as ``load_connection`` loads one."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from amarevents.resolvers.core.bulk_pages import count_rows, fetch_by_ids, select_ids
from amarevents.resolvers.core.connections import Connection, ConnectionArguments, Slice, connection_of, slice_of
from amarevents.resolvers.core.select import Select
from amarevents.security.context import Context

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# Each is up to six parts of a statement: three queries of two segments.
_LISTS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRequest(Generic[V]):
    """A request for a slice of a list."""

    rows: Select[V]
    """All rows of the list."""
    arguments: ConnectionArguments
    """The slice to load."""


async def load_connections(ctx: Context, requests: Mapping[K, ConnectionRequest[V]]) -> dict[K, Connection[V]]:
    """Return the requested slices by key, in two statements for up to 80 lists, and one more for all their counts.

    Raises ValidationFailed if a cursor is not one of its list.
    """
    found: dict[K, Connection[V]] = {}
    slices = [(key, slice_of(ctx, one.rows, one.arguments)) for key, one in requests.items()]
    for start in range(0, len(slices), _LISTS):
        found |= await _load_batch(slices[start : start + _LISTS])
    return found


async def _load_batch(slices: Sequence[tuple[K, Slice[V]]]) -> dict[K, Connection[V]]:
    ids, behind, ahead = await _read_ids([part for _, part in slices])
    rows = await fetch_by_ids(slices[0][1].rows.source, set().union(*ids))
    counts = _Counts([part.rows for _, part in slices])
    connections: dict[K, Connection[V]] = {}
    for number, (key, part) in enumerate(slices):
        in_order = part.order.sorted(rows[row_id] for row_id in ids[number] if row_id in rows)
        found = (in_order[::-1] if part.backward else in_order)[: part.limit]
        connections[key] = connection_of(
            part,
            found,
            behind=part.start_is_first_of(found) or number in behind,
            ahead=part.stops_within(found) or number in ahead,
            count=partial(counts.get, number),
        )
    return connections


async def _read_ids(slices: Sequence[Slice[V]]) -> tuple[list[list[int]], set[int], set[int]]:
    """Return the IDs of each slice, and the numbers of the slices with rows behind and ahead, in one statement."""
    parts = [
        (number, kind, rows.page(part.limit if kind == "between" else 1))
        for number, part in enumerate(slices)
        for kind, queries in (("between", part.between()), ("behind", part.behind()), ("ahead", part.ahead()))
        for rows in queries
    ]
    between: list[list[int]] = [[] for _ in slices]
    beyond: dict[str, set[int]] = {"behind": set(), "ahead": set()}
    for part_number, row_id in await select_ids([rows for _, _, rows in parts]):
        number, kind, _ = parts[part_number]
        if kind == "between":
            between[number].append(row_id)
        else:
            beyond[kind].add(number)
    return between, beyond["behind"], beyond["ahead"]


@dataclass(slots=True)
class _Counts(Generic[V]):
    """The number of rows of each list, which are counted together once the first of them is asked for."""

    lists: Sequence[Select[V]]
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _numbers: dict[int, int] | None = None

    async def get(self, number: int) -> int:
        async with self._lock:
            if self._numbers is None:
                self._numbers = await count_rows(self.lists)
        return self._numbers[number]
