"""GraphQL over WebSocket: the graphql-transport-ws protocol, for queries, mutations and subscriptions.

Each operation is a request of its own, with its own context: it is authenticated and charged separately. A violation
of the protocol closes the connection with the protocol's code (44xx); an error in an operation ends the operation.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import OperationType
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected
from strawberry.types import ExecutionResult

from amarevents import errors
from amarevents.schema.core.errors import cause_of, format_error, format_request_error
from amarevents.schema.core.json import encode_json
from amarevents.schema.execution.documents import MAX_ERRORS
from amarevents.schema.transport.operations import GraphQLRequest, execute_stream, serialize_result
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
"""How long the server waits for the connection_init message."""

SEND_SECONDS = 5.0
"""How long a message waits for a slow client. The client's right to see its content may end at any time."""

MAX_OPERATIONS = 20
"""The number of operations that one connection can execute at the same time."""

_CLOSE_SECONDS = 1.0
_MAX_REASON = 120  # bytes; the limit of a close frame is 123

GOING_AWAY, FLOODED, TRY_LATER = 1001, 1008, 1013
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NO_SUBPROTOCOL = 4400, 4401, 4403, 4406
INIT_TIMEOUT, DUPLICATE_ID, SECOND_INIT = 4408, 4409, 4429


class _CloseConnection(Exception):
    """Ends the connection: with this close code and reason, or without if it is closed already."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        self.code = code
        self.reason = reason.encode()[:_MAX_REASON].decode(errors="ignore")
        super().__init__(reason)


class GraphQLWebSocket:
    """The ASGI application at ``/graphql`` for WebSockets."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket, context = WebSocket(scope, receive, send), context_of(scope)
        is_supported = PROTOCOL in scope["subprotocols"]
        with context.services.connections.for_address(context.address):
            try:
                await websocket.accept(PROTOCOL if is_supported else None)
            except OSError:
                return  # the client disconnected during the handshake
            connection = _Connection(websocket, context)
            if is_supported:
                await connection.serve()
            else:
                await connection.close(NO_SUBPROTOCOL, f"Use the subprotocol {PROTOCOL}")


