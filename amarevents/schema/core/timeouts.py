"""The time limit of an operation (``AMAREVENTS_GRAPHQL_TIMEOUT_SECONDS``).

When it is over, fields that are still waiting fail one by one, and the data of the others is returned. Their work is
cancelled, which the database engines survive.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from amarevents import errors

T = TypeVar("T")

_NOT_STARTED = "The operation timed out before this mutation started: it has changed nothing"
_UNCERTAIN = (
    "The operation timed out. The mutation may have taken effect: check before you repeat it, or repeat it with the "
    "same idempotencyKey if you sent one"
)


class Deadline:
    """The moment by which an operation has to finish, ``seconds`` from now; None: it has no time limit.

    ``mutates``: the operation is a mutation, whose error must not claim that nothing changed when something may have.
    """

    def __init__(self, seconds: float | None = None, *, mutates: bool = False) -> None:
        self._ends_at = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self._mutates = mutates

    async def start(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of a root field's work; a mutation does not start late. Raises OperationTimedOut."""
        if self._mutates and self._is_over():
            raise errors.OperationTimedOut(_NOT_STARTED)
        return await self.wait_for(work)

    async def wait_for(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of ``work``, which starts even if the time is over. Raises OperationTimedOut."""
        try:
            async with asyncio.timeout_at(self._ends_at) as limit:
                return await work()
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise errors.OperationTimedOut(_UNCERTAIN if self._mutates else None) from error

    def _is_over(self) -> bool:
        return self._ends_at is not None and asyncio.get_running_loop().time() >= self._ends_at
