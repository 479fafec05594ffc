"""GraphQL over Server-Sent Events: the graphql-sse protocol in its mode of one connection per operation."""

import asyncio
import contextlib
from collections.abc import Iterator

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from strawberry.types import ExecutionResult

from amarevents.schema.core.json import encode_json
from amarevents.schema.transport.operations import ResultStream, serialize_result
from amarevents.schema.transport.responses import EVENT_STREAM
from amarevents.security.context import Context

KEEP_ALIVE_SECONDS = 10.0
"""The interval of keep-alive comments, without which proxies close connections that are idle for longer."""

_KEEP_ALIVE = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


@contextlib.contextmanager
def count_connection(context: Context) -> Iterator[None]:
    """Count a connection of the address and the account while the block runs. Raises TooManyConnections."""
    connections = context.services.connections
    with connections.for_address(context.address), connections.for_account(context.principal.account):
        yield


class EventStreamResponse(Response):
    """A response that streams the results of an operation until it ends, the client disconnects or the server stops.

    ``until_closed`` is closed at the end; it holds the count of this connection.
    """

    media_type = EVENT_STREAM

    def __init__(self, results: ResultStream, context: Context, until_closed: contextlib.ExitStack) -> None:
        # Proxies must neither buffer nor compress events, which would delay them.
        super().__init__(headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store, no-transform"})
        del self.headers["content-length"]
        self._results = results
        self._context = context
        self._until_closed = until_closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with contextlib.aclosing(self._results):
            with self._until_closed:
                await self._send_until_disconnect(receive, send)

    async def _send_until_disconnect(self, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        disconnect = asyncio.create_task(_wait_for_disconnect(receive))
        try:
            await asyncio.wait({sending, disconnect}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, disconnect):
                task.cancel()
            await asyncio.gather(sending, disconnect, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        shutting_down = self._context.services.connections.shutting_down
        while not shutting_down.is_set():
            # Wait for a slow client before computing the next result, so that the result is not outdated when sent.
            await send(_chunk(b""))
            if not await self._results.wait(KEEP_ALIVE_SECONDS, unless=shutting_down):
                await send(_chunk(b"" if shutting_down.is_set() else _KEEP_ALIVE))
                continue
            try:
                result = await anext(self._results)
            except StopAsyncIteration:
                break
            await send(_chunk(_next_event(result)))
        await send(_chunk(_COMPLETE))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _chunk(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _next_event(result: ExecutionResult) -> bytes:
    """Return the event of a result. A result without data ends a subscription with its errors."""
    return b"event: next\ndata: " + encode_json(serialize_result(result)) + b"\n\n"


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
