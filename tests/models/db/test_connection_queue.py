"""The queue for connections: order, room for new ones, and callers that give up."""

import asyncio

import pytest

from amarevents.models.db.engines.connection_queue import ConnectionQueue


@pytest.fixture
def queue() -> ConnectionQueue[str]:
    """A queue for one connection, which a caller holds."""
    queue: ConnectionQueue[str] = ConnectionQueue(1)
    assert queue.reserve()
    return queue


async def _waiting(queue: ConnectionQueue[str]) -> "asyncio.Task[str | None]":
    task = asyncio.create_task(queue.wait(asyncio.get_running_loop().time() + 5))
    await asyncio.sleep(0)
    return task


def test_connection_used_last_is_taken_first(queue: ConnectionQueue[str]) -> None:
    queue.put_back("a")
    queue.put_back("b")
    assert [queue.take() for _ in range(3)] == ["b", "a", None]


def test_no_more_connections_than_the_size_are_reserved(queue: ConnectionQueue[str]) -> None:
    assert not queue.reserve()
    queue.remove()
    assert queue.reserve()
    assert not queue.reserve()


async def test_callers_are_served_in_their_order(queue: ConnectionQueue[str]) -> None:
    first, second = await _waiting(queue), await _waiting(queue)
    queue.put_back("a")
    assert await first == "a"
    assert not second.done()
    queue.put_back("b")
    assert await second == "b"
    assert queue.take() is None


async def test_caller_may_open_a_connection_when_another_is_closed(queue: ConnectionQueue[str]) -> None:
    waiting = await _waiting(queue)
    queue.remove()
    assert await waiting is None
    assert queue.reserve()


async def test_caller_that_gave_up_is_passed_over(queue: ConnectionQueue[str]) -> None:
    first, second = await _waiting(queue), await _waiting(queue)
    first.cancel()
    await asyncio.sleep(0)
    queue.put_back("a")
    assert await second == "a"


@pytest.mark.parametrize("connection", ["a", None])
async def test_what_a_cancelled_caller_was_given_goes_to_the_next(
    queue: ConnectionQueue[str], connection: str | None
) -> None:
    first, second = await _waiting(queue), await _waiting(queue)
    queue.put_back(connection) if connection else queue.remove()
    first.cancel()  # it has been served, but has not run yet
    assert await second == connection
    assert first.cancelled()


async def test_connection_of_the_last_cancelled_caller_is_kept(queue: ConnectionQueue[str]) -> None:
    only = await _waiting(queue)
    queue.put_back("a")
    only.cancel()
    await asyncio.gather(only, return_exceptions=True)
    assert queue.take() == "a"
