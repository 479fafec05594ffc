"""A Redis channel on which the processes of a deployment send messages to each other, and learn what was lost."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Coroutine
from typing import Any

import orjson
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from amarevents.infra.redis import database_number, redis_client, redis_reader
from amarevents.infra.redis_cluster import redis_commands

RETRY_SECONDS = 0.5
"""The pause between two attempts to reach an unavailable server."""

HEARTBEAT_SECONDS = 5.0
"""The time without a message after which the server is pinged, and within which it must reply."""

_UNAVAILABLE = (RedisError, OSError)  # OSError includes TimeoutError

logger = logging.getLogger(__name__)


class RedisChannel:
    """Sends messages to other processes and reads theirs while Redis is available.

    Losses are made known: a process that could not send informs all others as soon as it can again, and a process whose
    connection was interrupted calls its own ``on_loss``. Subclasses handle what arrives.
    """

    def __init__(self, url: str, topic: str) -> None:
        self._url = url
        client = redis_client(url)
        self._commands = redis_commands(client)
        # Channels are shared by all databases of a Redis server, so the name contains the database's number.
        self._channel = f"amarevents:{topic}:{database_number(client)}"
        self._sender_id = secrets.token_hex(8)
        self._reader: asyncio.Task[None] | None = None
        self._is_reading = asyncio.Event()
        self._reader_failed = False
        self._publisher_failed = False
        self._reported_unavailable = False
        self._tasks: set[asyncio.Task[None]] = set()

    def _on_message(self, *parts: Any) -> None:  # Any: JSON of another process
        """Handle a message of another process. Raises ValueError or TypeError if it is not one of this version."""
        raise NotImplementedError

    def _on_loss(self) -> None:
        """Handle that messages of other processes may have been lost."""
        raise NotImplementedError

    def _on_availability(self, error: Exception | None) -> None:
        """Handle that reading or sending has started to fail, or that both work again (no error)."""
        raise NotImplementedError

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._commands.aclose()

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Sending ----------------------------------------------------------------------------------------------------

    async def _send(self, *parts: object) -> None:
        """Send a message to all processes; if Redis is unavailable, they are informed of the loss later."""
        if self._publisher_failed:
            return
        try:
            await self._publish([self._sender_id, *parts])
        except _UNAVAILABLE as error:
            if not self._publisher_failed:
                self._publisher_failed = True
                self._report_availability(error)
                self._start(self._resume_sending())

    async def _publish(self, message: list[object]) -> None:
        await self._commands.execute("PUBLISH", self._channel, orjson.dumps(message))

    async def _resume_sending(self) -> None:
        """Retry until all other processes know that they may have missed messages."""
        while self._publisher_failed:
            await asyncio.sleep(RETRY_SECONDS)
            self._publisher_failed = False  # before sending, so that messages from now on are sent again
            try:
                await self._publish([self._sender_id])
            except _UNAVAILABLE:
                self._publisher_failed = True
        self._report_availability()

    # Reading ----------------------------------------------------------------------------------------------------

    def _start_reading(self) -> None:
        if self._reader is None:
            self._reader = self._start(self._read())

    async def _read(self) -> None:
        while True:
            try:
                async with redis_reader(self._url) as client, client.pubsub() as channel:
                    await self._read_channel(channel)
            except _UNAVAILABLE as error:
                self._reader_failed = True
                self._is_reading.clear()
                self._report_availability(error)
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
        """Record that the server confirmed the subscription. Earlier messages may have been missed."""
        self._on_loss()
        self._reader_failed = False
        self._is_reading.set()
        self._report_availability()

    def _handle_message(self, data: bytes) -> None:
        with contextlib.suppress(ValueError, TypeError):
            sender_id, *parts = orjson.loads(data)
            if sender_id == self._sender_id:
                return
            if parts:
                self._on_message(*parts)
                return
        # The sender has lost some, or this one is from another version of the platform, during a deployment.
        self._on_loss()

    def _report_availability(self, error: Exception | None = None) -> None:
        """Report once that reading or sending starts to fail, and once that both work again."""
        is_unavailable = self._reader_failed or self._publisher_failed
        if is_unavailable is not self._reported_unavailable:
            self._reported_unavailable = is_unavailable
            self._on_availability(error if is_unavailable else None)
