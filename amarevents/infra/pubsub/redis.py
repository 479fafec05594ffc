"""The broker for deployments with several processes, through one Redis channel.

Each process publishes to the channel, and reads it from its first subscription on.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Coroutine, Sequence

import orjson
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from amarevents.infra.pubsub.base import Subscriber, TicketChange
from amarevents.infra.pubsub.memory import MemoryBroker
from amarevents.infra.redis import redis_client, redis_reader
from amarevents.models.enums import TicketChangeKind

RETRY_SECONDS = 0.5
"""The pause between two attempts to reach an unavailable server."""

HEARTBEAT_SECONDS = 5.0
"""The time without a message after which the server is pinged, and within which it must reply."""

CONNECT_SECONDS = 1.0
"""How long a new subscriber waits for the connection; without it, it receives the changes of this process only."""

_UNAVAILABLE = (RedisError, OSError)  # OSError includes TimeoutError

logger = logging.getLogger(__name__)


class RedisBroker:
    """Delivers changes within this process at once, and to other processes while Redis is available.

    Losses are made known: a process that could not publish informs all others as soon as it can again, and a process
    whose connection was interrupted marks its own subscribers.
    """

    def __init__(self, url: str) -> None:
        self._local = MemoryBroker()
        self._url = url
        self._client = redis_client(url)
        # Channels are shared by all databases of a Redis server, so the name contains the database's number.
        self._channel = f"amarevents:changes:{self._client.connection_pool.connection_kwargs.get('db', 0)}"
        self._sender_id = secrets.token_hex(8)
        self._reader: asyncio.Task[None] | None = None
        self._is_reading = asyncio.Event()
        self._reader_failed = False
        self._publisher_failed = False
        self._reported_unavailable = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        self._local.deliver(event_id, changes)
        if self._publisher_failed:
            return
        # In a separate task, which continues if the request is cancelled.
        await asyncio.wait([self._start(self._publish(event_id, changes))])

    @contextlib.asynccontextmanager
    async def subscribe(self, event_id: int) -> AsyncIterator[Subscriber]:
        await self._ensure_reader()
        async with self._local.subscribe(event_id) as subscriber:
            yield subscriber

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._local.aclose()
        await self._client.aclose()

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Publishing -------------------------------------------------------------------------------------------------

    async def _publish(self, event_id: int, changes: Sequence[TicketChange]) -> None:
        try:
            await self._send(event_id, changes)
        except _UNAVAILABLE as error:
            if not self._publisher_failed:
                self._publisher_failed = True
                self._log_availability(error)
                self._start(self._resume_publishing())

    async def _send(self, event_id: int | None, changes: Sequence[TicketChange]) -> None:
        """Send a message to all processes. Without an event, it says that changes may have been lost."""
        message = [self._sender_id, event_id, [[kind, ticket_id] for kind, ticket_id in changes]]
        await self._client.publish(self._channel, orjson.dumps(message))

    async def _resume_publishing(self) -> None:
        """Retry until all other processes know that they may have missed changes."""
        while self._publisher_failed:
            await asyncio.sleep(RETRY_SECONDS)
            self._publisher_failed = False  # before sending, so that changes from now on are published again
            try:
                await self._send(None, [])
            except _UNAVAILABLE:
                self._publisher_failed = True
        self._log_availability()

    # Reading ----------------------------------------------------------------------------------------------------

    async def _ensure_reader(self) -> None:
        if self._reader is None:
            self._reader = self._start(self._read())
        if not self._reader_failed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._is_reading.wait()

    async def _read(self) -> None:
        while True:
            try:
                async with redis_reader(self._url) as client, client.pubsub() as channel:
                    await self._read_channel(channel)
            except _UNAVAILABLE as error:
                self._reader_failed = True
                self._is_reading.clear()
                self._log_availability(error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _read_channel(self, channel: PubSub) -> None:
        """Handle all messages of the channel. Raises an error when the connection is lost or does not respond."""
        await channel.subscribe(self._channel)
        is_pinged = False
        while True:
            message = await channel.get_message(timeout=HEARTBEAT_SECONDS)
            if message is None:
                if is_pinged:
                    raise TimeoutError(f"no reply within {HEARTBEAT_SECONDS} s")
                await channel.ping()
            elif message["type"] == "subscribe":
                self._confirm_subscription()
            elif message["type"] == "message":
                self._handle_message(message["data"])
            is_pinged = message is None

    def _confirm_subscription(self) -> None:
        """Record that the server confirmed the subscription. Existing subscribers may have missed changes before."""
        self._local.mark_all_missed()
        self._reader_failed = False
        self._is_reading.set()
        self._log_availability()

    def _handle_message(self, data: bytes) -> None:
        try:
            sender_id, event_id, items = orjson.loads(data)
            changes = [TicketChange(TicketChangeKind(kind), ticket_id) for kind, ticket_id in items]
        except (ValueError, TypeError):
            # From another version of the platform, during a deployment.
            self._local.mark_all_missed()
            return
        if sender_id == self._sender_id:
            return
        if event_id is None:
            self._local.mark_all_missed()
        else:
            self._local.deliver(event_id, changes)

    def _log_availability(self, error: Exception | None = None) -> None:
        """Log once when reading or publishing starts to fail, and once when both work again."""
        is_unavailable = self._reader_failed or self._publisher_failed
        if is_unavailable is self._reported_unavailable:
            return
        self._reported_unavailable = is_unavailable
        if is_unavailable:
            logger.warning(
                "Redis is unavailable (%s: %s); subscriptions receive the changes of their own process only",
                type(error).__name__,
                error,
            )
        else:
            logger.warning("Redis is available again; subscriptions receive the changes of all processes")
