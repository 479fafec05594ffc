"""WebSockets below the application: uvicorn's protocol, but for what it takes for an error of its own."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Named to uvicorn by ``amarevents.sockets:WebSocketProtocol``, so that each of its processes finds it."""

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
