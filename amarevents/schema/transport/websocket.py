"""GraphQL over WebSocket: graphql-transport-ws, for queries, mutations and subscriptions.

Every operation is a request of its own: identified anew, charged, with a context of its own. What a client does wrong
ends its connection with the protocol's code (44xx); what an operation does wrong ends the operation.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from amarevents import errors
from amarevents.schema.core.errors import cause_of, presented, refusal
from amarevents.schema.execution.documents import MAX_ERRORS
from amarevents.schema.transport.operations import GraphQLRequest, serialize_result, stream
from amarevents.schema.transport.websocket_messages import (
    PROTOCOL,
    ClientMessage,
    InvalidMessage,
    MessageType,
    parse_message,
)
from amarevents.security.authenticator import authenticate_connection_init, authenticate_operation
from amarevents.security.connection_limits import TokenBucket
from amarevents.security.context import Context
from amarevents.security.error_reporting import log_failure, public_error
from amarevents.security.middleware import context_of

INIT_SECONDS = 10.0
"""From the handshake to the first message of a client that means it."""

SEND_SECONDS = 5.0
"""How long a message may wait for a client that does not read; what it tells may be nobody's business any more then."""

MAX_OPERATIONS = 20
"""Under way at once, over one connection."""

_CLOSE_SECONDS = 1.0
_MAX_REASON = 120  # bytes; a frame that closes has no room for more

GOING_AWAY, FLOODED, TRY_LATER = 1001, 1008, 1013
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NO_SUBPROTOCOL = 4400, 4401, 4403, 4406
INIT_TIMEOUT, DUPLICATE_ID, SECOND_INIT = 4408, 4409, 4429

# Any below: JSON values.


class _Ended(Exception):
    """The connection is to be closed; without a ``code`` it is closed already."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        self.code = code
        self.reason = reason.encode()[:_MAX_REASON].decode(errors="ignore")
        super().__init__(reason)


class GraphQLWebSocket:
    """The ASGI application behind ``/graphql`` for WebSockets."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket, context = WebSocket(scope, receive, send), context_of(scope)
        is_spoken = PROTOCOL in scope["subprotocols"]
        with context.services.connections.for_address(context.address):
            try:
                await websocket.accept(PROTOCOL if is_spoken else None)
            except OSError:
                return  # the client has left during the handshake
            connection = _Connection(websocket, context)
            if is_spoken:
                await connection.serve()
            else:
                await connection.close(NO_SUBPROTOCOL, f"The subprotocol is {PROTOCOL}")


