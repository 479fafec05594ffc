"""The application under test on a real socket, in the loop of the tests: clients that know no ASGI can speak to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from tests.servers import HOST, free_port


@asynccontextmanager
async def listening(app: Starlette) -> AsyncIterator[str]:
    """Serve the app, whose lifespan is already running, until the block ends; yields host and port."""
    config = uvicorn.Config(app, host=HOST, port=free_port(), lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done(), "the server has ended before it began"
            await asyncio.sleep(0.01)
        yield f"{HOST}:{config.port}"
    finally:
        server.should_exit = True
        await serving