class _Connection:
    """An accepted WebSocket. ``context`` is that of the connection; each operation has its own."""

    def __init__(self, websocket: WebSocket, context: Context) -> None:
        self._websocket = websocket
        self._context = context
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._free_messages = TokenBucket()

    async def serve(self) -> None:
        """Serve the connection until the client or the server ends it, then cancel its operations."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._close_at_shutdown())
                tasks.create_task(self._receive_messages(tasks))
        except* _CloseConnection as group:
            close = group.exceptions[0]
            assert isinstance(close, _CloseConnection)  # noqa: S101 - for the type checker; groups are not nested
            if close.code is not None:
                await self.close(close.code, close.reason)

    async def _close_at_shutdown(self) -> None:
        await self._context.services.connections.shutting_down.wait()
        raise _CloseConnection(GOING_AWAY, "The server is shutting down; connect again")

    async def close(self, code: int, reason: str) -> None:
        """Close the connection, without waiting long for a client that does not read."""
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, WebSocketDisconnected):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._websocket.close(code, reason)

    # Messages from the client -----------------------------------------------------------------------------------

    async def _receive_messages(self, tasks: asyncio.TaskGroup) -> None:
        await self._initialize()
        with self._count_for_account():
            await self._send({"type": "connection_ack"})
            while True:
                message = await self._receive()
                if message.type is MessageType.CONNECTION_INIT:
                    raise _CloseConnection(SECOND_INIT, "Too many initialisation requests")
                await self._handle(message, tasks)

    async def _initialize(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while (message := await self._receive()).type is not MessageType.CONNECTION_INIT:
                    if message.type is MessageType.SUBSCRIBE:
                        raise _CloseConnection(UNAUTHORIZED, "Send connection_init first")
                    await self._handle_free_message(message)
        except TimeoutError as error:
            raise _CloseConnection(INIT_TIMEOUT, "Connection initialisation timeout") from error
        try:
            await authenticate_connection_init(self._context, message.payload)
        except (errors.Unauthenticated, errors.Forbidden) as error:
            raise _unauthorized(error) from error

    @contextlib.contextmanager
    def _count_for_account(self) -> Iterator[None]:
        with contextlib.ExitStack() as until_closed:
            try:
                until_closed.enter_context(
                    self._context.services.connections.for_account(self._context.principal.account)
                )
            except errors.TooManyConnections as error:
                raise _CloseConnection(TRY_LATER, error.text) from error
            yield

    async def _receive(self) -> ClientMessage:
        await asyncio.sleep(0)  # let other tasks run, however many messages of this connection are waiting
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise _CloseConnection
        if event.get("text") is None:
            raise _CloseConnection(BAD_REQUEST, "Messages must be text, not binary")
        try:
            return parse_message(event["text"])
        except InvalidMessage as error:
            raise _CloseConnection(BAD_REQUEST, str(error)) from error

    async def _handle(self, message: ClientMessage, tasks: asyncio.TaskGroup) -> None:
        if message.request is None:
            await self._handle_free_message(message)
        elif message.id in self._operations:
            raise _CloseConnection(DUPLICATE_ID, f"Subscriber for {message.id} already exists")
        elif len(self._operations) < MAX_OPERATIONS:
            self._operations[message.id] = tasks.create_task(self._run_operation(message.id, message.request))
        else:
            await self._refuse_operation(message.id)

    async def _handle_free_message(self, message: ClientMessage) -> None:
        """Handle a message that is not charged; close the connection if there are too many of them.

        A complete message may be for an operation that has ended already.
        """
        if message.type is MessageType.COMPLETE and (operation := self._operations.pop(message.id, None)) is not None:
            operation.cancel()
        elif not self._free_messages.consume():
            raise _CloseConnection(FLOODED, "Too many messages that are not operations")
        elif message.type is MessageType.PING:
            await self._send({"type": "pong", "payload": message.payload} if message.payload else {"type": "pong"})

    # Messages to the client -------------------------------------------------------------------------------------

    async def _run_operation(self, identifier: str, request: GraphQLRequest) -> None:
        """Execute one operation, from its authentication to the message that ends it."""
        failure = await self._catch_failure(self._execute(identifier, request))
        # Before the last message is sent: the client may reuse the ID as soon as it receives it.
        self._operations.pop(identifier, None)
        await self._end_operation(identifier, failure)

    async def _refuse_operation(self, identifier: str) -> None:
        await self._end_operation(identifier, await self._catch_failure(self._charge_refusal()))

    async def _charge_refusal(self) -> None:
        """Raise TooManyOperations after charging the operation."""
        context = await authenticate_operation(self._context)
        await context.charge()
        raise errors.TooManyOperations(MAX_OPERATIONS)

    async def _execute(self, identifier: str, request: GraphQLRequest) -> None:
        """Send the operation's results. Raises _ResultWithoutData, and what the operation raises."""
        context = await authenticate_operation(self._context)
        try:
            outcome = await execute_stream(request, context, allowed=list(OperationType))
        finally:
            await context.charge_minimum()
        if isinstance(outcome, ExecutionResult):
            raise _ResultWithoutData(outcome)
        async with contextlib.aclosing(outcome) as results:
            async for result in results:
                if result.data is None and result.errors:
                    raise _ResultWithoutData(result)  # an error has ended the subscription
                await self._send({"id": identifier, "type": "next", "payload": serialize_result(result)})

    async def _catch_failure(self, work: Coroutine[object, object, None]) -> "_Failure | None":
        """Return what the work fails with, and log it if it is unexpected."""
        try:
            await work
        except _CloseConnection:
            raise
        except _ResultWithoutData as result:
            formatted = [format_error(error) for error in result.failures[:MAX_ERRORS]]
            return _Failure(cause_of(result.failures[0]), formatted)
        except Exception as failure:
            log_failure(failure, self._context.request_id, "WebSocket operation")
            error = public_error(failure)
            return _Failure(error, [format_request_error(error)])
        return None

    async def _end_operation(self, identifier: str, failure: "_Failure | None") -> None:
        """Send how an operation has ended. If the credential is no longer valid, close the connection as well."""
        if failure is None:
            await self._send({"id": identifier, "type": "complete"})
            return
        await self._send({"id": identifier, "type": "error", "payload": failure.formatted_errors})
        has_credential = self._context.credential is not None
        if has_credential and isinstance(failure.cause, errors.Unauthenticated | errors.RoleLost):
            raise _unauthorized(failure.cause)

    async def _send(self, message: Mapping[str, object]) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(encode_json(message).decode())
        except TimeoutError as error:
            raise _CloseConnection(TRY_LATER, "The client reads its messages too slowly") from error
        except (WebSocketDisconnect, WebSocketDisconnected) as error:
            raise _CloseConnection from error


class _ResultWithoutData(Exception):
    """A result that consists of errors only."""

    def __init__(self, result: ExecutionResult) -> None:
        self.failures = result.errors or []
        super().__init__()


@dataclass(frozen=True, slots=True)
class _Failure:
    """The errors that end an operation, as the client sees them; ``cause`` is that of the first one."""

    cause: Exception | None
    formatted_errors: Sequence[Mapping[str, object]]


def _unauthorized(error: errors.AmarEventsError) -> _CloseConnection:
    code = UNAUTHORIZED if isinstance(error, errors.Unauthenticated) else FORBIDDEN
    return _CloseConnection(code, error.text)
