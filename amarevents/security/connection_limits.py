"""Limits on long-lived connections (WebSockets and event streams), and their orderly end at shutdown."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator

from amarevents import errors
from amarevents.security.policy import Account
from amarevents.security.rate_limit.quotas import client_network

MAX_PER_ADDRESS = 200
"""Connections from one address to one process. Generous, because many people may share an address."""

MAX_PER_ACCOUNT = 40
"""Connections of one account to one process, over all its keys and sessions."""

MAX_SUBSCRIPTIONS = 100
"""Active subscriptions of one account in one process, over all its connections: events are delivered free of charge."""

FREE_MESSAGES = 100
"""The burst of free messages, such as pings, that one connection may send: the capacity of its token bucket."""

FREE_MESSAGES_PER_SECOND = 10.0
"""The sustained rate of free messages: how fast the token bucket of a connection is refilled."""

SHUTDOWN_SECONDS = 2.0
"""How long a process waits at shutdown for open connections to close; clients that do not read may not."""


class TokenBucket:
    """A limit on the messages of one connection that are not charged to a rate limit budget."""

    def __init__(self) -> None:
        self._tokens = float(FREE_MESSAGES)
        self._refilled_at = time.monotonic()

    def consume(self, number: int = 1) -> bool:
        """Take this many tokens and return True, or take none and return False if there are fewer."""
        now = time.monotonic()
        self._tokens = min(FREE_MESSAGES, self._tokens + FREE_MESSAGES_PER_SECOND * (now - self._refilled_at))
        self._refilled_at = now
        if number > self._tokens:
            return False
        self._tokens -= number
        return True


class Connections:
    """The long-lived connections of this process. ``shutting_down`` is set when all of them should close themselves."""

    def __init__(self) -> None:
        self.shutting_down = asyncio.Event()
        self._open: Counter[str] = Counter()
        self._all_closed = asyncio.Event()

    async def shut_down(self) -> None:
        """Ask all connections to close, and wait up to ``SHUTDOWN_SECONDS`` until they have."""
        self.shutting_down.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                while self._open:
                    self._all_closed.clear()
                    await self._all_closed.wait()

    @contextlib.contextmanager
    def for_address(self, address: str) -> Iterator[None]:
        """Count a connection of the address while the block runs. Raises TooManyConnections."""
        with self._count(f"address:{client_network(address)}", MAX_PER_ADDRESS):
            yield

    @contextlib.contextmanager
    def for_account(self, account: Account | None) -> Iterator[None]:
        """Count a connection of the account, if any, while the block runs. Raises TooManyConnections."""
        with contextlib.nullcontext() if account is None else self._count(f"account:{account.id}", MAX_PER_ACCOUNT):
            yield

    @contextlib.contextmanager
    def for_subscription(self, account: Account) -> Iterator[None]:
        """Count a subscription of the account while the block runs. Raises TooManyOperations."""
        error = errors.TooManyOperations(MAX_SUBSCRIPTIONS, "An account")
        with self._count(f"subscriptions:{account.id}", MAX_SUBSCRIPTIONS, error):
            yield

    @contextlib.contextmanager
    def _count(self, owner: str, limit: int, error: errors.AmarEventsError | None = None) -> Iterator[None]:
        if self._open[owner] >= limit:
            raise error or errors.TooManyConnections
        self._open[owner] += 1
        try:
            yield
        finally:
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]
            if not self._open:
                self._all_closed.set()
