"""One connection to Redis that all requests of a process share.

Commands of the same tick of the event loop are written together, none of them waits for the reply to another, and
replies are parsed in C. So a command takes a tenth of the processor time of one that borrows a connection from a pool,
and needs no task of its own: a caller that is cancelled only ignores its reply.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from hashlib import sha1
from typing import Any, Protocol, TypeAlias, cast

import hiredis
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

Argument: TypeAlias = str | bytes | int
Reply: TypeAlias = Any  # Any: what a command returns is known to its caller

_NOTHING = object()


class RedisCommands(Protocol):
    """Sends commands, one round trip each. Raises the client's exceptions."""

    @property
    def generation(self) -> int:
        """A number that rises with every new connection: the server may have lost data, or be another one, since."""
        ...

    async def execute(self, *command: Argument) -> Reply:
        """Send a command and return its reply."""
        ...

    async def aclose(self) -> None:
        """Close the client; commands that wait for a reply fail."""
        ...


class RedisPipeline:
    """Commands to the server of a client, with the client's timeouts.

    A command whose connection fails is sent once more on a new one, like those of the client (see ``redis_client``).
    Raises the client's exceptions. ``aclose`` closes the connection and the client.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[_Connection] | None = None
        self.generation = 0

    def __del__(self) -> None:
        """Close the connection of a pipeline that is forgotten, as redis-py does."""
        if self._connection is not None:
            self._connection.close(exceptions.ConnectionError("The pipeline has been deleted"))

    async def execute(self, *command: Argument) -> Reply:
        packed = hiredis.pack_command(cast(tuple[Argument], command))  # hiredis declares a tuple of one
        try:
            return await (await self._connected()).send(packed)
        except (exceptions.ConnectionError, exceptions.TimeoutError):
            return await (await self._connected()).send(packed)

    async def aclose(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self._connection is not None:
            self._connection.close(exceptions.ConnectionError("The connection has been closed"))
        await self._client.aclose()

    async def _connected(self) -> "_Connection":
        if self._connection is not None and self._connection.is_open:
            return self._connection
        if self._connecting is None:
            self._connecting = asyncio.create_task(_connect(self._client))
            self._connecting.add_done_callback(self._use)
        return await asyncio.shield(self._connecting)

    def _use(self, connecting: "asyncio.Task[_Connection]") -> None:
        self._connecting = None
        if not connecting.cancelled() and connecting.exception() is None:
            self._connection = connecting.result()
            self.generation += 1


async def _connect(client: Redis) -> "_Connection":
    """Connect and authenticate with the options of the client, once and without health checks."""
    pool = client.connection_pool
    connection: AbstractConnection = pool.connection_class(**pool.connection_kwargs)
    await connection.connect_check_health(check_health=False, retry_socket_connect=False)
    return _Connection(connection)


class _Connection(asyncio.Protocol):
    """Takes over the stream of a connection that redis-py has opened."""

    def __init__(self, connection: AbstractConnection) -> None:
        # The streams have no public names. Any: they are typed as optional.
        stream: Any = connection._writer  # noqa: SLF001
        self._transport: asyncio.Transport = stream.transport
        self._stream = stream  # which would close the transport if it was garbage collected
        connection._reader = connection._writer = None  # noqa: SLF001 - redis-py would close the stream
        self._loop = asyncio.get_running_loop()
        self._timeout: float | None = connection.socket_timeout
        self._reader = hiredis.Reader(replyError=_reply_error, notEnoughData=_NOTHING)
        self._outgoing: list[bytes] = []
        self._waiting: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.is_open = True
        self._transport.set_protocol(self)

    async def send(self, packed: bytes) -> Reply:
        future = self._loop.create_future()
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(packed)
        self._waiting.append((future, self._loop.time()))
        if self._timer is None and self._timeout is not None:
            self._timer = self._loop.call_later(self._timeout, self._check_timeout, self._timeout)
        try:
            return await future
        finally:
            del future  # an exception refers to this frame, which would refer to the exception

    def close(self, reason: Exception) -> None:
        """Close the stream at once, and fail the commands that wait for a reply."""
        if not self.is_open:
            return
        self.is_open = False
        if self._loop.is_closed():
            return
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()
        for future, _ in self._waiting:
            if not future.done():
                future.set_exception(reason)
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _NOTHING:
                self._handle_reply(reply)
        except hiredis.ProtocolError as error:
            self.close(exceptions.ConnectionError(str(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        self.close(exceptions.ConnectionError(f"Connection closed by the server: {exc}"))

    def _flush(self) -> None:
        if self.is_open:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _handle_reply(self, reply: Reply) -> None:
        if isinstance(reply, hiredis.PushNotification):
            return  # not the reply to a command
        future, _ = self._waiting.popleft()
        if future.done():
            return  # its caller has been cancelled
        if isinstance(reply, Exception):
            future.set_exception(reply)
        else:
            future.set_result(reply)

    def _check_timeout(self, timeout: float) -> None:
        """Close the connection if the oldest command has waited too long: replies come in order."""
        self._timer = None
        if not self._waiting:
            return
        left = self._waiting[0][1] + timeout - self._loop.time()
        if left <= 0:
            self.close(exceptions.TimeoutError(f"no reply within {timeout} s"))
        else:
            self._timer = self._loop.call_later(left, self._check_timeout, timeout)


def _reply_error(text: str) -> exceptions.ResponseError:
    return exceptions.NoScriptError(text) if text.startswith("NOSCRIPT") else exceptions.ResponseError(text)


class Script:
    """A Lua script, which the server keeps under its digest."""

    def __init__(self, commands: RedisCommands, text: str) -> None:
        self._commands = commands
        self._text = text
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, keys: Sequence[str], arguments: Sequence[Argument]) -> Reply:
        """Run the script; the server is sent its text if it does not have it, for example after a restart."""
        try:
            return await self._commands.execute("EVALSHA", self._digest, len(keys), *keys, *arguments)
        except exceptions.NoScriptError:
            return await self._commands.execute("EVAL", self._text, len(keys), *keys, *arguments)
