"""Publish and subscribe in one process: changes of an event reach its subscribers."""

import pytest

from amarevents.infra.pubsub import MemoryBroker
from tests.support.ticket_changes import CREATED, received


async def test_subscribers_receive_the_changes_of_their_event_alone() -> None:
    broker = MemoryBroker()
    async with broker.subscribe(1) as first, broker.subscribe(1) as second, broker.subscribe(2) as other:
        await broker.publish(1, CREATED)
        assert [await received(subscriber, 0) for subscriber in (first, second, other)] == [CREATED, CREATED, []]
    assert broker._subscribers == {}


async def test_an_error_ends_the_subscription() -> None:
    broker = MemoryBroker()
    with pytest.raises(ZeroDivisionError):
        async with broker.subscribe(1):
            raise ZeroDivisionError
    assert broker._subscribers == {}
    await broker.publish(1, CREATED)
