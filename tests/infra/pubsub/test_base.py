"""A subscriber: the queue of its changes, in order and bounded."""

import asyncio

import pytest

from amarevents import errors
from amarevents.infra.pubsub import Subscriber, base
from tests.support.ticket_changes import CREATED, DELETED, received


async def test_changes_are_received_once_and_in_order() -> None:
    subscriber = Subscriber()
    subscriber.deliver(CREATED)
    subscriber.deliver(DELETED)
    assert await received(subscriber) == CREATED + DELETED
    assert not await subscriber.wait(0.01)


async def test_a_change_without_tickets_wakes_the_subscriber() -> None:
    subscriber = Subscriber()
    subscriber.deliver([])
    assert await subscriber.wait(0)
    assert subscriber.pop() is None
    assert not await subscriber.wait(0)


async def test_a_change_wakes_a_waiting_subscriber() -> None:
    subscriber = Subscriber()
    waiting = asyncio.create_task(subscriber.wait(5))
    await asyncio.sleep(0)
    subscriber.deliver(CREATED)
    assert await waiting


@pytest.mark.parametrize(("bound", "kept"), [(10, 0), (10**9, 5_000)], ids=["bounded", "negative control: unbounded"])
async def test_the_queue_of_a_slow_subscriber_is_bounded(
    monkeypatch: pytest.MonkeyPatch, bound: int, kept: int
) -> None:
    monkeypatch.setattr(base, "MAX_QUEUED", bound)
    subscriber = Subscriber()
    for _ in range(5_000):
        subscriber.deliver(CREATED)
    assert len(subscriber._changes) == kept


async def test_after_missed_changes_a_subscriber_fails_until_it_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_QUEUED", 2)
    subscriber = Subscriber()
    for _ in range(3):
        subscriber.deliver(CREATED)
    for _ in range(2):
        with pytest.raises(errors.UpdatesMissed):
            subscriber.pop()
    subscriber.clear()
    assert subscriber.pop() is None
    subscriber.deliver(DELETED)
    assert subscriber.pop() == DELETED[0]
