"""The security middleware of REST and GraphQL: authentication, rate limits, error responses and response headers.

Each surface is wrapped in it and supplies the function that renders its errors. Every exception that is raised before
the response starts, here or in the surface, becomes such an error response.
"""

import contextlib
import math
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http.cookies import SimpleCookie
from typing import Protocol, TypeAlias

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from amarevents import errors
from amarevents.security import cors
from amarevents.security.auth.sessions import COOKIE_NAME
from amarevents.security.authenticator import authenticate_handshake, authenticate_request
from amarevents.security.context import Context
from amarevents.security.error_reporting import log_failure, public_error
from amarevents.security.headers import RawHeader, set_header
from amarevents.security.outgoing import complete
from amarevents.security.rate_limit import quotas
from amarevents.security.services import Services

Surface: TypeAlias = Callable[[Request], Awaitable[Response]]
"""A surface of HTTP: returns the response to a request, or raises an error."""

_CONTEXT = "amarevents.context"
_INTERNAL_ERROR = 1011  # close code of RFC 6455
_CACHE_CONTROL = b"cache-control"
_NO_STORE = (_CACHE_CONTROL, b"no-store")
_NO_SNIFF = (b"x-content-type-options", b"nosniff")


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
    """The ASGI application of one surface.

    ``charges_operations``: the surface charges each operation by its cost (GraphQL). Otherwise, the middleware charges
    one unit for each request. ``is_page``: it is a page, which other origins may not read. Preflight requests are free.
    """

    surface: Surface
    render_error: ErrorRenderer
    charges_operations: bool = False
    is_page: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = services_of(scope).settings.allowed_origins
        if not self.is_page and cors.is_preflight(scope):
            await cors.preflight_response(scope, allowed)(scope, receive, send)
            return
        context = scope[_CONTEXT] = _new_context(scope)
        context.disconnected = partial(_wait_for_disconnect, receive)
        response = await self._respond(Request(scope, receive), context)
        _add_headers(response.raw_headers, context)
        if not self.is_page:
            complete(response, scope, allowed)
        try:
            await response(scope, receive, send)
        except Exception as failure:
            _log(failure, context, scope)
            raise

    async def _respond(self, request: Request, context: Context) -> Response:
        try:
            await authenticate_request(context, request.method, request.headers, charge=not self.charges_operations)
            return await self.surface(request)
        except Exception as failure:
            _log(failure, context, request.scope)
            return _error_response(self.render_error, public_error(failure), request.scope)


@dataclass(frozen=True, slots=True)
class WebSocketSecurityMiddleware:
    """ASGI middleware around the surface of WebSockets: a handshake is refused with the HTTP response of a request."""

    app: ASGIApp
    render_error: ErrorRenderer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate and serve a WebSocket."""
        context = scope[_CONTEXT] = _new_context(scope)
        websocket = WebSocket(scope, receive, send)
        try:
            await authenticate_handshake(context, websocket.headers)
            await self.app(scope, receive, websocket.send)
        except Exception as failure:
            log_failure(failure, context.request_id, f"WebSocket {scope['path']!r}")
            if websocket.application_state is WebSocketState.CONNECTING:
                response = _error_response(self.render_error, public_error(failure), scope)
                await websocket.send_denial_response(response)
            elif websocket.application_state is WebSocketState.CONNECTED:
                with contextlib.suppress(WebSocketDisconnect):
                    await websocket.close(_INTERNAL_ERROR)


def _log(failure: Exception, context: Context, scope: Scope) -> None:
    # !r escapes line breaks in the path, which could otherwise forge lines of the log.
    log_failure(failure, context.request_id, f"{scope['method']} {scope['path']!r}")


def _error_response(render: ErrorRenderer, error: errors.AmarEventsError, scope: Scope) -> Response:
    """Render the error, and add the headers that HTTP requires for its status."""
    response = render(error, scope)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _new_context(scope: Scope) -> Context:
    services = services_of(scope)
    peer = scope["client"][0] if scope.get("client") else "unknown"
    trusted = services.settings.trusted_proxies
    # A proxy may add a second header instead of extending the one that the client sent.
    forwarded_for = ",".join(Headers(scope=scope).getlist("x-forwarded-for")) if trusted else None
    return Context(
        services=services,
        request_id=os.urandom(8).hex(),
        address=quotas.client_address(peer, forwarded_for, trusted),
    )


async def _wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has disconnected; called after the body has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _add_headers(headers: list[RawHeader], context: Context) -> None:
    """Add to the headers of a response what the context has recorded."""
    present = {name for name, _ in headers}
    headers.append((b"x-request-id", context.request_id.encode()))
    if _NO_SNIFF[0] not in present:
        headers.append(_NO_SNIFF)
    if context.reveals_secret:
        set_header(headers, _CACHE_CONTROL, b"no-store, no-transform")
    elif _CACHE_CONTROL not in present:
        headers.append(_NO_STORE)
    headers += _rate_limit_headers(context)
    if context.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in _session_cookies(context)]


def _rate_limit_headers(context: Context) -> list[RawHeader]:
    """Return the rate limit headers of an authenticated response, errors included (decisions 3.2)."""
    verdict, quota_type = context.verdict, context.quota_type
    if verdict is None or quota_type is None or verdict.limit == 0:
        return []
    return [
        (b"x-ratelimit-limit", str(verdict.limit).encode()),
        (b"x-ratelimit-remaining", str(verdict.remaining).encode()),
        (b"x-ratelimit-reset", str(verdict.reset_at).encode()),
        (b"x-ratelimit-type", quota_type.encode()),
    ]


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
