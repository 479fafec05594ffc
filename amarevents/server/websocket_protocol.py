"""WebSockets below the application: uvicorn's protocol, but for what it takes for an error of its own, and for floods.

What the application does not count is counted here: a client that sends control frames and fragments without end is
closed. No more is read ahead, or kept for a client that does not read, than a buffer's worth.
"""

import asyncio
from typing import Any, TypedDict

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

from amarevents.security.connection_limits import TokenBucket

SLICE = 4_096
"""Bytes read at once: some hundred of the smallest frames, which is a few milliseconds of the processor."""

SMALL_FRAGMENT = 1_024
"""Bytes. Larger fragments are bounded by the size of their message."""

_CONTROL = frozenset({Opcode.PING, Opcode.PONG})


class WebSocketOptions(TypedDict):
    """What uvicorn is told of WebSockets, in its words."""

    ws: str
    ws_max_size: int
    ws_per_message_deflate: bool


def websocket_options(max_message_bytes: int) -> WebSocketOptions:
    return {
        "ws": f"{__name__}:{WebSocketProtocol.__name__}",  # by its name, so that each of uvicorn's processes finds it
        "ws_max_size": max_message_bytes,
        # Its memory for each connection is worth more than what small messages shrink.
        "ws_per_message_deflate": False,
    }


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own, but for texts that are none, floods, and clients that do not read."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # Any: as uvicorn makes it
        super().__init__(*arguments, **named)
        self._unread = bytearray()
        self._free_messages = TokenBucket()
        self._held_pong: bytes | None = None
        self._abort_timer: asyncio.TimerHandle | None = None

    # What comes in ----------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._read()

    def _read(self) -> None:
        """Slice by slice, until there is a message: what comes after it waits, unparsed, until it has been taken."""
        while self._unread and not self.read_paused and not self.transport.is_closing():
            piece = bytes(self._unread[:SLICE])
            del self._unread[:SLICE]
            super().data_received(piece)

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
        """Whether the application never learns of a frame, be it that it has closed the connection."""
        if frame.opcode is Opcode.CLOSE:
            return False
        is_fragment = not frame.fin and len(frame.data) < SMALL_FRAGMENT
        return frame.opcode in _CONTROL or is_fragment or self.close_sent

    def _refuse_flood(self) -> None:
        """Without a word where the connection is being closed, or not open yet."""
        if self.conn.state is State.OPEN:
            self.conn.fail(CloseCode.POLICY_VIOLATION, "Too many frames")
            self.handle_parser_exception()
        else:
            self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        """A text that is not UTF-8 is a mistake of the client's: it closes the connection, and fills no log."""
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    # What goes out ----------------------------------------------------------------------------------------------

    def handle_ping(self) -> None:
        """For a client that does not read, the latest pong alone is kept: it answers all pings (RFC 6455, 5.5.3)."""
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
        """Raises ClientDisconnected also where the connection was closed here, which the application learns later."""
        await self.writable.wait()
        if self.handshake_complete and self.transport.is_closing():
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # by an answer; uvicorn would take it for forgotten, and log it as an error
        elif message["type"] == "websocket.close":
            self._read()  # the client's own close may wait behind messages that nobody takes any more

    # Its end ----------------------------------------------------------------------------------------------------

    async def run_asgi(self) -> None:
        """Once the application is done, a client that does not read holds the connection for a while, not for ever."""
        await super().run_asgi()
        if not self.disconnected:
            self._abort_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        super().connection_lost(exc)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
