"""The WebSocket protocol class for uvicorn, with protection from floods and from clients that do not read.

Control frames and fragments never reach the application, so they are limited here: a client that sends too many is
disconnected. Neither unread input nor unsent output of a client exceeds one buffer.

The class extends uvicorn's ``WebSocketsSansIOProtocol``, which is not a public API; uvicorn and websockets are
therefore pinned to a minor version in ``pyproject.toml``. It relies on

- ``data_received`` feeding ``conn`` (a ``ServerProtocol`` of websockets) and calling ``handle_events`` afterwards,
- ``read_paused``, set while messages wait in the queue that ``receive`` takes from,
- ``writable``, an event that is cleared while the transport's buffer is full,
- ``handshake_complete``, ``close_sent`` and ``disconnected``, which describe the progress of the connection,
- ``frames`` and ``curr_msg_data_type``, the fragments and the type of the current message, until
  ``send_receive_event_to_app`` joins them,
- ``handle_parser_exception``, which sends the pending close frame and closes the transport,
- ``run_asgi``, which ends with the application, and ``close_timeout``, the time that a close may take.
"""

import asyncio
from typing import TypedDict

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

from amarevents.security.connection_limits import TokenBucket

SLICE = 4_096
"""The bytes that are parsed at once: several hundred of the smallest frames, a few milliseconds of processor time."""

SMALL_FRAGMENT = 1_024
"""Fragments of fewer bytes are limited in number. Larger ones are limited by the maximum size of a message."""

_CONTROL = frozenset({Opcode.PING, Opcode.PONG})


class WebSocketOptions(TypedDict):
    """The options of uvicorn for WebSockets."""

    ws: str
    ws_max_size: int
    ws_per_message_deflate: bool


def websocket_options(max_message_bytes: int) -> WebSocketOptions:
    """Return the uvicorn options that select this protocol class."""
    return {
        "ws": f"{__name__}:{WebSocketProtocol.__name__}",  # by name, so that uvicorn's worker processes can import it
        "ws_max_size": max_message_bytes,
        # Compression needs more memory for each connection than it saves on small messages.
        "ws_per_message_deflate": False,
    }


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with stricter handling of invalid text, floods, and clients that do not read."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._unread = bytearray()
        self._free_messages = TokenBucket()
        self._held_pong: bytes | None = None
        self._abort_timer: asyncio.TimerHandle | None = None

    # Receiving --------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._read()

    def _read(self) -> None:
        """Parse the input in slices until there is a message; the rest waits until the message has been received."""
        while self._unread and not self.read_paused and not self.transport.is_closing():
            data = bytes(self._unread[:SLICE])
            del self._unread[:SLICE]
            super().data_received(data)

    async def receive(self) -> ASGIReceiveEvent:
        message = await super().receive()
        self._read()
        return message

    def handle_events(self) -> None:
        uncounted = sum(isinstance(event, Frame) and self._is_uncounted(event) for event in self.conn.events)
        if self._free_messages.consume(uncounted):
            super().handle_events()
        else:
            self._refuse_flood()

    def _is_uncounted(self, frame: Frame) -> bool:
        """Return whether the application does not receive a frame, for example because it has closed the connection."""
        if frame.opcode is Opcode.CLOSE:
            return False
        is_fragment = not frame.fin and len(frame.data) < SMALL_FRAGMENT
        return frame.opcode in _CONTROL or is_fragment or self.close_sent

    def _refuse_flood(self) -> None:
        """Close the connection with a reason; if it is not open, or already closing, abort it without one."""
        if self.conn.state is State.OPEN:
            self.conn.fail(CloseCode.POLICY_VIOLATION, "Too many frames")
            self.handle_parser_exception()
        else:
            self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        """Close the connection if a text message is not valid UTF-8, which uvicorn would log as an error."""
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    # Sending ----------------------------------------------------------------------------------------------------

    def handle_ping(self) -> None:
        """Keep only the latest pong for a client that does not read; it answers all pings (RFC 6455, section 5.5.3)."""
        if self.writable.is_set() or self.conn.state is not State.OPEN:
            super().handle_ping()
        elif pongs := self.conn.data_to_send():
            self._held_pong = pongs[-1]

    def resume_writing(self) -> None:
        super().resume_writing()
        pong, self._held_pong = self._held_pong, None
        if pong is not None and not self.close_sent and not self.transport.is_closing():
            self.transport.write(pong)

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message. Raises ClientDisconnected also if this class closed the connection."""
        await self.writable.wait()
        if self.handshake_complete and self.transport.is_closing():
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # refused with a response; uvicorn would log an error
        elif message["type"] == "websocket.close":
            self._read()  # the client's close frame may be behind messages that are no longer received

    # Closing ----------------------------------------------------------------------------------------------------

    async def run_asgi(self) -> None:
        """Run the application, and disconnect a client that does not read the end of the connection in time."""
        await super().run_asgi()
        if not self.disconnected:
            self._abort_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        super().connection_lost(exc)


def _is_utf8(data: bytes) -> bool:
    """Return whether the bytes are valid UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