class _Connection:
    """One accepted WebSocket. ``context`` is who speaks; its operations have contexts of their own."""

    def __init__(self, websocket: WebSocket, context: Context) -> None:
        self._websocket = websocket
        self._context = context
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._free_messages = TokenBucket()

    async def serve(self) -> None:
        """Until either side ends it, or the process stops; then nothing of it goes on."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._end_with_the_process())
                tasks.create_task(self._converse(tasks))
        except* _Ended as ended:
            first = ended.exceptions[0]
            assert isinstance(first, _Ended)  # noqa: S101 - for the type checker; tasks are not nested
            if first.code is not None:
                await self.close(first.code, first.reason)

    async def _end_with_the_process(self) -> None:
        await self._context.services.connections.shutting_down.wait()
        raise _Ended(GOING_AWAY, "The server is stopping; connect again")

    async def close(self, code: int, reason: str) -> None:
        """Whoever does not read is not waited for either."""
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, WebSocketDisconnected):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._websocket.close(code, reason)

    # What the client says ---------------------------------------------------------------------------------------

    async def _converse(self, tasks: asyncio.TaskGroup) -> None:
        await self._initialise()
        with self._counted_for_account():
            await self._send({"type": "connection_ack"})
            while True:
                frame = await self._receive()
                if frame.kind is MessageType.CONNECTION_INIT:
                    raise _Ended(SECOND_INIT, "Too many initialisation requests")
                await self._heed(frame, tasks)

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while (frame := await self._receive()).kind is not MessageType.CONNECTION_INIT:
                    if frame.kind is MessageType.SUBSCRIBE:
                        raise _Ended(UNAUTHORIZED, "Send connection_init first")
                    await self._heed_beside(frame)
        except TimeoutError as error:
            raise _Ended(INIT_TIMEOUT, "Connection initialisation timeout") from error
        try:
            await authenticate_connection_init(self._context, frame.payload)
        except (errors.Unauthenticated, errors.Forbidden) as refused:
            raise _rejected(refused) from refused

    @contextlib.contextmanager
    def _counted_for_account(self) -> Iterator[None]:
        with contextlib.ExitStack() as counted:
            try:
                counted.enter_context(self._context.services.connections.for_account(self._context.principal.account))
            except errors.TooManyConnections as refused:
                raise _Ended(TRY_LATER, refused.text) from refused
            yield

    async def _receive(self) -> ClientMessage:
        await asyncio.sleep(0)  # others have their turn, however many messages of this one wait
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise _Ended
        if message.get("text") is None:
            raise _Ended(BAD_REQUEST, "A message must be a text, not bytes")
        try:
            return parse_message(message["text"])
        except InvalidMessage as error:
            raise _Ended(BAD_REQUEST, str(error)) from error

    async def _heed(self, frame: ClientMessage, tasks: asyncio.TaskGroup) -> None:
        if frame.asked is None:
            await self._heed_beside(frame)
        elif frame.id in self._operations:
            raise _Ended(DUPLICATE_ID, f"Subscriber for {frame.id} already exists")
        elif len(self._operations) < MAX_OPERATIONS:
            self._operations[frame.id] = tasks.create_task(self._operate(frame.id, frame.asked))
        else:
            await self._refuse_one_more(frame.id)

    async def _heed_beside(self, frame: ClientMessage) -> None:
        """What asks for no work, and is not charged: it ends the connection where there is too much of it.

        Whatever is completed may have ended by itself already.
        """
        if frame.kind is MessageType.COMPLETE and (operation := self._operations.pop(frame.id, None)) is not None:
            operation.cancel()
        elif not self._free_messages.consume():
            raise _Ended(FLOODED, "Too many messages that ask for nothing")
        elif frame.kind is MessageType.PING:
            await self._send({"type": "pong", "payload": frame.payload} if frame.payload else {"type": "pong"})

    # What it is answered ----------------------------------------------------------------------------------------

    async def _operate(self, identifier: str, asked: GraphQLRequest) -> None:
        """One operation, from its charge to the message that ends it."""
        failure = await self._failure_of(self._perform(identifier, asked))
        # Before its end is told: the client may use the id again as soon as it reads that.
        self._operations.pop(identifier, None)
        await self._end(identifier, failure)

    async def _refuse_one_more(self, identifier: str) -> None:
        await self._end(identifier, await self._failure_of(self._charge_one_more()))

    async def _charge_one_more(self) -> None:
        """Refused it is, but not for nothing."""
        request = await authenticate_operation(self._context)
        await request.charge()
        raise errors.TooManyOperations(MAX_OPERATIONS)

    async def _perform(self, identifier: str, asked: GraphQLRequest) -> None:
        """Send the operation's results. Raises what it fails with, _NotExecuted where the schema says so."""
        request = await authenticate_operation(self._context)
        try:
            outcome = await stream(asked, request, allowed=list(OperationType))
        finally:
            await request.charge_minimum()
        if isinstance(outcome, ExecutionResult):
            raise _NotExecuted(outcome)
        async with contextlib.aclosing(outcome) as results:
            async for result in results:
                if result.data is None and result.errors:
                    raise _NotExecuted(result)  # a subscription that has ended otherwise than by itself
                await self._send({"id": identifier, "type": "next", "payload": serialize_result(result)})

    async def _failure_of(self, work: Coroutine[Any, Any, None]) -> "_Failure | None":
        """What some work fails with; logged here, where it was not foreseen."""
        try:
            await work
        except _Ended:
            raise
        except _NotExecuted as refused:
            shown_errors = [presented(error) for error in refused.failures[:MAX_ERRORS]]
            return _Failure(cause_of(refused.failures[0]), shown_errors)
        except Exception as failure:
            log_failure(failure, self._context.request_id, "WebSocket operation")
            known = public_error(failure)
            return _Failure(known, [refusal(known)])
        return None

    async def _end(self, identifier: str, failure: "_Failure | None") -> None:
        """Tell how an operation has ended; with the caller's credential, the connection ends as well."""
        if failure is None:
            await self._send({"id": identifier, "type": "complete"})
            return
        await self._send({"id": identifier, "type": "error", "payload": failure.shown})
        is_known = self._context.credential is not None
        if is_known and isinstance(failure.cause, errors.Unauthenticated | errors.RoleLost):
            raise _rejected(failure.cause)

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(orjson.dumps(message).decode())
        except TimeoutError as error:
            raise _Ended(TRY_LATER, "The client does not read what it is sent") from error
        except (WebSocketDisconnect, WebSocketDisconnected) as error:
            raise _Ended from error


class _NotExecuted(Exception):
    """A result that says why there is none."""

    def __init__(self, result: ExecutionResult) -> None:
        self.failures = result.errors or []
        super().__init__()


@dataclass(frozen=True, slots=True)
class _Failure:
    """``shown``: the errors as the client sees them, of which ``cause`` is the first one's."""

    cause: Exception | None
    shown: list[dict[str, Any]]


def _rejected(refused: errors.AmarEventsError) -> _Ended:
    code = UNAUTHORIZED if isinstance(refused, errors.Unauthenticated) else FORBIDDEN
    return _Ended(code, refused.text)
