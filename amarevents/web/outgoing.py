"""The outermost middleware: CORS headers and compression of the responses of all surfaces and pages."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amarevents.security import cors
from amarevents.security.headers import add_vary, set_header
from amarevents.security.middleware import services_of
from amarevents.web import compression


class OutgoingMiddleware:
    """ASGI middleware that answers preflight requests, free of charge, and completes all other responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_shared = cors.is_shared(scope["path"])
        if is_shared and cors.is_preflight(scope):
            allowed = services_of(scope).settings.allowed_origins
            await cors.preflight_response(scope, allowed)(scope, receive, send)
            return
        await self._app(scope, receive, _Outgoing(scope, send, is_shared=is_shared))


class _Outgoing:
    """A ``send`` that completes a response. It holds the start of JSON back until its body is known."""

    __slots__ = ("_allowed", "_held", "_is_shared", "_scope", "_send")

    def __init__(self, scope: Scope, send: Send, *, is_shared: bool) -> None:
        self._scope = scope
        self._send = send
        self._is_shared = is_shared
        self._allowed = services_of(scope).settings.allowed_origins
        self._held: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._is_shared:
                cors.add_cors_headers(message["headers"], self._scope, self._allowed)
            if compression.is_compressible(message["headers"]):
                self._held = message
                return
        elif self._held is not None:
            start, self._held = self._held, None
            if len(message["body"]) >= compression.MIN_BYTES and not message.get("more_body"):
                self._compress(start, message)
            await self._send(start)
        await self._send(message)

    def _compress(self, start: Message, message: Message) -> None:
        """Compress a whole body if the client accepts that; otherwise only say that others may get it compressed."""
        request_headers, headers = self._scope["headers"], start["headers"]
        if not compression.is_safe(request_headers, self._allowed):
            return
        add_vary(headers, b"Accept-Encoding")
        if compression.accepts_gzip(request_headers):
            message["body"] = compression.compress(message["body"])
            set_header(headers, b"content-length", str(len(message["body"])).encode())
            headers.append((b"content-encoding", b"gzip"))
