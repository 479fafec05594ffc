"""Single flight: what is asked for at the same time is computed once, and no caller depends on another."""

import asyncio

import pytest

from amarevents.infra.single_flight import SingleFlight
from amarevents.infra.versions import Versions
from amarevents.models import Event


class Work:
    """Work that ends when the test says so; it returns the number of its call."""

    def __init__(self) -> None:
        self.calls = 0
        self.may_end = asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        await self.may_end.wait()
        if self.failure is not None and number == 1:
            raise self.failure
        return number


def start(flights: SingleFlight[int], work: Work, callers: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(flights.run("key", work)) for _ in range(callers)]


async def test_simultaneous_callers_share_one_computation() -> None:
    flights, work = SingleFlight[int](Versions()), Work()
    tasks = start(flights, work, 100)
    await asyncio.sleep(0)
    work.may_end.set()
    assert await asyncio.gather(*tasks) == [1] * 100
    assert not flights._flights


async def test_different_things_are_computed_apart() -> None:
    flights, work = SingleFlight[int](Versions()), Work()
    work.may_end.set()
    assert list(await asyncio.gather(flights.run("a", work), flights.run("b", work))) == [1, 2]


async def test_a_failure_is_that_of_its_caller_alone() -> None:
    flights, work = SingleFlight[int](Versions()), Work()
    work.failure = ZeroDivisionError()
    tasks = start(flights, work, 3)
    await asyncio.sleep(0)
    work.may_end.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], ZeroDivisionError)
    assert results[1:] == [2, 3]
    assert not flights._flights


async def test_a_cancelled_computation_does_not_hang_the_others() -> None:
    flights, work = SingleFlight[int](Versions()), Work()
    tasks = start(flights, work, 3)
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    work.may_end.set()
    async with asyncio.timeout(2):
        assert await asyncio.gather(*tasks[1:]) == [2, 3]
    assert tasks[0].cancelled()
    assert not flights._flights


async def test_a_cancelled_caller_does_not_cancel_the_computation() -> None:
    flights, work = SingleFlight[int](Versions()), Work()
    tasks = start(flights, work, 3)
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.sleep(0)
    work.may_end.set()
    assert [await tasks[0], await tasks[2]] == [1, 1]


@pytest.mark.parametrize(("changes", "expected"), [(True, [1, 2, 2]), (False, [1, 1, 1])], ids=["changed", "control"])
async def test_a_caller_does_not_join_a_computation_from_before_a_change(changes: bool, expected: list[int]) -> None:
    versions, work = Versions(), Work()
    flights = SingleFlight[int](versions)
    tasks = start(flights, work, 1)
    await asyncio.sleep(0)
    if changes:
        versions.record([Event])
    tasks += start(flights, work, 2)
    await asyncio.sleep(0)
    work.may_end.set()
    assert await asyncio.gather(*tasks) == expected
