"""A broker for many processes: each publishes to one channel of Redis, and reads it from its first follower on."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import orjson
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from amarevents.infra.pubsub.base import Subscriber, TicketChange
from amarevents.infra.pubsub.memory import MemoryBroker
from amarevents.infra.redis import redis_client, redis_reader
from amarevents.models.enums import TicketChangeKind

RETRY_SECONDS = 0.5
"""Between two attempts to reach a server that is away."""

HEARTBEAT_SECONDS = 5.0
"""Seconds of silence after which the server is asked whether it is still there, and has as long to answer."""

CONNECT_SECONDS = 1.0
"""Seconds that a new follower waits for the connection; without it, it hears of this process alone meanwhile."""

_AWAY = (RedisError, OSError)  # the latter includes TimeoutError

logger = logging.getLogger(__name__)


class RedisBroker:
    """Followers in this process are told at once, whatever Redis does; those in others as long as it is there.

    Whatever may have been lost is made up for: a process that could not publish tells all others so as soon as it can,
    one whose reading was interrupted tells its own followers.
    """

    def __init__(self, url: str) -> None:
        self._own = MemoryBroker()
        self._url = url
        self._client = redis_client(url)
        # Channels are the server's, not one database's.
        self._channel = f"amarevents:changes:{self._client.connection_pool.connection_kwargs.get('db', 0)}"
        self._name = secrets.token_hex(8)
        self._reader: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()
        self._is_deaf = False
        self._is_mute = False
        self._is_told_away = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        self._own.deliver(event_id, changes)
        if self._is_mute:
            return
        # In a task of its own, which goes on where the request is cancelled.
        await asyncio.wait([self._start(self._send(event_id, changes))])

    @contextlib.asynccontextmanager
    async def subscribe(self, event_id: int) -> AsyncIterator[Subscriber]:
        await self._connected()
        async with self._own.subscribe(event_id) as subscriber:
            yield subscriber

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._own.aclose()
        await self._client.aclose()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:  # Any: what coroutines never use
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Publishing -------------------------------------------------------------------------------------------------

    async def _send(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        try:
            await self._say(event_id, changes)
        except _AWAY as error:
            if not self._is_mute:
                self._is_mute = True
                self._report(error)
                self._start(self._speak_again())

    async def _say(self, event_id: int | None, changes: Sequence[TicketChange]) -> None:
        """To all processes; of no event: that something may have been missed."""
        message = [self._name, event_id, [[kind, ticket_id] for kind, ticket_id in changes]]
        await self._client.publish(self._channel, orjson.dumps(message))

    async def _speak_again(self) -> None:
        """Until all others know that they may have missed something."""
        while self._is_mute:
            await asyncio.sleep(RETRY_SECONDS)
            self._is_mute = False  # first: what changes from now on is published again
            try:
                await self._say(None, [])
            except _AWAY:
                self._is_mute = True
        self._report()

    # Reading ----------------------------------------------------------------------------------------------------

    async def _connected(self) -> None:
        if self._reader is None:
            self._reader = self._start(self._read())
        if not self._is_deaf:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._listening.wait()

    async def _read(self) -> None:
        while True:
            try:
                async with redis_reader(self._url) as client, client.pubsub() as channel:
                    await self._hear(channel)
            except _AWAY as error:
                self._is_deaf = True
                self._listening.clear()
                self._report(error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, channel: PubSub) -> None:
        """Everything that is published. Raises what ``_AWAY`` names once the connection is lost, or silent."""
        await channel.subscribe(self._channel)
        is_asked = False
        while True:
            message = await channel.get_message(timeout=HEARTBEAT_SECONDS)
            if message is None:
                if is_asked:
                    raise TimeoutError(f"no answer within {HEARTBEAT_SECONDS} s")
                await channel.ping()
            elif message["type"] == "subscribe":
                self._begin()
            elif message["type"] == "message":
                self._pass_on(message["data"])
            is_asked = message is None

    def _begin(self) -> None:
        """The server has confirmed the subscription. Whoever is here already has come, or stayed, without one."""
        self._own.mark_all_missed()
        self._is_deaf = False
        self._listening.set()
        self._report()

    def _pass_on(self, data: bytes) -> None:
        try:
            sender, event_id, changes = orjson.loads(data)
            told = [TicketChange(TicketChangeKind(kind), ticket_id) for kind, ticket_id in changes]
        except (ValueError, TypeError):
            self._own.mark_all_missed()  # of another version of the platform, which means something by it
            return
        if sender == self._name:
            return
        if event_id is None:
            self._own.mark_all_missed()
        else:
            self._own.deliver(event_id, told)

    def _report(self, error: Exception | None = None) -> None:
        """One line when Redis is lost, whichever way it was noticed, and one when it serves both ways again."""
        is_away = self._is_deaf or self._is_mute
        if is_away is self._is_told_away:
            return
        self._is_told_away = is_away
        if is_away:
            logger.warning(
                "Redis is lost (%s: %s) for subscriptions: they hear of their own process alone",
                type(error).__name__,
                error,
            )
        else:
            logger.warning("Redis is back for subscriptions: they hear of all processes again")
