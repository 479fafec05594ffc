"""The one middleware of both surfaces: identify, count, let through, and write the headers on the way out.

Each surface is wrapped in it and brings how it renders an error; whatever fails below or in here leaves as one.
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
from amarevents.security.auth.credentials import read_credential
from amarevents.security.auth.csrf import may_change_state
from amarevents.security.auth.principals import identify
from amarevents.security.auth.sessions import COOKIE_NAME
from amarevents.security.context import Context
from amarevents.security.error_reporting import log_failure, public_error
from amarevents.security.rate_limit import quotas
from amarevents.security.rate_limit.charging import set_address_quota, set_credential_quota, set_session_quota
from amarevents.security.services import Services
from amarevents.security.websocket_auth import authenticate_handshake

_CONTEXT = "amarevents.context"
_UNFORESEEN = 1011


class ErrorRenderer(Protocol):
    def __call__(self, error: errors.AmarEventsError, scope: Scope, /) -> Response:
        """The error as this surface shows it to this request."""


def context_of(scope: Scope) -> Context:
    """The context that the middleware made for this request."""
    context = scope[_CONTEXT]
    assert isinstance(context, Context)  # noqa: S101 - for the type checker; the middleware put it there
    return context


def services_of(scope: Scope) -> Services:
    """What the application's lifespan shares with every request."""
    services = scope["app"].state.services
    assert isinstance(services, Services)  # noqa: S101 - for the type checker; the lifespan put it there
    return services


@dataclass(frozen=True, slots=True)
class SecurityMiddleware:
    """``counts_operations``: the surface charges by itself what a request costs (GraphQL); else each costs one unit."""

    app: ASGIApp
    render_error: ErrorRenderer
    counts_operations: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
            return
        headers = Headers(scope=scope)
        context = _new_context(scope, headers)
        scope[_CONTEXT] = context
        outgoing = _Outgoing(context, send)
        try:
            await self._admit(context, scope["method"], headers)
            await self.app(scope, receive, outgoing)
        except Exception as failure:
            # !r: a path may hold line breaks, which would look like lines of the log.
            log_failure(failure, context.request_id, f"{scope['method']} {scope['path']!r}")
            if outgoing.started:
                raise
            await self._refusal(public_error(failure), scope)(scope, receive, outgoing)

    async def _admit(self, context: Context, method: str, headers: Headers) -> None:
        """Identify and count, or raise; whoever is refused here has been counted as well."""
        try:
            await self._identify_and_count(context, method, headers)
        except errors.AmarEventsError:
            await context.charge_minimum()
            raise

    async def _identify_and_count(self, context: Context, method: str, headers: Headers) -> None:
        """Keys and addresses are counted before anything is looked up, sessions once it is known whose they are."""
        settings = context.services.settings
        try:
            context.credential = read_credential(headers.getlist("authorization"), headers.get("cookie"))
            set_credential_quota(context)
            await self._count(context)
            context.principal = await identify(context.credential)
        except errors.Unauthenticated:
            # Whoever guesses keys does so on the account of the address.
            set_address_quota(context)
            raise
        if context.principal.key_id is not None:
            context.services.key_usage.record_use(context.principal.key_id)
        if context.quota is None:
            set_session_quota(context)
            await self._count(context)
        if context.principal.session_id is not None and not may_change_state(method, headers, settings.allowed_origins):
            raise errors.CrossSiteRequest

    async def _count(self, context: Context) -> None:
        """As soon as it is known whom to bill, unless the surface counts by itself."""
        if context.quota is not None and not self.counts_operations:
            await context.charge()

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same for a WebSocket: refused before it is accepted, an HTTP answer as everywhere else."""
        headers = Headers(scope=scope)
        context = scope[_CONTEXT] = _new_context(scope, headers)
        websocket = WebSocket(scope, receive, send)
        try:
            await authenticate_handshake(context, headers)
            await self.app(scope, receive, websocket.send)
        except Exception as failure:
            log_failure(failure, context.request_id, f"WebSocket {scope['path']!r}")
            if websocket.application_state is WebSocketState.CONNECTING:
                await websocket.send_denial_response(self._refusal(public_error(failure), scope))
            elif websocket.application_state is WebSocketState.CONNECTED:
                with contextlib.suppress(WebSocketDisconnect):
                    await websocket.close(_UNFORESEEN)

    def _refusal(self, error: errors.AmarEventsError, scope: Scope) -> Response:
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
        # A proxy may add a header of its own below the one that the client has sent.
        address=quotas.client_address(
            peer, ",".join(headers.getlist("x-forwarded-for")), services.settings.trusted_proxies
        ),
    )


class _Outgoing:
    """``send`` that adds what the request has recorded to the head of the answer."""

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
            headers.update(_rate_limit_headers(self._context))
            for cookie in _session_cookies(self._context):
                headers.append("Set-Cookie", cookie)
        await self._send(message)


def _rate_limit_headers(context: Context) -> dict[str, str]:
    """On every authenticated response, errors included (decisions 3.2)."""
    verdict, caller = context.verdict, context.caller
    if verdict is None or caller is None or verdict.limit == 0:
        return {}
    return {
        "X-RateLimit-Limit": str(verdict.limit),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": str(verdict.reset_at),
        "X-RateLimit-Type": caller,
    }


def _session_cookies(context: Context) -> list[str]:
    if context.started_session is not None:
        started = context.started_session
        seconds = math.floor((started.expires_at - context.now).total_seconds())
        return [_cookie(started.token, seconds, secure=context.services.settings.cookie_secure)]
    if context.session_ended:
        return [_cookie("", 0, secure=context.services.settings.cookie_secure)]
    return []


def _cookie(value: str, max_age: int, *, secure: bool) -> str:
    cookie = SimpleCookie({COOKIE_NAME: value})
    morsel = cookie[COOKIE_NAME]
    morsel.update({"path": "/", "max-age": str(max_age), "samesite": "Lax"})
    flags = "; HttpOnly; Secure" if secure else "; HttpOnly"
    return morsel.OutputString() + flags
