"""Redis clients with short timeouts, because nothing that Redis stores is essential."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

SOCKET_TIMEOUT = 0.25
"""Seconds that one attempt to connect or to read a response may take."""

MAX_CONNECTIONS = 32
"""Connections per client. The server executes one command at a time, so more would not help."""

POOL_TIMEOUT = 1.0
"""Seconds to wait for a free connection before raising a connection error."""


def redis_client(url: str) -> Redis:
    """Return a client for ``url`` (redis://, rediss:// or unix://), not yet connected; close it with ``aclose()``.

    If the connection fails, a command is sent once more on a new one, so that a restart of the server causes no errors.
    Commands can therefore be executed twice and must be idempotent enough for that. The defaults of the library would
    retry ten times with pauses and refuse the 101st simultaneous command. Use ``redis_reader`` for subscriptions.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=POOL_TIMEOUT,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )
    return Redis.from_pool(pool)


def redis_reader(url: str) -> Redis:
    """Return a client with one connection that waits for messages without a time limit and is not re-established.

    Connecting has the usual time limit. Close it with ``aclose()``, or use it as a context.
    """
    return Redis.from_url(
        url, socket_timeout=SOCKET_TIMEOUT, socket_connect_timeout=SOCKET_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )
