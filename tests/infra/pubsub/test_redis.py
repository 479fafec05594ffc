"""Publish and subscribe through Redis: changes reach the subscribers of every process, also after failures."""

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
from amarevents.infra.pubsub import RedisBroker, Subscriber, channel
from amarevents.infra.redis import redis_client
from tests.support.redis_server import private_redis
from tests.support.servers import PrivateServer
from tests.support.ticket_changes import CREATED, DELETED, received

UNAVAILABLE, AVAILABLE = "Redis is unavailable", "Redis is available again"

pytestmark = pytest.mark.backend("postgres")


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    """Start a Redis server that the test may stop and start."""
    with private_redis() as server:
        yield server


@contextlib.asynccontextmanager
async def brokers_of(*urls: str) -> AsyncIterator[list[RedisBroker]]:
    """Open a broker for each URL, as separate processes would; at the end, check that no task is left."""
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
    """Open two brokers on one Redis server."""
    monkeypatch.setattr(channel, "RETRY_SECONDS", 0.05)
    async with brokers_of(server.url, server.url) as brokers:
        yield brokers


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [re.split(r" \(|;", line)[0] for line in lines]


async def test_changes_reach_the_subscribers_of_every_process_once(pair: list[RedisBroker]) -> None:
    here, there = pair
    async with here.subscribe(1) as own, there.subscribe(1) as remote, there.subscribe(2) as other:
        await here.publish(1, CREATED + DELETED)
        assert await received(own) == CREATED + DELETED
        assert await received(remote) == CREATED + DELETED
        await here.publish(1, [])
        assert await remote.wait(2)
        assert await received(remote) == []
        assert [await received(subscriber, 0.2) for subscriber in (own, remote, other)] == [[], [], []]


async def test_each_redis_database_is_a_deployment_of_its_own(server: PrivateServer) -> None:
    async with (
        brokers_of(server.url, server.url.replace("/0", "/1")) as (here, elsewhere),
        elsewhere.subscribe(1) as subscriber,
    ):
        await here.publish(1, CREATED)
        assert await received(subscriber, 0.2) == []


async def has_missed_changes(subscriber: Subscriber, seconds: float = 5) -> bool:
    """Return whether the subscriber learns within ``seconds`` that it missed changes; then clear it."""
    if not await subscriber.wait(seconds):
        return False
    try:
        subscriber.pop()
    except errors.UpdatesMissed:
        subscriber.clear()
        return True
    return False


async def test_after_a_restart_all_subscribers_reload_and_receive_changes_again(
    server: PrivateServer, pair: list[RedisBroker], caplog: pytest.LogCaptureFixture
) -> None:
    here, there = pair
    async with here.subscribe(1) as own, there.subscribe(1) as remote:
        server.stop()
        await here.publish(1, CREATED)
        assert await received(own, 0) == CREATED  # in the same process, without Redis
        server.start()
        assert [await has_missed_changes(subscriber) for subscriber in (own, remote)] == [True, True]
        await wait_until_reconnected(here, there)
        for subscriber in (own, remote):
            subscriber.clear()
        await here.publish(1, DELETED)
        assert [await received(subscriber) for subscriber in (own, remote)] == [DELETED, DELETED]
    assert sorted(warnings_in(caplog)) == [
        AVAILABLE,
        AVAILABLE,
        UNAVAILABLE,
        UNAVAILABLE,
    ]  # one of each from each process


async def wait_until_reconnected(*brokers: RedisBroker) -> None:
    """Wait until the brokers publish and receive again."""
    async with asyncio.timeout(5):
        while any(broker._publisher_failed or broker._reader_failed for broker in brokers):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # for the messages between them to arrive


async def test_an_unresponsive_server_delays_only_the_first_publication(
    server: PrivateServer, pair: list[RedisBroker]
) -> None:
    here, there = pair
    async with there.subscribe(1) as remote:
        await here.publish(1, CREATED)
        assert await received(remote) == CREATED
        os.kill(server.pid, signal.SIGSTOP)
        try:
            started_at = time.monotonic()
            await here.publish(1, CREATED)
            assert time.monotonic() - started_at < 1.5
            started_at = time.monotonic()
            await here.publish(1, CREATED)
            assert time.monotonic() - started_at < 0.1
        finally:
            os.kill(server.pid, signal.SIGCONT)
        # The reader has not noticed; the process that failed to publish notifies it.
        assert await eventually_has_missed_changes(remote)


async def eventually_has_missed_changes(subscriber: Subscriber) -> bool:
    """Skip late changes until the subscriber learns that it missed some."""
    async with asyncio.timeout(5):
        while True:
            await subscriber.wait(5)
            try:
                subscriber.pop()
            except errors.UpdatesMissed:
                return True


async def test_a_connection_without_heartbeats_is_closed(
    server: PrivateServer, pair: list[RedisBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "HEARTBEAT_SECONDS", 0.1)
    here, _ = pair
    async with here.subscribe(1) as subscriber:
        await asyncio.sleep(0.5)
        assert not await subscriber.wait(0)  # heartbeats do not wake subscribers
        os.kill(server.pid, signal.SIGSTOP)
        await asyncio.sleep(0.5)
        assert here._reader_failed
        os.kill(server.pid, signal.SIGCONT)
        assert await has_missed_changes(subscriber)


async def test_a_lost_connection_is_reopened(server: PrivateServer, pair: list[RedisBroker]) -> None:
    here, there = pair
    async with here.subscribe(1) as subscriber:
        redis = redis_client(server.url)
        await redis.client_kill_filter(_type="pubsub")
        await redis.aclose()
        assert await has_missed_changes(subscriber)
        await there.publish(1, CREATED)
        assert await received(subscriber) == CREATED


async def test_a_process_started_without_redis_joins_when_redis_is_available(
    server: PrivateServer, pair: list[RedisBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = pair
    server.stop()
    started_at = time.monotonic()
    async with here.subscribe(1) as subscriber:
        assert time.monotonic() - started_at < 1.5
        await here.publish(1, CREATED)
        assert await received(subscriber, 0) == CREATED
        server.start()
        assert await has_missed_changes(subscriber)
        await wait_until_reconnected(here)
        subscriber.clear()
        await there.publish(1, DELETED)
        assert await received(subscriber) == DELETED


@pytest.mark.parametrize("message", ["", "{", "3", "[]", '["x", 1, 2]', '["x", 1, [[]]]', '["x", 1, [["sold", 3]]]'])
async def test_a_message_in_an_unknown_format_makes_subscribers_reload(
    server: PrivateServer, pair: list[RedisBroker], message: str
) -> None:
    here, there = pair
    async with here.subscribe(1) as subscriber:
        await there._commands.execute("PUBLISH", here._channel, message)
        assert await has_missed_changes(subscriber)
        await there.publish(1, CREATED)
        assert await received(subscriber) == CREATED


async def test_a_publication_continues_when_its_request_is_cancelled(pair: list[RedisBroker]) -> None:
    here, there = pair
    async with there.subscribe(1) as remote:
        publishing = asyncio.create_task(here.publish(1, CREATED))
        await asyncio.sleep(0)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        assert await received(remote) == CREATED


async def test_a_process_without_subscribers_does_not_subscribe_to_redis(
    server: PrivateServer, pair: list[RedisBroker]
) -> None:
    here, _ = pair
    await here.publish(1, CREATED)
    redis = redis_client(server.url)
    assert await redis.pubsub_numsub(here._channel) == [(here._channel.encode(), 0)]
    async with here.subscribe(1):
        assert await redis.pubsub_numsub(here._channel) == [(here._channel.encode(), 1)]
    await redis.aclose()
