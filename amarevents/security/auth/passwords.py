"""Argon2id, never on the event loop's thread (decisions 8.2)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from amarevents.errors import TemporarilyUnavailable
from amarevents.settings import Settings

T = TypeVar("T")

# Few hashes at once leave a core to everything else; further ones wait their turn.
_THREADS = 2
# How many may wait for them, some seconds' worth; a flood of logins beyond is turned away.
_MAX_WAITING = 200
_MARK = "$argon2"


class PasswordHasher:
    """Hashes and verifies passwords in threads of its own, with the parameters of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=settings.argon2_time_cost, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._waiting = 0
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="argon2")
        # What a login with an unknown email is verified against, so that it takes as long as any other.
        self._decoy = self._argon2.hash("no account has this password")

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password fits the stored hash; False, after the same time, where there is none.

        Raises TemporarilyUnavailable, as ``hash`` does, while too many are waiting.
        """
        return await self._run(lambda: self._matches(stored, password))

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's and should be renewed."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str | None, password: str) -> bool:
        # An account that does not exist, or has no password, must not be told by its time.
        known = stored if stored is not None and stored.startswith(_MARK) else None
        try:
            self._argon2.verify(known or self._decoy, password)
        except (VerificationError, InvalidHashError):
            return False
        return known is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MAX_WAITING:
            raise TemporarilyUnavailable
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
