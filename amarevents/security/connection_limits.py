"""What stays open for long, WebSockets and event streams: so many for each owner, until the process stops."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator

from amarevents import errors
from amarevents.security.policy import Account
from amarevents.security.rate_limit.quotas import client_network

MAX_PER_ADDRESS = 200
"""In one process; many people may share an address."""

MAX_PER_ACCOUNT = 40
"""In one process, over all keys and sessions of the account."""

MAX_SUBSCRIPTIONS = 100
"""Subscriptions under way, of an account in one process, over all its connections: what is delivered costs nothing."""

FREE_MESSAGES = 100
"""Frames or messages of one connection that ask for nothing, such as pings."""

FREE_MESSAGES_PER_SECOND = 10.0
"""The same, on and on."""

SHUTDOWN_SECONDS = 2.0
"""How long a process that stops waits for what is open to end by itself; a client may not read."""


class TokenBucket:
    """With what a connection is sent that costs its sender nothing: a bucket of tokens, which fills up again."""

    def __init__(self) -> None:
        self._left = float(FREE_MESSAGES)
        self._filled_at = time.monotonic()

    def consume(self, number: int = 1) -> bool:
        """Whether so many more may come; those that may not are not counted."""
        now = time.monotonic()
        self._left = min(FREE_MESSAGES, self._left + FREE_MESSAGES_PER_SECOND * (now - self._filled_at))
        self._filled_at = now
        if number > self._left:
            return False
        self._left -= number
        return True


class Connections:
    """``stopping`` is set as soon as the process is to stop: what is open is to end by itself then."""

    def __init__(self) -> None:
        self.shutting_down = asyncio.Event()
        self._open: Counter[str] = Counter()
        self._all_closed = asyncio.Event()

    async def shut_down(self) -> None:
        """Have all that is open end, and wait until it has."""
        self.shutting_down.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                while self._open:
                    self._all_closed.clear()
                    await self._all_closed.wait()

    @contextlib.contextmanager
    def for_address(self, address: str) -> Iterator[None]:
        """One more for as long as the block takes. Raises TooManyConnections."""
        with self._one_more(f"address:{client_network(address)}", MAX_PER_ADDRESS):
            yield

    @contextlib.contextmanager
    def for_account(self, account: Account | None) -> Iterator[None]:
        """The same for an account, beside its address; nobody has none. Raises TooManyConnections."""
        with contextlib.nullcontext() if account is None else self._one_more(f"account:{account.id}", MAX_PER_ACCOUNT):
            yield

    @contextlib.contextmanager
    def for_subscription(self, account: Account) -> Iterator[None]:
        """One more subscription under way for as long as the block takes. Raises TooManyOperations."""
        refused = errors.TooManyOperations(MAX_SUBSCRIPTIONS, "An account")
        with self._one_more(f"follower:{account.id}", MAX_SUBSCRIPTIONS, refused):
            yield

    @contextlib.contextmanager
    def _one_more(self, owner: str, limit: int, refused: errors.AmarEventsError | None = None) -> Iterator[None]:
        if self._open[owner] >= limit:
            raise refused or errors.TooManyConnections
        self._open[owner] += 1
        try:
            yield
        finally:
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]
            if not self._open:
                self._all_closed.set()
