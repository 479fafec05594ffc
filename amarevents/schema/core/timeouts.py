"""How long an operation may take (``AMAREVENTS_GRAPHQL_TIMEOUT_SECONDS``), and what is said once that is over.

What is still waited for is given up, field by field; what was done before stays in the answer. Giving up cancels, which
the database's engines survive.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from amarevents import errors

T = TypeVar("T")

_NOT_BEGUN = "The time of this operation was over before this was begun: it has not been done"
_UNCERTAIN = (
    "This operation took longer than it may. What it changes may have been changed all the same: look before you send "
    "it again; with an idempotencyKey you may send it again as it is"
)


class Deadline:
    """``seconds`` from now, for all that one operation waits for; None: whenever it is done.

    ``changes``: it is a mutation, of which nobody is told that it was not done when it may have been.
    """

    def __init__(self, seconds: float | None = None, *, changes: bool = False) -> None:
        self._ends_at = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self._changes = changes

    async def begin(self, work: Callable[[], Awaitable[T]]) -> T:
        """What the work of a root field returns. Raises OperationTimedOut."""
        if self._changes and self._is_over():
            raise errors.OperationTimedOut(_NOT_BEGUN)
        return await self.wait_for(work)

    async def wait_for(self, work: Callable[[], Awaitable[T]]) -> T:
        """What ``work`` returns, begun in any case. Raises OperationTimedOut."""
        try:
            async with asyncio.timeout_at(self._ends_at) as limit:
                return await work()
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise errors.OperationTimedOut(_UNCERTAIN if self._changes else None) from error

    def _is_over(self) -> bool:
        return self._ends_at is not None and asyncio.get_running_loop().time() >= self._ends_at
