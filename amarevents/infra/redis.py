"""The one way to connect to Redis: never waiting long, because everything kept there can be done without."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

SOCKET_TIMEOUT = 0.25
"""Seconds that one attempt to connect, or to get an answer, may take."""

MAX_CONNECTIONS = 32
"""Per client. The server works on one command at a time; more connections only make it juggle."""

POOL_TIMEOUT = 1.0
"""Seconds to wait for a free connection in a burst, before that too is a connection error."""


def redis_client(url: str) -> Redis:
    """A client for ``url`` (redis://, rediss:// or unix://), not yet connected; end it with ``aclose()``.

    A command that fails with its connection is sent once more on a new one, so that a restart of the server costs no
    error. It may therefore be carried out twice: send only what bears that. The library's own defaults would retry
    ten times with pauses (seconds for each command while the server is away) and refuse the 101st simultaneous command.
    Whoever subscribes does so through ``redis_reader``.
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
    """A client for one connection that waits for messages as long as it takes; a lost one is an error at once.

    Connecting may take no longer than elsewhere. End it with ``aclose()``, or use it as a context.
    """
    return Redis.from_url(
        url, socket_timeout=SOCKET_TIMEOUT, socket_connect_timeout=SOCKET_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )
