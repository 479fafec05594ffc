"""Brokers: whoever follows an event is told of its changes, in memory and through Redis, lost and back."""

import asyncio
import contextlib
import logging
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from amarevents import errors
from amarevents.infra.pubsub import MemoryBroker, RedisBroker, Subscriber, TicketChange, base, redis
from amarevents.infra.redis import redis_client
from amarevents.models.enums import TicketChangeKind
from tests.support.servers import PrivateServer, private_redis

CREATED = [TicketChange(TicketChangeKind.CREATED, 1)]
DELETED = [TicketChange(TicketChangeKind.DELETED, 1)]
LOST, BACK = "Redis is unavailable", "Redis is available again"
needs_redis = pytest.mark.backend("postgres")


async def _told(subscriber: Subscriber, seconds: float = 2) -> list[TicketChange]:
    """All that waits, as soon as something does; nothing after so many seconds."""
    told = []
    if await subscriber.wait(seconds):
        while (change := subscriber.pop()) is not None:
            told.append(change)
    return told


# One subscriber ---------------------------------------------------------------------------------------------------


async def test_changes_are_taken_in_their_order_and_once() -> None:
    subscriber = Subscriber()
    subscriber.deliver(CREATED)
    subscriber.deliver(DELETED)
    assert await _told(subscriber) == CREATED + DELETED
    assert not await subscriber.wait(0.01)


async def test_a_change_without_tickets_wakes_and_leaves_nothing_to_take() -> None:
    subscriber = Subscriber()
    subscriber.deliver([])
    assert await subscriber.wait(0)
    assert subscriber.pop() is None
    assert not await subscriber.wait(0)


async def test_who_waits_is_woken() -> None:
    subscriber = Subscriber()
    waiting = asyncio.create_task(subscriber.wait(5))
    await asyncio.sleep(0)
    subscriber.deliver(CREATED)
    assert await waiting


@pytest.mark.parametrize(("bound", "kept"), [(10, 0), (10**9, 5_000)], ids=["bounded", "the control: without a bound"])
async def test_what_nobody_takes_does_not_grow(monkeypatch: pytest.MonkeyPatch, bound: int, kept: int) -> None:
    monkeypatch.setattr(base, "MAX_QUEUED", bound)
    subscriber = Subscriber()
    for _ in range(5_000):
        subscriber.deliver(CREATED)
    assert len(subscriber._changes) == kept


async def test_who_has_missed_something_is_told_so_until_all_is_taken_anew(monkeypatch: pytest.MonkeyPatch) -> None:
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


# In memory ------------------------------------------------------------------------------------------------------


async def test_followers_of_an_event_are_told_of_its_changes_and_of_no_others() -> None:
    broker = MemoryBroker()
    async with broker.subscribe(1) as first, broker.subscribe(1) as second, broker.subscribe(2) as other:
        await broker.publish(1, CREATED)
        assert [await _told(subscriber, 0) for subscriber in (first, second, other)] == [CREATED, CREATED, []]
    assert broker._subscribers == {}


async def test_who_leaves_by_an_error_has_left_as_well() -> None:
    broker = MemoryBroker()
    with pytest.raises(ZeroDivisionError):
        async with broker.subscribe(1):
            raise ZeroDivisionError
    assert broker._subscribers == {}
    await broker.publish(1, CREATED)


# Through Redis --------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    """A Redis of the test's own, to be stopped and started."""
    with private_redis() as server:
        yield server


@contextlib.asynccontextmanager
async def _processes(*urls: str) -> AsyncIterator[list[RedisBroker]]:
    """A broker for each, as so many processes would have; they leave no task behind."""
    brokers = [RedisBroker(url) for url in urls]
    try:
        yield brokers
    finally:
        for broker in brokers:
            await broker.aclose()
            assert not broker._tasks
            assert not broker._local._subscribers


@pytest.fixture
async def pair(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[RedisBroker]]:
    """Two processes over one Redis."""
    monkeypatch.setattr(redis, "RETRY_SECONDS", 0.05)
    async with _processes(server.url, server.url) as brokers:
        yield brokers


