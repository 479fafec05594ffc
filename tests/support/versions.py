"""The versions of tables in tests: when those of other processes are known."""

import asyncio

from amarevents.infra.versions import Versions


async def wait_until_informed(versions: Versions) -> None:
    """Wait until the changes of other processes arrive."""
    async with asyncio.timeout(5):
        while not versions.is_informed:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
