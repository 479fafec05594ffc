"""WebSockets below the application: uvicorn's protocol, but for what it takes for an error of its own."""

from typing import TypedDict

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode


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
    """uvicorn's own but for texts that are none."""

    def send_receive_event_to_app(self) -> None:
        """A text that is not UTF-8 is a mistake of the client's: it closes the connection, and fills no log."""
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
