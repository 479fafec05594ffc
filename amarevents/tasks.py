"""Work that a cancellation may not interrupt."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def finish(work: Coroutine[Any, Any, T], *, undo: Callable[[T], Awaitable[object]] | None = None) -> T:
    """Run ``work`` to its end even if the caller is cancelled meanwhile; then that cancellation is raised.

    ``undo`` takes back what ``work`` has achieved, its result, if the caller, being cancelled, will never learn of it.
    """
    task = asyncio.create_task(work)
    cancellation = await _wait_for(task)
    if cancellation is None:
        return task.result()
    failure = None if task.cancelled() else task.exception()
    if undo is not None and failure is None and not task.cancelled():
        await _wait_for(asyncio.ensure_future(undo(task.result())))
    raise cancellation from failure


async def _wait_for(task: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Wait until ``task`` is done, and return the last cancellation that came in between, if any."""
    cancellation = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancellation = error
    return cancellation
