"""The security middleware of REST and GraphQL: authentication, rate limits, error responses and response headers.

Each surface is wrapped in it and supplies the function that renders its errors. Every exception that is raised before
the response starts, here or in the surface, becomes such an error response.
"""

import contextlib
import math
import secrets
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from amarevents import errors
from amarevents.security.auth.sessions import COOKIE_NAME
from amarevents.security.authenticator import authenticate_handshake, authenticate_request
from amarevents.security.context import Context
from amarevents.security.error_reporting import log_failure, public_error
from amarevents.security.rate_limit import quotas
from amarevents.security.services import Services

_CONTEXT = "amarevents.context"
_INTERNAL_ERROR = 1011  # close code of RFC 6455


class ErrorRenderer(Protocol):
    """A function that renders errors for one surface."""

    def __call__(self, error: errors.AmarEventsError, scope: Scope, /) -> Response:
        """Return the response that shows the error on this surface, in a form that the request accepts."""


def context_of(scope: Scope) -> Context:
    """Return the context that the middleware created for this request."""
    context = scope[_CONTEXT]
    assert isinstance(context, Context)  # noqa: S101 - for the type checker; the middleware put it there
    return context


def services_of(scope: Scope) -> Services:
    """Return the services that the application's lifespan shares with every request."""
    services = scope["app"].state.services
    assert isinstance(services, Services)  # noqa: S101 - for the type checker; the lifespan put it there
    return services


@dataclass(frozen=True, slots=True)
class SecurityMiddleware:
    """ASGI middleware around one surface.

    ``charges_operations``: the surface charges each operation by its cost (GraphQL). Otherwise, the middleware charges
    one unit for each request.
    """

    app: ASGIApp
    render_error: ErrorRenderer
    charges_operations: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
            return
        headers = Headers(scope=scope)
        context = _new_context(scope, headers)
        scope[_CONTEXT] = context
        outgoing = _Outgoing(context, send)
        try:
            await authenticate_request(context, scope["method"], headers, charge=not self.charges_operations)
            await self.app(scope, receive, outgoing)
        except Exception as failure:
            # !r escapes line breaks in the path, which could otherwise forge lines of the log.
            log_failure(failure, context.request_id, f"{scope['method']} {scope['path']!r}")
            if outgoing.started:
                raise
            await self._error_response(public_error(failure), scope)(scope, receive, outgoing)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate and serve a WebSocket; refuse its handshake with the same HTTP response as a request."""
        headers = Headers(scope=scope)
        context = scope[_CONTEXT] = _new_context(scope, headers)
        websocket = WebSocket(scope, receive, send)
        try:
            await authenticate_handshake(context, headers)
            await self.app(scope, receive, websocket.send)
        except Exception as failure:
            log_failure(failure, context.request_id, f"WebSocket {scope['path']!r}")
            if websocket.application_state is WebSocketState.CONNECTING:
                await websocket.send_denial_response(self._error_response(public_error(failure), scope))
            elif websocket.application_state is WebSocketState.CONNECTED:
                with contextlib.suppress(WebSocketDisconnect):
                    await websocket.close(_INTERNAL_ERROR)

    def _error_response(self, error: errors.AmarEventsError, scope: Scope) -> Response:
        """Render the error, and add the headers that HTTP requires for its status."""
        response = self.render_error(error, scope)
        if isinstance(error, errors.RateLimited):
            response.headers["Retry-After"] = str(error.retry_after)
        if isinstance(error, errors.MethodNotAllowed):
            response.headers["Allow"] = ", ".join(error.allowed)
        if isinstance(error, errors.Unauthenticated):
            response.headers["WWW-Authenticate"] = "Bearer"
        return response


def _new_context(scope: Scope, headers: Headers) -> Context:
    services = services_of(scope)
    peer = scope["client"][0] if scope.get("client") else "unknown"
    return Context(
        services=services,
        request_id=secrets.token_hex(8),
        # A proxy may add a second header instead of extending the one that the client sent.
        address=quotas.client_address(
            peer, ",".join(headers.getlist("x-forwarded-for")), services.settings.trusted_proxies
        ),
    )


class _Outgoing:
    """A ``send`` that adds the headers recorded on the context to the start of the response."""

    def __init__(self, context: Context, send: Send) -> None:
        self.started = False
        self._context = context
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._context.request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
            if self._context.reveals_secret:
                headers["Cache-Control"] = "no-store, no-transform"
            headers.update(_rate_limit_headers(self._context))
            if self._context.replayed:
                headers["Idempotency-Replayed"] = "true"
            for cookie in _session_cookies(self._context):
                headers.append("Set-Cookie", cookie)
        await self._send(message)


def _rate_limit_headers(context: Context) -> dict[str, str]:
    """Return the rate limit headers of an authenticated response, errors included (decisions 3.2)."""
    verdict, quota_type = context.verdict, context.quota_type
    if verdict is None or quota_type is None or verdict.limit == 0:
        return {}
    return {
        "X-RateLimit-Limit": str(verdict.limit),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": str(verdict.reset_at),
        "X-RateLimit-Type": quota_type,
    }


def _session_cookies(context: Context) -> list[str]:
    started = context.started_session
    if started is not None and started.id.in_cookie:
        seconds = math.floor((started.expires_at - context.now).total_seconds())
        return [_cookie(started.id.value, seconds, secure=context.services.settings.cookie_secure)]
    if context.session_ended:
        return [_cookie("", 0, secure=context.services.settings.cookie_secure)]
    return []


def _cookie(value: str, max_age: int, *, secure: bool) -> str:
    cookie = SimpleCookie({COOKIE_NAME: value})
    morsel = cookie[COOKIE_NAME]
    morsel.update({"path": "/", "max-age": str(max_age), "samesite": "Lax"})
    flags = "; HttpOnly; Secure" if secure else "; HttpOnly"
    return morsel.OutputString() + flags
