"""Turns of registrations: few at once, a bounded number that waits, and fair to all events."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from amarevents.errors import Overloaded
from amarevents.security.turns import Turns

pytestmark = pytest.mark.anyio


class Crowd:
    """Callers with turns, which last until ``end`` ends the one that began first."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._ends: list[asyncio.Event] = []
        self.started: list[str] = []

    def add(self, name: str, key: object = 1, left: Callable[[], Awaitable[None]] | None = None) -> asyncio.Task[None]:
        return asyncio.create_task(self._have_turn(name, key, left))

    async def _have_turn(self, name: str, key: object, left: Callable[[], Awaitable[None]] | None) -> None:
        async with self._turns.turn(key, left):
            self.started.append(name)
            self._ends.append(end := asyncio.Event())
            await end.wait()

    async def settle(self) -> list[str]:
        """Return the names of the callers that have had a turn, once nothing more happens."""
        for _ in range(10):
            await asyncio.sleep(0)
        return self.started

    async def end(self) -> list[str]:
        self._ends.pop(0).set()
        return await self.settle()

    async def end_all(self) -> list[str]:
        while self._ends:
            await self.end()
        return self.started


async def test_only_so_many_have_a_turn_at_once() -> None:
    crowd = Crowd(Turns(at_once=2, waiting=9))
    for name in "abcd":
        crowd.add(name)
    assert await crowd.settle() == ["a", "b"]
    assert await crowd.end() == ["a", "b", "c"]
    assert await crowd.end_all() == list("abcd")


async def test_callers_of_one_event_have_turns_in_the_order_in_which_they_came() -> None:
    crowd = Crowd(Turns(at_once=1, waiting=0))
    for number in range(50):
        crowd.add(str(number))
    await crowd.settle()
    assert await crowd.end_all() == [str(number) for number in range(50)]


async def test_events_alternate() -> None:
    crowd = Crowd(Turns(at_once=1, waiting=0))
    for name in ("hot1", "hot2", "hot3", "hot4"):
        crowd.add(name, key="hot")
    crowd.add("quiet1", key="quiet")
    crowd.add("quiet2", key="quiet")
    await crowd.settle()
    assert await crowd.end_all() == ["hot1", "hot2", "quiet1", "hot3", "quiet2", "hot4"]


async def test_caller_that_finds_the_queue_full_is_refused_at_once() -> None:
    turns = Turns(at_once=1, waiting=2)
    crowd = Crowd(turns)
    for name in "abc":
        crowd.add(name)
    await crowd.settle()
    with pytest.raises(Overloaded) as refused:
        turns.require_room()
    assert refused.value.retry_after == 1
    with pytest.raises(Overloaded):
        await crowd.add("d")
    await crowd.end()
    turns.require_room()
    crowd.add("e")
    await crowd.settle()
    assert await crowd.end_all() == list("abce")


async def test_time_to_wait_grows_with_the_queue_and_the_duration_of_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(at_once=2, waiting=300)
    monkeypatch.setattr(turns, "_seconds", 0.1)
    crowd = Crowd(turns)
    callers = [crowd.add(str(number)) for number in range(302)]
    await crowd.settle()
    with pytest.raises(Overloaded) as refused:
        turns.require_room()
    assert refused.value.retry_after == 15
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)


async def test_zero_switches_the_limits_off() -> None:
    crowd = Crowd(Turns(at_once=0, waiting=0))
    names = [str(number) for number in range(1_000)]
    for name in names:
        crowd.add(name)
    assert await crowd.settle() == names
    await crowd.end_all()


async def test_failure_ends_a_turn() -> None:
    turns = Turns(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with turns.turn(1):
                raise ZeroDivisionError
    crowd = Crowd(turns)
    crowd.add("next")
    assert await crowd.settle() == ["next"]
    await crowd.end_all()


async def test_caller_that_is_cancelled_while_it_waits_leaves_the_queue() -> None:
    turns = Turns(at_once=1, waiting=2)
    crowd = Crowd(turns)
    crowd.add("a")
    cancelled = [crowd.add(name, key=name) for name in "bc"]
    await crowd.settle()
    for caller in cancelled:
        caller.cancel()
    await crowd.settle()
    turns.require_room()
    crowd.add("d")
    await crowd.settle()
    assert await crowd.end_all() == ["a", "d"]
    assert turns._queues == {}


async def test_turn_of_a_caller_that_is_cancelled_just_then_goes_to_the_next() -> None:
    crowd = Crowd(Turns(at_once=1, waiting=0))
    crowd.add("a")
    late = crowd.add("b")
    crowd.add("c")
    await crowd.settle()
    crowd._ends.pop(0).set()
    for _ in range(2):  # the turn has been passed on, and the caller has not run yet
        await asyncio.sleep(0)
    late.cancel()
    assert "c" in await crowd.settle()
    await crowd.end_all()


async def test_caller_whose_client_leaves_leaves_the_queue() -> None:
    turns = Turns(at_once=1, waiting=1)
    crowd, has_left = Crowd(turns), asyncio.Event()

    async def left() -> None:
        await has_left.wait()

    crowd.add("a", left=left)
    gone = crowd.add("b", left=left)
    await crowd.settle()
    has_left.set()
    with pytest.raises(Overloaded):
        await gone
    turns.require_room()
    assert await crowd.end_all() == ["a"]


async def test_client_that_stays_has_its_turn() -> None:
    crowd = Crowd(Turns(at_once=1, waiting=0))

    async def left() -> None:
        await asyncio.Event().wait()

    for name in "abc":
        crowd.add(name, left=left)
    await crowd.settle()
    assert await crowd.end_all() == list("abc")
