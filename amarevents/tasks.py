"""Coroutines that cancellation must not interrupt, and those that no caller waits for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)

# Any below: the send and yield types of a coroutine, which only the event loop uses.


async def finish(work: Coroutine[Any, Any, T], *, undo: Callable[[T], Awaitable[object]] | None = None) -> T:
    """Run ``work`` to completion even if the caller is cancelled, and raise the cancellation afterwards.

    If the caller is cancelled, it does not receive the result, so ``undo`` is called with it.
    """
    task = asyncio.create_task(work)
    cancellation = await _wait_for(task)
    if cancellation is None:
        return task.result()
    failure = None if task.cancelled() else task.exception()
    if undo is not None and failure is None and not task.cancelled():
        await _wait_for(asyncio.ensure_future(undo(task.result())))
    raise cancellation from failure


async def _wait_for(task: asyncio.Future[T]) -> asyncio.CancelledError | None:
    """Wait until ``task`` is done, and return the last cancellation of the caller in the meantime, if any."""
    cancellation = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancellation = error
    return cancellation


class BackgroundTasks:
    """Work that goes on when the request that has started it ends. A failure is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start the work in a task of its own, and return the task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def wait(self) -> None:
        """Wait until all work that has been started is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.error("Background work failed", exc_info=failure)