def _notices(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [re.split(r" \(|;", line)[0] for line in lines]


@needs_redis
async def test_changes_reach_the_followers_in_every_process_once(pair: list[RedisBroker]) -> None:
    here, there = pair
    async with here.subscribe(1) as own, there.subscribe(1) as remote, there.subscribe(2) as other:
        await here.publish(1, CREATED + DELETED)
        assert await _told(own) == CREATED + DELETED
        assert await _told(remote) == CREATED + DELETED
        await here.publish(1, [])
        assert await remote.wait(2)
        assert await _told(remote) == []
        assert [await _told(subscriber, 0.2) for subscriber in (own, remote, other)] == [[], [], []]


@needs_redis
async def test_databases_of_one_server_are_deployments_of_their_own(server: PrivateServer) -> None:
    async with (
        _processes(server.url, server.url.replace("/0", "/1")) as (here, elsewhere),
        elsewhere.subscribe(1) as subscriber,
    ):
        await here.publish(1, CREATED)
        assert await _told(subscriber, 0.2) == []


async def _missed(subscriber: Subscriber, seconds: float = 5) -> bool:
    """Whether it is told to read anew, within so many seconds; and is none the worse for it afterwards."""
    if not await subscriber.wait(seconds):
        return False
    try:
        subscriber.pop()
    except errors.UpdatesMissed:
        subscriber.clear()
        return True
    return False


@needs_redis
async def test_a_restart_makes_every_follower_read_anew_and_they_are_told_again(
    server: PrivateServer, pair: list[RedisBroker], caplog: pytest.LogCaptureFixture
) -> None:
    here, there = pair
    async with here.subscribe(1) as own, there.subscribe(1) as remote:
        server.stop()
        await here.publish(1, CREATED)
        assert await _told(own, 0) == CREATED  # in this process whatever Redis does
        server.start()
        assert [await _missed(subscriber) for subscriber in (own, remote)] == [True, True]
        await _settled(here, there)
        for subscriber in (own, remote):
            subscriber.clear()
        await here.publish(1, DELETED)
        assert [await _told(subscriber) for subscriber in (own, remote)] == [DELETED, DELETED]
    assert sorted(_notices(caplog)) == [BACK, BACK, LOST, LOST]  # of each process one


async def _settled(*brokers: RedisBroker) -> None:
    """Until Redis serves them both ways."""
    async with asyncio.timeout(5):
        while any(broker._publisher_failed or broker._reader_failed for broker in brokers):  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # what they have told each other arrives


@needs_redis
async def test_a_server_that_hangs_delays_a_publication_by_a_moment_and_the_next_not_at_all(
    server: PrivateServer, pair: list[RedisBroker]
) -> None:
    here, there = pair
    async with there.subscribe(1) as remote:
        await here.publish(1, CREATED)
        assert await _told(remote) == CREATED
        os.kill(server.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            await here.publish(1, CREATED)
            assert time.monotonic() - began < 1.5
            began = time.monotonic()
            await here.publish(1, CREATED)
            assert time.monotonic() - began < 0.1
        finally:
            os.kill(server.pid, signal.SIGCONT)
        # The reader has noticed nothing; it is told by the one that could not publish.
        assert await _until_missed(remote)


async def _until_missed(subscriber: Subscriber) -> bool:
    """Past changes that have arrived late."""
    async with asyncio.timeout(5):
        while True:
            await subscriber.wait(5)
            try:
                subscriber.pop()
            except errors.UpdatesMissed:
                return True


@needs_redis
async def test_a_silent_connection_is_given_up(
    server: PrivateServer, pair: list[RedisBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "HEARTBEAT_SECONDS", 0.1)
    here, _ = pair
    async with here.subscribe(1) as subscriber:
        await asyncio.sleep(0.5)
        assert not await subscriber.wait(0)  # answered heartbeats are no news
        os.kill(server.pid, signal.SIGSTOP)
        await asyncio.sleep(0.5)
        assert here._reader_failed
        os.kill(server.pid, signal.SIGCONT)
        assert await _missed(subscriber)


@needs_redis
async def test_a_connection_that_is_cut_is_made_anew(server: PrivateServer, pair: list[RedisBroker]) -> None:
    here, there = pair
    async with here.subscribe(1) as subscriber:
        redis = redis_client(server.url)
        await redis.client_kill_filter(_type="pubsub")
        await redis.aclose()
        assert await _missed(subscriber)
        await there.publish(1, CREATED)
        assert await _told(subscriber) == CREATED


@needs_redis
async def test_without_redis_from_the_start_a_process_tells_its_own_and_is_one_of_many_later(
    server: PrivateServer, pair: list[RedisBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = pair
    server.stop()
    began = time.monotonic()
    async with here.subscribe(1) as subscriber:
        assert time.monotonic() - began < 1.5
        await here.publish(1, CREATED)
        assert await _told(subscriber, 0) == CREATED
        server.start()
        assert await _missed(subscriber)
        await _settled(here)
        subscriber.clear()
        await there.publish(1, DELETED)
        assert await _told(subscriber) == DELETED


@needs_redis
@pytest.mark.parametrize("message", ["", "{", "3", "[]", '["x", 1, 2]', '["x", 1, [[]]]', '["x", 1, [["sold", 3]]]'])
async def test_what_another_version_may_have_said_makes_followers_read_anew(
    server: PrivateServer, pair: list[RedisBroker], message: str
) -> None:
    here, there = pair
    async with here.subscribe(1) as subscriber:
        await there._client.publish(here._channel, message)
        assert await _missed(subscriber)
        await there.publish(1, CREATED)
        assert await _told(subscriber) == CREATED


@needs_redis
async def test_a_publication_goes_on_where_its_request_is_cancelled(pair: list[RedisBroker]) -> None:
    here, there = pair
    async with there.subscribe(1) as remote:
        publishing = asyncio.create_task(here.publish(1, CREATED))
        await asyncio.sleep(0)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        assert await _told(remote) == CREATED


@needs_redis
async def test_a_process_without_followers_holds_no_connection_for_them(
    server: PrivateServer, pair: list[RedisBroker]
) -> None:
    here, _ = pair
    await here.publish(1, CREATED)
    redis = redis_client(server.url)
    assert await redis.pubsub_numsub(here._channel) == [(here._channel.encode(), 0)]
    async with here.subscribe(1):
        assert await redis.pubsub_numsub(here._channel) == [(here._channel.encode(), 1)]
    await redis.aclose()
