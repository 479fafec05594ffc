"""A request that pauses half way while others are answered, so that the test decides the order, not the clock."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest

R = TypeVar("R")
T = TypeVar("T")

_TIMEOUT = 5  # seconds until the request must have reached its pause


class Pause:
    """A pause before or after a function; ``during`` sends a request into it and answers others in that time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._reached = asyncio.Event()
        self._resumed = asyncio.Event()

    # Any: the paused functions have arguments of their own.

    def stop_before(self, module: object, name: str) -> None:
        function: Callable[..., Awaitable[Any]] = getattr(module, name)

        async def paused(*arguments: Any, **options: Any) -> Any:
            await self.stop()
            return await function(*arguments, **options)

        self._monkeypatch.setattr(module, name, paused)

    def stop_after(self, module: object, name: str) -> None:
        function: Callable[..., Awaitable[Any]] = getattr(module, name)

        async def paused(*arguments: Any, **options: Any) -> Any:
            result = await function(*arguments, **options)
            await self.stop()
            return result

        self._monkeypatch.setattr(module, name, paused)

    async def during(self, request: Coroutine[Any, Any, R], other: Awaitable[T]) -> tuple[R, T]:
        """Return both results; ``other`` is complete before the request continues."""
        paused = asyncio.create_task(request)
        async with asyncio.timeout(_TIMEOUT):
            await self._reached.wait()
        result = await other
        self._resumed.set()
        return await paused, result

    async def stop(self) -> None:
        """Wait, if this is the first call; later calls return at once."""
        if not self._reached.is_set():
            self._reached.set()
            await self._resumed.wait()
