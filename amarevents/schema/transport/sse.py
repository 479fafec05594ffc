"""GraphQL as a stream of events over HTTP: graphql-sse, with a connection for each operation."""

import asyncio
import contextlib
from collections.abc import Iterator

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from strawberry.types import ExecutionResult

from amarevents.schema.core.errors import presented
from amarevents.schema.execution.documents import MAX_ERRORS
from amarevents.schema.transport.operations import Results, serialize_result
from amarevents.schema.transport.responses import EVENTS
from amarevents.security.context import Context

KEEP_ALIVE_SECONDS = 10.0
"""Without a word for longer, proxies take a connection for dead."""

_KEEP_ALIVE = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


@contextlib.contextmanager
def counted(context: Context) -> Iterator[None]:
    """A stream among what is open, for as long as the block takes. Raises TooManyConnections."""
    connections = context.services.connections
    with connections.for_address(context.address), connections.for_account(context.principal.account):
        yield


class EventStream(Response):
    """The results of an operation that has begun; ends with it, with the client or with the process.

    ``open_until``: by then it is counted among what is open.
    """

    media_type = EVENTS

    def __init__(self, results: Results, context: Context, open_until: contextlib.ExitStack) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._results = results
        self._context = context
        self._open_until = open_until

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with contextlib.aclosing(self._results):
            with self._open_until:
                await self._send_until_left(receive, send)

    async def _send_until_left(self, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        shutting_down = self._context.services.connections.shutting_down
        while not shutting_down.is_set():
            # A slow reader is waited for before the next result is worked at, so that it is told nothing old.
            await send(_chunk(b""))
            if not await self._results.wait(KEEP_ALIVE_SECONDS, unless=shutting_down):
                await send(_chunk(b"" if shutting_down.is_set() else _KEEP_ALIVE))
                continue
            try:
                result = await anext(self._results)
            except StopAsyncIteration:
                break
            await send(_chunk(_next(result)))
        await send(_chunk(_COMPLETE))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _chunk(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _next(result: ExecutionResult) -> bytes:
    """A result; one that was not executed is a subscription that has ended otherwise than by itself."""
    failures = result.errors or []
    body = (
        serialize_result(result) if result.data else {"errors": [presented(error) for error in failures[:MAX_ERRORS]]}
    )
    return b"event: next\ndata: " + orjson.dumps(body) + b"\n\n"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
