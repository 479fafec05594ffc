"""Single flight: simultaneous requests for the same thing compute it once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from amarevents.infra.versions import Versions

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Flight(Generic[T]):
    clock: int
    """The clock of the rows that it reads."""
    outcome: "asyncio.Future[tuple[T] | None]"
    """What has been computed; None if computing it has failed or was cancelled."""


class SingleFlight(Generic[T]):
    """Computes each thing once for all callers that ask for it at the same time.

    A caller only joins a computation that was started after the latest change that this process knows of, so that no
    caller misses what was written before it asked.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def run(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """Return what ``compute`` returns, here or for another caller that has just asked for the same.

        If that other caller fails or is cancelled, it is computed for this one.
        """
        flight = self._flights.get(key)
        if flight is None or flight.clock < self._versions.clock_of_rows:
            return await self._lead(key, compute)
        # Shielded, because a caller that is cancelled must not cancel it for the others.
        outcome = await asyncio.shield(flight.outcome)
        return await compute() if outcome is None else outcome[0]

    async def _lead(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        flight: _Flight[T] = _Flight(self._versions.clock_of_rows, asyncio.get_running_loop().create_future())
        self._flights[key] = flight
        result: tuple[T] | None = None
        try:
            result = (await compute(),)
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.outcome.set_result(result)
        return result[0]
