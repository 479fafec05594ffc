"""One request stops half way while others are answered: the order of what happens is the test's, not the clock's."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import httpx
import pytest

T = TypeVar("T")

_SECONDS = 5  # at most, until the request has come to where it stops


class Pause:
    """``stop_before`` and ``stop_after`` say where; ``during`` makes the request and others while it stands there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._reached = asyncio.Event()
        self._resumed = asyncio.Event()

    # Any: the functions stopped at have arguments of their own.

    def stop_before(self, module: object, name: str) -> None:
        function: Callable[..., Awaitable[Any]] = getattr(module, name)

        async def stopped(*arguments: Any, **options: Any) -> Any:
            await self.stop()
            return await function(*arguments, **options)

        self._monkeypatch.setattr(module, name, stopped)

    def stop_after(self, module: object, name: str) -> None:
        function: Callable[..., Awaitable[Any]] = getattr(module, name)

        async def stopped(*arguments: Any, **options: Any) -> Any:
            result = await function(*arguments, **options)
            await self.stop()
            return result

        self._monkeypatch.setattr(module, name, stopped)

    async def during(
        self, request: Coroutine[Any, Any, httpx.Response], meanwhile: Awaitable[T]
    ) -> tuple[httpx.Response, T]:
        """Both answers; ``meanwhile`` is over before the request goes on."""
        stopping = asyncio.create_task(request)
        async with asyncio.timeout(_SECONDS):
            await self._reached.wait()
        other = await meanwhile
        self._resumed.set()
        return await stopping, other

    async def stop(self) -> None:
        """The first to come here waits; whoever comes after it passes."""
        if not self._reached.is_set():
            self._reached.set()
            await self._resumed.wait()
