"""Password hashing with Argon2id, never on the thread of the event loop (decisions 8.2)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from amarevents.errors import TemporarilyUnavailable
from amarevents.settings import Settings
from amarevents.text import prepare_password

T = TypeVar("T")

# A small number of simultaneous hashes leaves processor time to other requests; further hashes are queued.
_THREADS = 2
# The length of the queue, worth several seconds of hashing; logins beyond it are refused.
_MAX_WAITING = 200
# One more than threads, so that the look-up of an account leaves no thread idle.
_TURNS = _THREADS + 1
_ARGON2_PREFIX = "$argon2"


class PasswordHasher:
    """Hashes and verifies passwords in separate threads, with the parameters from the settings."""

    def __init__(self, settings: Settings) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=settings.argon2_time_cost, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._waiting = 0
        self._queued = 0
        self._turns = asyncio.Semaphore(_TURNS)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="argon2")
        # Logins with an unknown email are verified against this hash, so that they take as long as others.
        self._decoy = self._argon2.hash("no account has this password")

    async def hash(self, password: str) -> str:
        """Return the hash of a password. Raises TemporarilyUnavailable if the queue is full."""
        return await self._run(lambda: self._argon2.hash(prepare_password(password)))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Return whether the password matches the stored hash; without one, return False after the same time.

        Raises TemporarilyUnavailable if the queue is full.
        """
        return await self._run(lambda: self._matches(stored, password))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until few others verify a password. Raises TemporarilyUnavailable if the queue is full.

        An attempt counts as a failed one until it succeeds. Without turns, a crowd that logs in at the same moment with
        correct passwords would exceed the limit of failed logins.
        """
        if self._queued >= _MAX_WAITING:
            raise TemporarilyUnavailable
        self._queued += 1
        try:
            async with self._turns:
                yield
        finally:
            self._queued -= 1

    async def renew(self, password: str, stored: str) -> str:
        """Return the hash that replaces ``stored``, which the password matches, or ``stored`` if it is up to date.

        A hash is outdated if its parameters differ from the settings, or if it is of the password as it was entered.
        Raises TemporarilyUnavailable if the queue is full.
        """
        if not self._argon2.check_needs_rehash(stored):
            prepared = prepare_password(password)
            if prepared == password or await self._run(lambda: self._verifies(stored, prepared)):
                return stored
        return await self.hash(password)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str | None, password: str) -> bool:
        # The time taken must not reveal whether the account exists and has a password.
        known = stored if stored is not None and stored.startswith(_ARGON2_PREFIX) else None
        # Older hashes are of passwords as they were entered (decisions 1.11).
        entered = dict.fromkeys((prepare_password(password), password))
        return any(self._verifies(known or self._decoy, one) for one in entered) and known is not None

    def _verifies(self, stored: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MAX_WAITING:
            raise TemporarilyUnavailable
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
