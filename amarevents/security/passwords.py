"""Argon2id, never on the event loop's thread (decisions 8.2)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from amarevents.settings import Settings

T = TypeVar("T")

# As many hashes at once as there are spare cores to compute them; further ones wait their turn.
_THREADS = 2


class PasswordHasher:
    """Hashes and verifies passwords in threads of its own, with the parameters of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=settings.argon2_time_cost, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="argon2")
        # What a login with an unknown email is verified against, so that it takes as long as any other.
        self._decoy = self._argon2.hash("no account has this password")

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password fits the stored hash; with None (no such account) False, after the same time."""
        fits = await self._run(lambda: self._matches(stored or self._decoy, password))
        return fits and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's and should be renewed."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
