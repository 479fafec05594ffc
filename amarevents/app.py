"""The ASGI application: assembles REST, GraphQL, the web pages and the services that they share."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from amarevents import __version__
from amarevents.infra.pubsub import broker_for
from amarevents.mail.worker import mail_worker
from amarevents.models.db.connection import database_is_ready, open_database
from amarevents.rest.docs_page.page import docs_routes
from amarevents.rest.email_confirmation_page import confirmation_page
from amarevents.rest.envelopes import failure
from amarevents.rest.openapi.endpoint import openapi_json
from amarevents.rest.password_reset_page import password_reset_page
from amarevents.rest.routes import ROUTES
from amarevents.rest.routing import Router
from amarevents.schema.explorer.page import explorer_routes, with_explorer
from amarevents.schema.transport.http import respond
from amarevents.schema.transport.responses import render_error
from amarevents.schema.transport.websocket import GraphQLWebSocket
from amarevents.security.middleware import SecurityMiddleware, WebSocketSecurityMiddleware, services_of
from amarevents.security.outgoing import OpenEndpoint
from amarevents.security.rate_limit import rate_limiter
from amarevents.security.services import Services, open_services
from amarevents.server.logging import configure_logging
from amarevents.server.maintenance import run_maintenance
from amarevents.server.shutdown import run_on_shutdown_signal
from amarevents.settings import Settings
from amarevents.web.content_negotiation import prefers_html
from amarevents.web.static_files import BASE_HEADERS, FAVICON

_GRAPHQL = ("/graphql", "/graphql/")


class Platform(Starlette):
    """The application. Requests to the API go straight to it, past the routes of pages and Starlette's middleware."""

    def __init__(
        self, *, api: ASGIApp, endpoints: Mapping[str, ASGIApp], routes: Sequence[BaseRoute], lifespan: Lifespan[Self]
    ) -> None:
        super().__init__(routes=routes, lifespan=lifespan)
        self._api = api
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await found(scope, receive, send)

    def _find(self, path: str) -> ASGIApp | None:
        """Return the API or the endpoint at a path. Starlette's routes do not match paths with line breaks."""
        return self._api if path.startswith("/api/") or path == "/api" else self._endpoints.get(path)


def create_app(settings: Settings) -> Starlette:
    """Return the ASGI application. Its lifespan opens the migrated database and the shared services."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_database(settings), _open_services(settings) as services:
            app.state.services = services
            with run_on_shutdown_signal(services.connections.shut_down):
                yield

    rest = SecurityMiddleware(Router(ROUTES).respond, lambda error, _scope: failure(error))
    graphql = SecurityMiddleware(respond, render_error, charges_operations=True)
    websocket = WebSocketSecurityMiddleware(GraphQLWebSocket(), render_error)
    app = Platform(
        api=rest,
        endpoints={
            "/openapi.json": OpenEndpoint(openapi_json),
            **dict.fromkeys(_GRAPHQL, with_explorer(graphql, settings)),
        },
        routes=[
            Route("/", index),
            Route("/favicon.ico", favicon),
            Route("/healthz", health),
            *docs_routes(),
            Route("/confirm-email", confirmation_page()),
            Route("/reset-password", password_reset_page()),
            *(WebSocketRoute(path, websocket) for path in _GRAPHQL),
            *explorer_routes(settings),
        ],
        lifespan=lifespan,
    )
    # A redirect would lose the body of the request.
    app.router.redirect_slashes = False
    return app


@contextlib.asynccontextmanager
async def _open_services(settings: Settings) -> AsyncIterator[Services]:
    """Yield the services, with the background tasks of the process running."""
    serving = open_services(settings, limiter=rate_limiter(settings), broker=broker_for(settings))
    async with serving as services, contextlib.AsyncExitStack() as tasks:
        tasks.push_async_callback(_cancel, asyncio.create_task(run_maintenance(services)))
        if services.replica is not None:
            tasks.push_async_callback(_cancel, asyncio.create_task(services.replica.watch()))
        if (worker := mail_worker(settings)) is not None:
            tasks.push_async_callback(_cancel, asyncio.create_task(worker.run()))
        yield services


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def index(request: Request) -> Response:
    """Redirect browsers to the explorer or the API reference; return the entry points as JSON to other clients."""
    has_explorer = services_of(request.scope).settings.graphql_explorer
    vary = {"Vary": "Accept"}
    if prefers_html(request.scope):
        return RedirectResponse("/graphql" if has_explorer else "/docs", headers={**vary, "Cache-Control": "no-store"})
    entry_points = {"rest": "/api/events", "graphql": "/graphql", "openapi": "/openapi.json", "docs": "/docs"}
    if has_explorer:
        entry_points["graphiql"] = "/graphql"
    return JSONResponse({"name": "Amar Events", "version": __version__, **entry_points}, headers=vary)


async def favicon(_request: Request) -> Response:
    """Serve the icon at the path where browsers request it for documents without a link, such as JSON."""
    return FileResponse(FAVICON, media_type="image/svg+xml", headers=BASE_HEADERS)


async def health(_request: Request) -> Response:
    """Return status 200 if this process can serve requests, or 503 while the database is unavailable."""
    ready = await database_is_ready()
    return JSONResponse({"status": "ok" if ready else "database unavailable"}, 200 if ready else 503)


def app_from_environment() -> Starlette:
    """Return the application with settings from the environment, as server processes create it."""
    settings = Settings.from_environment()
    configure_logging(settings)
    return create_app(settings)
